//! The search for the header fields that were signed.

use mailproof_canonicalization::Canonicalization;
use mailproof_message::{Field, Header};

use crate::crypto::{Digest, Sha256, SignedDigest, VerifyingKey};
use crate::header_hash::header_hash_input;
use crate::limits::Limits;
use crate::signature::Signature;

use super::change::{Change, ChangeKind};
use super::limits::{Budget, DiagnosisLimits, Exhausted};
use super::{Excluded, Finding, Repair, fields, folding, subject, values};

/// A field replaced by other octets with their line end: by none, if it was added; by itself and
/// another one, if that was removed. After the last field stands nothing, which may be replaced too.
#[derive(Debug, Clone)]
pub(super) struct Edit {
    pub(super) field: usize,
    pub(super) octets: Vec<u8>,
}

/// Changes that can have been made together, and what undoes them.
#[derive(Debug, Clone)]
pub(super) struct Proposal {
    pub(super) changes: Vec<Change>,
    pub(super) edits: Vec<Edit>,
}

/// What proposals are made from.
pub(super) struct Material<'a> {
    pub(super) fields: &'a [Field<'a>],
    /// The place of the signature's own field.
    pub(super) place: usize,
    pub(super) signature: &'a Signature,
    /// The places of the instances of signed fields, as many and as long as the limits say.
    pub(super) signed: Vec<usize>,
    /// How long a value may be.
    pub(super) most: usize,
    /// The header sections of the MIME parts.
    pub(super) parts: Vec<&'a [u8]>,
}

/// Whether data is what was signed.
enum Judge<'a> {
    /// By the digest that the signature tells; the key confirms.
    Digest(Digest, &'a VerifyingKey),
    /// By the key alone.
    Key(&'a VerifyingKey),
}

/// Finds what was done to the signed header fields.
pub(super) fn search(
    header: &Header,
    place: usize,
    parts: Vec<&[u8]>,
    signature: &Signature,
    keys: &[VerifyingKey],
    limits: &DiagnosisLimits,
) -> Finding {
    let mut budget = Budget::new(limits);
    let judges = match judges(signature, keys, &mut budget) {
        Ok(judges) if judges.is_empty() => return Finding::OtherKey,
        Ok(judges) => judges,
        Err(limit) => {
            let (tried, work) = (Vec::new(), budget.work);
            return Finding::Unexplained(Excluded { tried, exhausted: Some(limit), work });
        }
    };
    let fields: Vec<Field<'_>> = header.fields().collect();
    let relevant = relevant(&fields, place, signature);
    let signed = relevant.iter().copied().filter(|&index| index != place);
    let short = |&index: &usize| {
        fields.get(index).is_some_and(|field| field.octets().len() <= limits.field_octets)
    };
    let signed = signed.filter(short).take(limits.fields).collect();
    let material =
        Material { fields: &fields, place, signature, signed, most: limits.field_octets, parts };
    let names = signature.signed_fields.iter().count();
    let mut search = Search { material, names, relevant, judges, budget };
    let mut tried = Vec::new();
    let found = search.run(&mut tried);
    let work = search.budget.work;
    let exhausted = match found {
        Ok(Some(Found { changes, .. })) if changes.is_empty() => return Finding::Intact,
        Ok(Some(Found { changes, hash_input, restored })) => {
            return Finding::Explained(Repair { changes, hash_input, restored, work });
        }
        Ok(None) => None,
        Err(limit) => Some(limit),
    };
    Finding::Unexplained(Excluded { tried, exhausted, work })
}

/// What can tell the data that was signed; nothing if it was signed with no key that is known.
fn judges<'a>(
    signature: &Signature,
    keys: &'a [VerifyingKey],
    budget: &mut Budget<'_>,
) -> Result<Vec<Judge<'a>>, Exhausted> {
    let mut judges = Vec::new();
    for key in keys {
        budget.signature()?;
        match key.signed_digest(&signature.signature) {
            SignedDigest::Is(digest) => judges.push(Judge::Digest(digest, key)),
            SignedDigest::OtherKey => {}
            SignedDigest::Untold => judges.push(Judge::Key(key)),
        }
    }
    Ok(judges)
}

