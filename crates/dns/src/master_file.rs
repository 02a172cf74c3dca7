//! The entries of a master file (RFC 1035 5.1).

use std::sync::Arc;

use crate::data::parse_ttl;
use crate::name::Wire;
use crate::token::{Lexer, Position, Problem, Word};
use crate::zone_error::{MasterFileError, MasterFileErrorKind as Kind, ZoneError};
use crate::{Data, Failure, Name, NameError, RecordType, Response, ZoneLimits};

/// The TTL of a record where the file states none at all.
const DEFAULT_TTL: u32 = 3600;

/// Types that IANA has registered and that no mail protocol reads: their data is not looked at.
#[rustfmt::skip]
const OTHER_TYPES: [&str; 74] = [
    "A6", "AFSDB", "AMTRELAY", "APL", "ATMA", "AVC", "BRID", "CAA", "CDNSKEY", "CDS", "CERT",
    "CLA", "CSYNC", "DHCID", "DLV", "DNAME", "DNSKEY", "DOA", "DSYNC", "EID", "EUI48", "EUI64",
    "GPOS", "HHIT", "HINFO", "HIP", "HTTPS", "IPN", "IPSECKEY", "ISDN", "KEY", "KX", "L32", "L64",
    "LOC", "LP", "MB", "MD", "MF", "MG", "MINFO", "MR", "NAPTR", "NID", "NIMLOC", "NINFO", "NSAP",
    "NSAP-PTR", "NSEC", "NSEC3", "NSEC3PARAM", "NULL", "OPENPGPKEY", "PX", "RESINFO", "RKEY",
    "RP", "RRSIG", "RT", "SIG", "SINK", "SMIMEA", "SRV", "SSHFP", "SVCB", "TA", "TALINK", "TKEY",
    "TSIG", "URI", "WALLET", "WKS", "X25", "ZONEMD",
];

/// One entry that says something about a name.
pub(crate) struct Entry {
    pub(crate) name: Name,
    pub(crate) at: Position,
    pub(crate) content: Content,
}

pub(crate) enum Content {
    Record {
        data: Data,
        ttl: u32,
        data_at: Position,
    },
    /// A record of a type that is not kept: the name exists.
    Unread,
    /// Our extension: the answer for one type, or for every type not listed at the name.
    Scripted(Option<RecordType>, Response),
    /// Our extension, in recordings: what follows answers this question.
    Question {
        rtype: RecordType,
        authenticated: bool,
    },
}

/// Whom a line that begins with a blank belongs to.
enum Owner {
    Unstated,
    /// The last owner could not be read, which is reported once.
    Unreadable,
    Name(Name),
}

