//! Zones in memory (RFC 1034 4.2): lookups, aliases, wildcards.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Bound;
use std::sync::Arc;

use crate::data::is_generic;
use crate::master_file::{Content, Entry, Reader};
use crate::token::{Lexer, Position, Problem};
use crate::tree::{EMPTY_NODE, Node, Set, TreeKey};
use crate::zone_error::{MasterFileErrorKind as Kind, Place, ZoneError};
use crate::{
    Answers, Data, Failure, Missing, Name, Question, RecordSet, RecordType, Resolver, Response,
    ZoneLimits, resolve_blocking,
};

/// Zones (RFC 1034 4.2) in memory, read from master files (RFC 1035 5).
///
/// It answers like a recursive resolver for which the DNS holds these records and nothing else:
/// aliases (CNAME) are followed, wildcards and empty non-terminals are those of RFC 4592, and a
/// name that is not there does not exist, whatever its zone.
///
/// Beyond RFC 1035 a line can say what a server answers instead of records, in capitals and
/// without quotes:
///
/// ```text
/// broken.example.    SERVFAIL        ; for every type that has no line at the name
/// slow.example.      TXT TIMEOUT     ; for one type
/// gone.example.      NXDOMAIN        ; though a wildcard matches; nothing below it exists either
/// empty.example.     NODATA
/// ```
///
/// ```
/// use mailproof_dns::{Question, Zone};
///
/// let zone = Zone::parse("*.example. TXT \"v=spf1\" \" -all\"")?;
/// let response = zone.lookup(&Question::txt("mail.example".parse()?));
/// assert!(response.texts().any(|txt| txt.joined() == b"v=spf1 -all"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Zone {
    limits: ZoneLimits,
    files: Vec<Arc<[u8]>>,
    records: Vec<Record>,
    /// The names that own something, ordered so that what is below a name follows it.
    nodes: BTreeMap<TreeKey, Node>,
    /// The names that have an NXDOMAIN line.
    denied: BTreeSet<TreeKey>,
}

/// A record (RFC 1035 3.2) and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The owner.
    pub name: Name,
    /// In seconds.
    pub ttl: u32,
    /// The data, and with it the type.
    pub data: Data,
    /// Where the record begins: its owner, or its first word if the owner is not repeated.
    pub place: Place,
    /// Where the data begins.
    pub data_place: Place,
    file: usize,
    data_at: Position,
}

impl Zone {
    /// A zone without a name in it.
    pub fn new() -> Zone {
        Zone::default()
    }

    /// As [`Zone::new`], with the limits named.
    pub fn with_limits(limits: ZoneLimits) -> Zone {
        Zone { limits, ..Zone::default() }
    }

    /// A zone of this text; names without a trailing dot count as absolute.
    ///
    /// # Errors
    /// As [`Zone::read`].
    pub fn parse(text: &str) -> Result<Zone, ZoneError> {
        let mut zone = Zone::new();
        zone.read("zone", text.as_bytes(), Some(&Name::root()))?;
        Ok(zone)
    }

    /// Adds the records of a master file (RFC 1035 5).
    ///
    /// `origin` completes the names without a trailing dot until the file has an `$ORIGIN`; with
    /// none such a name is an error. `$INCLUDE` is not followed: read both files.
    ///
    /// # Errors
    /// All errors of the file. The entries without an error are in the zone all the same, so that
    /// a checker can go on; RFC 1035 5.2 wants everyone else to stop here.
    pub fn read(
        &mut self,
        file_name: &str,
        octets: &[u8],
        origin: Option<&Name>,
    ) -> Result<(), ZoneError> {
        let name: Arc<str> = file_name.into();
        let mut reader = Reader::new(Arc::clone(&name), octets, origin, self.limits);
        let file = self.files.len();
        if octets.len() <= self.limits.file_octets {
            self.files.push(octets.into());
        }
        while let Some(entry) = reader.entry() {
            let at = entry.at;
            if let Err(kind) = self.add(entry, file, &name, octets) {
                reader.report(Problem { kind, at, length: 0 });
            }
        }
        reader.finish()
    }

    fn add(
        &mut self,
        entry: Entry,
        file: usize,
        file_name: &Arc<str>,
        octets: &[u8],
    ) -> Result<(), Kind> {
        let key = TreeKey::of(&entry.name);
        match entry.content {
            Content::Question { .. } => Ok(()),
            Content::Scripted(None, Response::NxDomain) => {
                if self.nodes.contains_key(&key) {
                    return Err(Kind::Contradiction);
                }
                self.denied.insert(key);
                Ok(())
            }
            _ if self.denied.contains(&key) => Err(Kind::Contradiction),
            Content::Unread => {
                self.nodes.entry(key).or_default();
                Ok(())
            }
            Content::Scripted(rtype, response) => {
                self.nodes.entry(key).or_default().script(rtype, response)
            }
            Content::Record { data, ttl, data_at } => {
                let node = self.nodes.entry(key).or_default();
                node.add(&data, &self.records, self.records.len())?;
                self.records.push(Record {
                    name: entry.name,
                    ttl,
                    data,
                    place: entry.at.place(file_name, octets),
                    data_place: data_at.place(file_name, octets),
                    file,
                    data_at,
                });
                Ok(())
            }
        }
    }

    /// Every record, in the order read.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The response to `question`.
    pub fn lookup(&self, question: &Question) -> Response {
        let answer = match self.answer(question) {
            Ok(answer) => answer,
            Err(response) => return response,
        };
        let mut seen = HashSet::new();
        // RFC 2181 5: an RRSet has no record twice. 5.2: differing TTLs count as the lowest.
        let records = answer.set.iter().filter_map(|&index| self.records.get(index));
        let ttl = records.clone().map(|record| record.ttl).fold(answer.ttl, u32::min);
        Response::Records(RecordSet {
            records: records
                .map(|record| &record.data)
                .filter(|data| seen.insert(*data))
                .cloned()
                .collect(),
            ttl,
            aliases: answer.aliases,
            authenticated: false,
        })
    }