/// The instances of the fields that h= names, and the signature's own.
fn relevant(fields: &[Field<'_>], place: usize, signature: &Signature) -> Vec<usize> {
    let named = |field: &Field<'_>| {
        let name = field.name().map(<[u8]>::to_ascii_lowercase);
        name.is_some_and(|name| signature.signed_fields.count(&name) > 0)
    };
    let places = fields.iter().enumerate();
    places
        .filter(|(index, field)| *index == place || named(field))
        .map(|(index, _)| index)
        .collect()
}

struct Search<'a> {
    material: Material<'a>,
    /// How many names h= has.
    names: usize,
    /// The places of the fields that are hashed, or could be.
    relevant: Vec<usize>,
    judges: Vec<Judge<'a>>,
    budget: Budget<'a>,
}

/// Fields that verify.
struct Found {
    changes: Vec<Change>,
    hash_input: Vec<u8>,
    restored: Vec<u8>,
}

type Tried = Result<Option<Found>, Exhausted>;

impl Search<'_> {
    fn run(&mut self, tried: &mut Vec<ChangeKind>) -> Tried {
        let stated = self.material.signature.header_canonicalization;
        if let Some(found) = self.attempt(&[], stated)? {
            return Ok(Some(found));
        }
        let used = match stated {
            Canonicalization::Simple => Canonicalization::Relaxed,
            Canonicalization::Relaxed => Canonicalization::Simple,
        };
        let proposals = self.proposals();
        // Under "simple" a change of white space is likelier than a signer that errs, and is tried
        // first; both explain the same.
        for proposal in &proposals {
            for kind in proposal.changes.iter().map(Change::kind) {
                if !tried.contains(&kind) {
                    tried.push(kind);
                }
            }
            if let Some(found) = self.attempt(&[proposal], stated)? {
                return Ok(Some(found));
            }
        }
        tried.push(ChangeKind::HeaderCanonicalization);
        if let Some(mut found) = self.attempt(&[], used)? {
            found.changes.push(Change::HeaderCanonicalization { used });
            return Ok(Some(found));
        }
        self.pairs(&proposals, stated)
    }

    /// Two changes, both of them likely ones first.
    fn pairs(&mut self, proposals: &[Proposal], stated: Canonicalization) -> Tried {
        for sum in 1..proposals.len().saturating_mul(2) {
            for (index, first) in proposals.iter().enumerate().take(sum.div_ceil(2)) {
                let Some(second) = proposals.get(sum - index) else { continue };
                let meet = |edit: &Edit| second.edits.iter().any(|other| other.field == edit.field);
                if first.edits.iter().any(meet) {
                    continue;
                }
                if let Some(found) = self.attempt(&[first, second], stated)? {
                    return Ok(Some(found));
                }
            }
        }
        Ok(None)
    }

    /// What can have been done, the likely first.
    fn proposals(&self) -> Vec<Proposal> {
        let material = &self.material;
        let mut proposals = Vec::new();
        fields::copied(material, &mut proposals);
        subject::tags(material, &mut proposals);
        values::kept(material, &mut proposals);
        fields::added(material, &mut proposals);
        fields::removed(material, &mut proposals);
        values::content(material, &mut proposals);
        values::addresses(material, &mut proposals);
        values::encoded_words(material, &mut proposals);
        fields::reordered(material, &mut proposals);
        subject::tags_in_words(material, &mut proposals);
        values::orders(material, &mut proposals);
        values::dates(material, &mut proposals);
        if material.signature.header_canonicalization == Canonicalization::Simple {
            folding::refolded(material, &mut proposals);
        }
        proposals
    }

    /// Whether the signature verifies with the changes undone.
    fn attempt(&mut self, undo: &[&Proposal], canonicalization: Canonicalization) -> Tried {
        let restored = undone(self.material.fields, self.relevant.iter().copied(), undo);
        self.budget.octets(restored.len())?;
        // Every name is looked for in all of them.
        self.budget.octets(self.names.saturating_mul(self.relevant.len()))?;
        self.budget.variant()?;
        let header = Header::parse(restored);
        let fields: Vec<Field<'_>> = header.fields().collect();
        let edits = || undo.iter().flat_map(|proposal| &proposal.edits);
        let above = self.relevant.iter().take_while(|&&index| index != self.material.place);
        let gone =
            |index: &&usize| edits().any(|edit| edit.field == **index && edit.octets.is_empty());
        let place = above.filter(|index| !gone(index)).count();
        let own_edited = edits().any(|edit| edit.field == self.material.place);
        let Some(signature) = self.signature(&fields, place, own_edited, canonicalization) else {
            return Ok(None);
        };
        let hash_input = header_hash_input(&header, place, &signature);
        let digest = Sha256::digest(&hash_input);
        for judge in &self.judges {
            let key = match judge {
                Judge::Digest(signed, _) if *signed != digest => continue,
                Judge::Digest(_, key) | Judge::Key(key) => key,
            };
            self.budget.signature()?;
            if key.verify(&digest, &signature.signature) {
                let changes = undo.iter().flat_map(|proposal| proposal.changes.clone()).collect();
                let all = self.material.fields;
                let restored = undone(all, 0..all.len(), undo);
                return Ok(Some(Found { changes, hash_input, restored }));
            }
        }
        Ok(None)
    }

    /// The signature, read again if its own field is another one.
    fn signature(
        &self,
        fields: &[Field<'_>],
        place: usize,
        own_edited: bool,
        canonicalization: Canonicalization,
    ) -> Option<Signature> {
        let mut signature = self.material.signature.clone();
        if own_edited {
            let value = fields.get(place)?.value();
            let read = Signature::parse(value, &Limits::default())
                .or_else(|_| Signature::parse_arc(value, &Limits::default()))
                .ok()?;
            signature.signature_span = read.signature_span;
        }
        signature.header_canonicalization = canonicalization;
        Some(signature)
    }
}

