//! The structure of an Authenticated Received Chain (RFC 8617 5.2 steps 1 to 3).

use std::sync::Arc;

use mailproof_message::Header;

use crate::limits::Limits;
use crate::outcome::Cause;
use crate::parse::{FieldError, instance};
use crate::set::{ArcField, ArcMessageSignature, ArcSeal, ChainStatus};

/// A chain whose structure is valid; never empty.
pub(crate) struct Chain {
    /// Instance 1 first.
    pub(crate) sets: Vec<Set>,
}

/// An ARC Set of which there is exactly one of each field.
pub(crate) struct Set {
    pub(crate) places: [usize; 3],
    pub(crate) seal: Arc<ArcSeal>,
    /// An older one that cannot be read ends the walk for "oldest-pass" and harms nothing else.
    pub(crate) message_signature: Result<Arc<ArcMessageSignature>, FieldError>,
}

/// A header field of some ARC Set.
struct Found {
    field: ArcField,
    place: usize,
    instance: Result<u8, FieldError>,
}

impl Chain {
    /// Collects the ARC Sets of a header section and validates their structure.
    pub(crate) fn read(header: &Header, limits: &Limits) -> Result<Chain, Cause> {
        let found = collect(header, limits)?;
        let newest = highest_instance(&found).unwrap_or(0);
        // RFC 8617 5.2 step 1: "If more than the maximum number exist, the Chain Validation Status
        // is "fail"". The number of sets is the highest instance, or there is a gap.
        if newest > limits.sets {
            return Err(Cause::TooManySets { most: limits.sets });
        }
        if says_fail(header, &found, newest) {
            return Err(Cause::FailedBefore { instance: newest });
        }
        let places = places(found, newest)?;
        let mut sets = Vec::with_capacity(places.len());
        for (places, instance) in places.into_iter().zip(1..) {
            let set = Set::read(header, places, limits)?;
            // Step 3C: "For ARC Sets with instance values > 1, the values MUST be "pass". For the
            // ARC Set with instance value = 1, the value MUST be "none"."
            let expected = if instance == 1 { ChainStatus::None } else { ChainStatus::Pass };
            if set.seal.status != expected {
                return Err(Cause::StatusMismatch { instance, status: set.seal.status });
            }
            sets.push(set);
        }
        // Step 4 needs the newest one.
        if let Some(Set { places: [_, place, _], message_signature: Err(error), .. }) = sets.last()
        {
            return Err(Cause::Field {
                field: ArcField::MessageSignature,
                place: *place,
                error: error.clone(),
            });
        }
        Ok(Chain { sets })
    }
}

impl Set {
    fn read(header: &Header, places: [usize; 3], limits: &Limits) -> Result<Set, Cause> {
        let [_, message_signature, seal] = places;
        let value = |place| header.field(place).map(|field| field.value()).unwrap_or_default();
        let message_signature =
            ArcMessageSignature::parse(value(message_signature), &limits.signature).map(Arc::new);
        let seal = ArcSeal::parse(value(seal)).map(Arc::new).map_err(|error| Cause::Field {
            field: ArcField::Seal,
            place: seal,
            error,
        })?;
        Ok(Set { places, seal, message_signature })
    }
}

/// The highest instance of any field of an ARC Set, which the next sealer counts on from (RFC 8617
/// 5.1 step 3), and whether the newest seal says that the chain has failed (step 2).
pub(crate) fn highest(header: &Header, limits: &Limits) -> Result<Option<(u8, bool)>, Cause> {
    match collect(header, limits) {
        Ok(found) => {
            Ok(highest_instance(&found).map(|newest| (newest, says_fail(header, &found, newest))))
        }
        Err(Cause::NoSets) => Ok(None),
        Err(cause) => Err(cause),
    }
}

/// RFC 8617 5.2 step 1: "Collect all ARC Sets currently attached to the message."
fn collect(header: &Header, limits: &Limits) -> Result<Vec<Found>, Cause> {
    let mut found = Vec::new();
    if ArcField::ALL.into_iter().all(|kind| header.named(kind.name()).next().is_none()) {
        return Err(Cause::NoSets);
    }
    for (place, field) in header.fields().enumerate() {
        let Some(kind) = ArcField::ALL.into_iter().find(|kind| field.is(kind.name())) else {
            continue;
        };
        if found.len() >= usize::from(limits.sets) * ArcField::ALL.len() {
            return Err(Cause::TooManySets { most: limits.sets });
        }
        found.push(Found { field: kind, place, instance: instance(kind, field.value()) });
    }
    Ok(found)
}

fn highest_instance(found: &[Found]) -> Option<u8> {
    found.iter().filter_map(|found| found.instance.as_ref().ok()).max().copied()
}

/// Step 2: "If the Chain Validation Status of the highest instance value ARC Set is "fail"".
fn says_fail(header: &Header, found: &[Found], newest: u8) -> bool {
    found
        .iter()
        .filter(|found| found.field == ArcField::Seal && found.instance == Ok(newest))
        .filter_map(|found| header.field(found.place))
        .filter_map(|field| ArcSeal::parse(field.value()).ok())
        .any(|seal| seal.status == ChainStatus::Fail)
}

/// Steps 3A and 3B: "exactly one each of the three ARC header fields", "a continuous sequence from
/// 1..N with no gaps or repetition".
fn places(found: Vec<Found>, newest: u8) -> Result<Vec<[usize; 3]>, Cause> {
    let mut slots = vec![[None; 3]; usize::from(newest)];
    for Found { field, place, instance } in found {
        let instance = instance.map_err(|error| Cause::Field { field, place, error })?;
        let index = match field {
            ArcField::AuthenticationResults => 0,
            ArcField::MessageSignature => 1,
            ArcField::Seal => 2,
        };
        let slot = slots.get_mut(usize::from(instance) - 1).and_then(|set| set.get_mut(index));
        match slot {
            Some(slot @ None) => *slot = Some(place),
            _ => return Err(Cause::RepeatedField { instance, field }),
        }
    }
    let set = |(set, instance): ([Option<usize>; 3], u8)| match set {
        [Some(results), Some(message_signature), Some(seal)] => {
            Ok([results, message_signature, seal])
        }
        [None, None, None] => Err(Cause::MissingSet { instance }),
        [None, ..] => missing(instance, ArcField::AuthenticationResults),
        [_, None, _] => missing(instance, ArcField::MessageSignature),
        [_, _, None] => missing(instance, ArcField::Seal),
    };
    slots.into_iter().zip(1..).map(set).collect()
}

fn missing<T>(instance: u8, field: ArcField) -> Result<T, Cause> {
    Err(Cause::MissingField { instance, field })
}
