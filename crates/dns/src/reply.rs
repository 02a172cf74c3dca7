//! What a name server's message says about a question (RFC 1035 4.1, RFC 2308).

use crate::message::{HEADER, Header, MAX_TTL, Message, Record, error};
use crate::query::CLASS_IN;
use crate::{
    MessageError, MessageErrorKind, Name, Question, RecordSet, RecordType, Response, ZoneLimits,
};

const TRUNCATED: u16 = 0x0200;
const AUTHENTIC_DATA: u16 = 0x0020;
const RCODE: u16 = 0x000f;
const NO_ERROR: u16 = 0;
const NAME_ERROR: u16 = 3;

/// What a message from a recursive name server says about the question it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Records, NODATA or NXDOMAIN.
    Response {
        /// What is said; never a failure.
        response: Response,
        /// How many seconds it may be kept: the lowest TTL, for absence that of RFC 2308 5; `None`
        /// where that says not to keep it.
        ttl: Option<u32>,
    },
    /// TC is set: the answer is to be asked for over TCP (RFC 7766 5).
    Truncated,
    /// Neither: an RCODE that is a failure, a referral, or an alias that was not followed. Another
    /// name server may know, or the same when it is asked again or for the alias.
    Inconclusive,
}

impl Reply {
    /// Reads the answer to `question`, asked with this `id` ([`Question::to_message`]).
    ///
    /// The time it takes is bounded by the message's length times the number of aliases followed,
    /// [`ZoneLimits::aliases`]; the memory by the data of the records that answer the question.
    ///
    /// # Errors
    /// The message answers something else, or cannot be read.
    pub fn read(message: &[u8], id: u16, question: &Question) -> Result<Reply, MessageError> {
        let message = Message(message);
        let header = Header::read(&message, id)?;
        if header.flags & TRUNCATED != 0 {
            return message.asks(&header, question).map(|_| Reply::Truncated);
        }
        // RFC 1035 4.1.1: who could not read the query cannot repeat it.
        let rcode = header.flags & RCODE;
        if header.counts[0] == 0 && rcode != NO_ERROR && rcode != NAME_ERROR {
            return Ok(Reply::Inconclusive);
        }
        let mut at = message.asks(&header, question)?;
        let [_, answers, authorities, additionals] = header.counts;
        let answers = message.records(answers, &mut at)?;
        let authorities = message.records(authorities, &mut at)?;
        // RFC 6891 6.1.3: the upper eight bits of the RCODE are in the OPT record.
        let is_extended = message.records(additionals, &mut at)?.iter().any(Record::has_rcode);
        if is_extended || ![NO_ERROR, NAME_ERROR].contains(&rcode) {
            return Ok(Reply::Inconclusive);
        }
        if let Some(foreign) = answers.iter().find(|record| record.class != CLASS_IN) {
            return Err(error(MessageErrorKind::Class, foreign.owner..foreign.data.start));
        }
        let is_authentic = header.flags & AUTHENTIC_DATA != 0;
        let Some(set) = message.set(question, &answers, is_authentic)? else {
            return Ok(Reply::Inconclusive);
        };
        match (set.records.is_empty(), rcode) {
            (false, NO_ERROR) => {
                Ok(Reply::Response { ttl: Some(set.ttl), response: Response::Records(set) })
            }
            (false, _) => Ok(Reply::Inconclusive),
            (true, _) => message.absence(question, &set, &authorities, rcode == NAME_ERROR),
        }
    }
}

impl Message<'_> {
    /// The end of the question section, if it holds this question and no other.
    fn asks(&self, header: &Header, question: &Question) -> Result<usize, MessageError> {
        let mut at = HEADER;
        let is_same = header.counts[0] == 1 && self.is(at, &question.name)?;
        self.skip_name(&mut at)?;
        let fields = [self.number(&mut at)?, self.number(&mut at)?];
        if is_same && fields == [question.rtype.code(), CLASS_IN] {
            Ok(at)
        } else {
            Err(error(MessageErrorKind::Foreign, HEADER..at))
        }
    }

    /// The targets of the aliases followed, and the lowest of their TTLs; `None` for too many.
    fn aliases(
        &self,
        question: &Question,
        answers: &[Record],
    ) -> Result<Option<(Vec<Name>, u32)>, MessageError> {
        let (mut aliases, mut ttl) = (Vec::new(), MAX_TTL);
        if question.rtype == RecordType::Cname {
            return Ok(Some((aliases, ttl)));
        }
        loop {
            let owner = aliases.last().unwrap_or(&question.name);
            let Some(alias) = self.find(answers, RecordType::Cname, owner).next() else {
                return Ok(Some((aliases, ttl)));
            };
            let alias = alias?;
            if aliases.len() >= ZoneLimits::default().aliases {
                return Ok(None);
            }
            ttl = ttl.min(alias.seconds());
            aliases.push(self.name_of(&alias.data)?);
        }
    }

    /// What the answer section says: the records at the end of the aliases, or none. `None` for too
    /// many aliases.
    fn set(
        &self,
        question: &Question,
        answers: &[Record],
        authenticated: bool,
    ) -> Result<Option<RecordSet>, MessageError> {
        let Some((aliases, mut ttl)) = self.aliases(question, answers)? else { return Ok(None) };
        let owner = aliases.last().unwrap_or(&question.name);
        let mut records = Vec::new();
        for record in self.find(answers, question.rtype, owner) {
            let record = record?;
            ttl = ttl.min(record.seconds());
            records.push(self.data(question.rtype, &record.data)?);
        }
        Ok(Some(RecordSet { records, ttl, aliases, authenticated }))
    }

    /// Those of the records that are of this type and belong to `owner`.
    fn find<'r>(
        &'r self,
        records: &'r [Record],
        rtype: RecordType,
        owner: &'r Name,
    ) -> impl Iterator<Item = Result<&'r Record, MessageError>> {
        let records = records.iter().filter(move |record| record.code == rtype.code());
        records.filter_map(move |record| match self.is(record.owner, owner) {
            Ok(is) => is.then_some(Ok(record)),
            Err(error) => Some(Err(error)),
        })
    }

    /// Why there are no records: NXDOMAIN, NODATA, or the message does not tell.
    fn absence(
        &self,
        question: &Question,
        set: &RecordSet,
        authorities: &[Record],
        is_name_error: bool,
    ) -> Result<Reply, MessageError> {
        let soa = authorities.iter().find(|record| record.code == RecordType::Soa.code());
        let mut ttl = None;
        let mut zone = None;
        if let Some(soa) = soa {
            let minimum = self.minimum(&soa.data)?;
            // RFC 2308 5: "the minimum of the SOA.MINIMUM field and SOA's TTL".
            ttl = Some(soa.seconds().min(minimum).min(set.ttl));
            zone = Some(self.name(&mut { soa.owner })?);
        }
        if is_name_error {
            return Ok(Reply::Response { response: Response::NxDomain, ttl });
        }
        let is_told = match zone {
            Some(zone) => set.aliases.last().unwrap_or(&question.name).is_at_or_below(&zone),
            // RFC 2308 2.2: a referral has NS records and no SOA; with neither it is NODATA, but
            // after an alias it may be that nobody has looked.
            None => {
                let is_ns = |record: &Record| record.code == RecordType::Ns.code();
                set.aliases.is_empty() && !authorities.iter().any(is_ns)
            }
        };
        if is_told {
            Ok(Reply::Response { response: Response::NoData, ttl })
        } else {
            Ok(Reply::Inconclusive)
        }
    }
}