/// Reads a file entry by entry, and goes on after an error.
pub(crate) struct Reader<'a> {
    octets: &'a [u8],
    file: Arc<str>,
    lexer: Lexer<'a>,
    origin: Option<Name>,
    owner: Owner,
    /// From `$TTL` (RFC 2308 4).
    default_ttl: Option<u32>,
    /// RFC 1035 5.1: the last explicitly stated one.
    last_ttl: Option<u32>,
    limits: ZoneLimits,
    errors: Vec<MasterFileError>,
    omitted: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(
        file: Arc<str>,
        octets: &'a [u8],
        origin: Option<&Name>,
        limits: ZoneLimits,
    ) -> Reader<'a> {
        let lexer = Lexer::new(octets);
        let mut reader = Reader {
            octets,
            file,
            origin: origin.cloned(),
            owner: Owner::Unstated,
            default_ttl: None,
            last_ttl: None,
            limits,
            errors: Vec::new(),
            omitted: 0,
            lexer,
        };
        if octets.len() > limits.file_octets {
            let kind = Kind::FileTooLong { limit: limits.file_octets };
            reader.report(Problem { kind, at: reader.lexer.position(), length: 0 });
            reader.octets = &[];
            reader.lexer = Lexer::new(&[]);
        }
        reader
    }

    /// The next entry that could be read; `None` at the end of the file.
    pub(crate) fn entry(&mut self) -> Option<Entry> {
        while !self.lexer.is_at_end() {
            match self.line() {
                Ok(None) => {}
                Ok(Some(entry)) => return Some(entry),
                Err(problem) => {
                    self.report(problem);
                    self.lexer.skip_entry();
                }
            }
        }
        None
    }

    pub(crate) fn report(&mut self, problem: Problem) {
        if self.errors.len() < self.limits.errors.max(1) {
            self.errors.push(problem.in_file(&self.file, self.octets));
        } else {
            self.omitted += 1;
        }
    }

    /// # Errors
    /// All errors reported.
    pub(crate) fn finish(self) -> Result<(), ZoneError> {
        if self.errors.is_empty() {
            return Ok(());
        }
        Err(ZoneError { errors: self.errors, omitted: self.omitted })
    }

    pub(crate) fn word(&mut self) -> Result<Option<Word<'a>>, Problem> {
        self.lexer.word()
    }

    /// The next word of the entry, which has to have one.
    pub(crate) fn need(&mut self, what: &'static str) -> Result<Word<'a>, Problem> {
        let at = self.lexer.position();
        let kind = Kind::Missing(what);
        self.word()?.ok_or(Problem { kind, at, length: 0 })
    }

    /// The entry has to end here.
    pub(crate) fn end(&mut self) -> Result<(), Problem> {
        match self.word()? {
            None => Ok(()),
            Some(word) => Err(word.problem(Kind::Extra)),
        }
    }

    fn line(&mut self) -> Result<Option<Entry>, Problem> {
        let is_blank = self.lexer.begin_entry();
        let Some(first) = self.word()? else {
            return Ok(None);
        };
        if is_blank {
            let name = match &self.owner {
                Owner::Name(name) => name.clone(),
                Owner::Unstated => return Err(first.problem(Kind::NoOwner)),
                Owner::Unreadable => {
                    self.lexer.skip_entry();
                    return Ok(None);
                }
            };
            return self.record(name, first.at, Some(first)).map(Some);
        }
        if !first.quoted && first.raw.first() == Some(&b'$') {
            return self.control(&first);
        }
        self.owner = Owner::Unreadable;
        let name = self.name(&first)?;
        self.owner = Owner::Name(name.clone());
        let next = self.word()?;
        self.record(name, first.at, next).map(Some)
    }

    fn control(&mut self, control: &Word<'a>) -> Result<Option<Entry>, Problem> {
        if control.is_keyword("$ORIGIN") {
            let word = self.need("the origin")?;
            let origin = self.name(word.bare()?)?;
            self.end()?;
            self.origin = Some(origin);
        } else if control.is_keyword("$TTL") {
            let word = self.need("the TTL")?;
            let ttl = parse_ttl(word.bare()?.raw).ok_or_else(|| word.problem(Kind::Ttl))?;
            self.end()?;
            self.default_ttl = Some(ttl);
        } else if control.is_keyword("$QUESTION") {
            return self.question(control).map(Some);
        } else if control.is_keyword("$INCLUDE") {
            return Err(control.problem(Kind::Include));
        } else {
            return Err(control.problem(Kind::UnknownControl));
        }
        Ok(None)
    }

    /// `$QUESTION name type [AD]`.
    fn question(&mut self, control: &Word<'a>) -> Result<Entry, Problem> {
        let word = self.need("the name")?;
        let name = self.name(&word)?;
        let word = self.need("the record type")?;
        let Some(rtype) = known_type(&word) else {
            return Err(word.problem(Kind::UnknownType));
        };
        let authenticated = match self.word()? {
            Some(word) if word.is_keyword("AD") => {
                self.end()?;
                true
            }
            Some(word) => return Err(word.problem(Kind::Extra)),
            None => false,
        };
        Ok(Entry { name, at: control.at, content: Content::Question { rtype, authenticated } })
    }

    /// RFC 1035 5.1: "[<TTL>] [<class>] <type> <RDATA>" or "[<class>] [<TTL>] <type> <RDATA>".
    fn record(
        &mut self,
        name: Name,
        at: Position,
        mut next: Option<Word<'a>>,
    ) -> Result<Entry, Problem> {
        let (mut ttl, mut has_class) = (None, false);
        let word = loop {
            let Some(word) = next else {
                return Err(Problem { kind: Kind::MissingType, at, length: 0 });
            };
            if ttl.is_none() && word.raw.first().is_some_and(u8::is_ascii_digit) {
                ttl = Some(parse_ttl(word.bare()?.raw).ok_or_else(|| word.problem(Kind::Ttl))?);
            } else if !has_class && is_class(&word)? {
                has_class = true;
            } else {
                break word;
            }
            next = self.word()?;
        };
        self.last_ttl = ttl.or(self.last_ttl);
        let content = self.content(&word, ttl)?;
        Ok(Entry { name, at, content })
    }

    fn content(&mut self, word: &Word<'a>, ttl: Option<u32>) -> Result<Content, Problem> {
        if let Some(response) = scripted(word) {
            self.end()?;
            return Ok(Content::Scripted(None, response));
        }
        let Some(rtype) = known_type(word) else {
            if type_number(word).is_none() && !OTHER_TYPES.iter().any(|t| word.is_keyword(t)) {
                return Err(word.problem(Kind::UnknownType));
            }
            while self.word()?.is_some() {}
            return Ok(Content::Unread);
        };
        let first = self.need("the data")?;
        if let Some(response) = scripted(&first) {
            self.end()?;
            return Ok(Content::Scripted(Some(rtype), response));
        }
        let data = self.data(rtype, first)?;
        let ttl = ttl.or(self.default_ttl).or(self.last_ttl).unwrap_or(DEFAULT_TTL);
        Ok(Content::Record { data, ttl, data_at: first.start })
    }

    /// A domain name (RFC 1035 5.1), completed with the origin where it is relative.
    pub(crate) fn name(&self, word: &Word<'a>) -> Result<Name, Problem> {
        if !word.quoted && word.raw == b"@" {
            return self.origin.clone().ok_or_else(|| word.problem(Kind::NoOrigin));
        }
        if word.raw == b"." {
            return Ok(Name::root());
        }
        if !word.raw.is_ascii() {
            let text = std::str::from_utf8(word.raw).ok();
            let a_labels = text.and_then(|text| text.parse().ok());
            return Err(word.problem(Kind::NonAsciiName { a_labels }));
        }
        if word.raw.is_empty() {
            return Err(word.problem(Kind::Name(NameError::Empty)));
        }
        let (mut wire, is_absolute) = labels(word)?;
        if !is_absolute {
            let origin = self.origin.as_ref().ok_or_else(|| word.problem(Kind::NoOrigin))?;
            for label in origin.labels() {
                wire.push(label).map_err(|error| word.problem(Kind::Name(error)))?;
            }
        }
        Ok(wire.name())
    }
}