/// The fields at these places, with the changes undone.
fn undone(
    fields: &[Field<'_>],
    places: impl Iterator<Item = usize>,
    undo: &[&Proposal],
) -> Vec<u8> {
    let edit = |place: usize| {
        let mut edits = undo.iter().flat_map(|proposal| &proposal.edits);
        edits.find(|edit| edit.field == place).map(|edit| edit.octets.as_slice())
    };
    let mut octets = Vec::with_capacity(4096);
    for place in places {
        let now = fields.get(place).map(Field::octets).unwrap_or_default();
        octets.extend_from_slice(edit(place).unwrap_or(now));
    }
    octets.extend_from_slice(edit(fields.len()).unwrap_or_default());
    octets
}

impl Material<'_> {
    /// A signed field's name as it stands, and its place, from the top.
    pub(super) fn signed_fields(&self) -> impl Iterator<Item = (usize, &Field<'_>)> {
        self.signed.iter().filter_map(|&place| Some((place, self.fields.get(place)?)))
    }

    /// The lowest instance of a field, which is the first to be signed (RFC 6376 5.4.2).
    pub(super) fn lowest(&self, name: &str) -> Option<(usize, &Field<'_>)> {
        self.signed_fields().filter(|(_, field)| field.is(name)).last()
    }

    /// What gives a field another value, in the form most have.
    pub(super) fn with_value(&self, place: usize, value: &[u8]) -> Option<Edit> {
        let name = self.fields.get(place)?.name()?;
        Some(Edit { field: place, octets: [name, b": ", value, b"\r\n"].concat() })
    }
}