    /// The records that answer `question`, with their places; none where there is no record.
    /// They are those of [`Zone::lookup`] in the same order, repeated ones included.
    pub fn records_of(&self, question: &Question) -> Vec<&Record> {
        self.answer(question).map_or_else(
            |_| Vec::new(),
            |answer| answer.set.iter().filter_map(|&index| self.records.get(index)).collect(),
        )
    }

    /// Calls `function` until it has an outcome, the zone answering ([`resolve_blocking`]).
    pub fn resolve<T>(&self, function: impl FnMut(&Answers) -> Result<T, Missing>) -> T {
        resolve_blocking(|question| self.lookup(question), function)
    }

    /// Where in its file the octet `index` of a text record stands, counted as [`crate::Txt::joined`]
    /// counts; for the end of the text the place after its last octet. `None` for other records
    /// and beyond the end.
    pub fn place_of_octet(&self, record: &Record, index: usize) -> Option<Place> {
        let (Data::Txt(_) | Data::Other(RecordType::Spf, _)) = record.data else {
            return None;
        };
        let octets = self.files.get(record.file)?;
        let position = position_of_octet(octets, record.data_at, index)?;
        Some(position.place(&record.place.file, octets))
    }

    /// The line of the file a place is in, without its end, for a caret to be put under it.
    pub fn line(&self, record: &Record, place: &Place) -> Option<&[u8]> {
        let octets = self.files.get(record.file)?;
        let (before, after) = octets.split_at_checked(place.offset)?;
        let start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
        let end = place.offset + memchr::memchr(b'\n', after).unwrap_or(after.len());
        let line = octets.get(start..end)?;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// RFC 1034 4.3.2, as far as it concerns who has all zones at hand.
    fn answer(&self, question: &Question) -> Result<Answer<'_>, Response> {
        let mut aliases: Vec<Name> = Vec::new();
        let mut ttl = u32::MAX;
        loop {
            let name = aliases.last().unwrap_or(&question.name);
            let node = self.node(name).ok_or(Response::NxDomain)?;
            match (node.sets.get(&question.rtype), node.sets.get(&RecordType::Cname)) {
                (Some(Set::Records(set)), _) => return Ok(Answer { set, aliases, ttl }),
                (Some(Set::Scripted(response)), _) => return Err(response.clone()),
                (None, Some(Set::Records(set))) => {
                    let alias = set.first().and_then(|&index| self.records.get(index));
                    let Some(Record { data: Data::Cname(target), ttl: alias_ttl, .. }) = alias
                    else {
                        return Err(Response::NoData);
                    };
                    let is_loop = *target == question.name || aliases.contains(target);
                    if is_loop || aliases.len() >= self.limits.aliases {
                        return Err(Response::Failure(Failure::ServFail));
                    }
                    ttl = ttl.min(*alias_ttl);
                    aliases.push(target.clone());
                }
                (None, _) => return Err(node.otherwise.clone().unwrap_or(Response::NoData)),
            }
        }
    }

    /// The node of `name`: its own, or the wildcard's that stands for it (RFC 4592 3.3.1).
    fn node(&self, name: &Name) -> Option<&Node> {
        let key = TreeKey::of(name);
        if self.denied.contains(&key) {
            return None;
        }
        let existing = self.existing(&key);
        if existing.is_some() {
            return existing;
        }
        let mut encloser = key;
        while encloser.pop_label() {
            if self.denied.contains(&encloser) {
                return None;
            }
            if encloser.is_root() || self.existing(&encloser).is_some() {
                // RFC 4592 3.3.1: "The closest encloser is the node in the zone's tree of existing
                // domain names that has the most labels matching the query name".
                encloser.push_label(b"*");
                return if self.denied.contains(&encloser) {
                    None
                } else {
                    self.existing(&encloser)
                };
            }
        }
        None
    }

    /// The node, if the name exists: RFC 4592 2.2.3: "own at least one RRSet and/or have
    /// descendants that collectively own at least one RRSet".
    fn existing(&self, key: &TreeKey) -> Option<&Node> {
        let from = (Bound::Included(key), Bound::Unbounded);
        let (first, node) = self.nodes.range::<TreeKey, _>(from).next()?;
        if first == key {
            return Some(node);
        }
        first.is_below(key).then_some(&EMPTY_NODE)
    }
}

impl Resolver for Zone {
    async fn lookup(&self, question: &Question) -> Response {
        Zone::lookup(self, question)
    }
}

struct Answer<'a> {
    set: &'a [usize],
    aliases: Vec<Name>,
    /// The lowest of the aliases.
    ttl: u32,
}

/// Reads the data at `data_at` again, up to the octet `index` of its joined character-strings.
fn position_of_octet(octets: &[u8], data_at: Position, index: usize) -> Option<Position> {
    let mut lexer = Lexer::from(octets, data_at);
    let mut passed = 0;
    let mut end = None;
    while let Ok(Some(word)) = lexer.word() {
        if is_generic(&word) {
            return Some(data_at);
        }
        let mut rest = word.raw;
        while let Ok(Some(unit)) = word.unit(rest) {
            if passed == index {
                return Some(word.at.advanced(word.raw.len() - rest.len()));
            }
            passed += 1;
            rest = unit.rest;
        }
        end = Some(word.at.advanced(word.raw.len()));
    }
    end.filter(|_| passed == index)
}