/// The labels of a name that is not the root, and whether it ends in a dot.
fn labels(word: &Word<'_>) -> Result<(Wire, bool), Problem> {
    let mut wire = Wire::new();
    let mut label = Vec::with_capacity(64);
    let mut rest = word.raw;
    let mut is_absolute = false;
    while let Some(unit) = word.unit(rest)? {
        rest = unit.rest;
        is_absolute = unit.octet == b'.' && !unit.escaped;
        if is_absolute {
            wire.push(&label).map_err(|error| word.problem(Kind::Name(error)))?;
            label.clear();
        } else {
            label.push(unit.octet);
        }
    }
    if !is_absolute {
        wire.push(&label).map_err(|error| word.problem(Kind::Name(error)))?;
    }
    Ok((wire, is_absolute))
}

/// Whether the word is the class IN.
fn is_class(word: &Word<'_>) -> Result<bool, Problem> {
    if word.is_keyword("IN") || word.is_keyword("CLASS1") {
        return Ok(true);
    }
    let other = ["CH", "CS", "HS", "ANY"].iter().any(|class| word.is_keyword(class));
    if other || numbered(word, "CLASS").is_some() {
        return Err(word.problem(Kind::Class));
    }
    Ok(false)
}

/// The number of `TYPE65` or `CLASS3` (RFC 3597 5).
fn numbered(word: &Word<'_>, keyword: &str) -> Option<u16> {
    let text = std::str::from_utf8(word.raw).ok().filter(|_| !word.quoted)?;
    let (start, number) = text.split_at_checked(keyword.len())?;
    let is_number = number.bytes().all(|octet| octet.is_ascii_digit());
    (start.eq_ignore_ascii_case(keyword) && is_number).then(|| number.parse().ok()).flatten()
}

fn type_number(word: &Word<'_>) -> Option<u16> {
    numbered(word, "TYPE")
}

fn known_type(word: &Word<'_>) -> Option<RecordType> {
    if let Some(number) = type_number(word) {
        return RecordType::ALL.into_iter().find(|rtype| rtype.code() == number);
    }
    RecordType::ALL.into_iter().find(|rtype| word.is_keyword(rtype.keyword()))
}

/// Our extension. Capitals only, so that a host called `timeout` can be a target.
fn scripted(word: &Word<'_>) -> Option<Response> {
    match word.raw {
        _ if word.quoted => None,
        b"NODATA" => Some(Response::NoData),
        b"NXDOMAIN" => Some(Response::NxDomain),
        b"SERVFAIL" => Some(Response::Failure(Failure::ServFail)),
        b"TIMEOUT" => Some(Response::Failure(Failure::Timeout)),
        _ => None,
    }
}
