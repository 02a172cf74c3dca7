//! What a name server's message says, and that no octets are too hostile to read.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::time::{Duration, Instant};

use mailproof_dns::{
    Data, MessageErrorKind, Mx, Name, Question, RecordSet, RecordType, Reply, Response, Txt,
};
use proptest::collection::vec;
use proptest::prelude::*;

const ID: u16 = 0x0102;
const AD: u16 = 0x0020;
const TC: u16 = 0x0200;

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// A message that is being written, its names compressed wherever they can be.
struct Writer {
    octets: Vec<u8>,
    names: Vec<(Vec<u8>, usize)>,
    counts: [u16; 4],
}

impl Writer {
    /// A message with this question, which `flags` are added to.
    fn answer(question: &Question, flags: u16) -> Writer {
        let mut writer = Writer { octets: vec![0; 12], names: Vec::new(), counts: [1, 0, 0, 0] };
        writer.octets[..2].copy_from_slice(&ID.to_be_bytes());
        writer.octets[2..4].copy_from_slice(&(0x8180 | flags).to_be_bytes());
        writer.name(&question.name);
        writer.number(question.rtype.code());
        writer.number(1);
        writer
    }

    fn number(&mut self, number: u16) {
        self.octets.extend(number.to_be_bytes());
    }

    fn name(&mut self, name: &Name) {
        let mut name = Some(name.clone());
        while let Some(rest) = name.filter(|name| *name != Name::root()) {
            let key: Vec<u8> = rest.to_string().into_bytes();
            if let Some((_, at)) = self.names.iter().find(|(known, _)| *known == key) {
                return self.number(0xc000 | u16::try_from(*at).unwrap());
            }
            if self.octets.len() < 0x4000 {
                self.names.push((key, self.octets.len()));
            }
            let label = rest.labels().next().unwrap();
            self.octets.push(u8::try_from(label.len()).unwrap());
            // Who answers may write it as he likes.
            self.octets.extend(label.to_ascii_uppercase());
            name = rest.parent();
        }
        self.octets.push(0);
    }

    /// A record in a section: 1 the answer, 2 the authority, 3 the additional one.
    fn record(&mut self, section: usize, owner: &Name, ttl: u32, data: &Data) -> &mut Writer {
        self.raw(section, owner, data.rtype().code(), 1, ttl, |writer| match data {
            Data::A(address) => writer.octets.extend(address.octets()),
            Data::Aaaa(address) => writer.octets.extend(address.octets()),
            Data::Cname(name) | Data::Ns(name) | Data::Ptr(name) => writer.name(name),
            Data::Mx(mx) => {
                writer.number(mx.preference);
                writer.name(&mx.exchange);
            }
            Data::Txt(txt) => writer.octets.extend(txt.to_wire()),
            Data::Other(_, octets) => writer.octets.extend(octets),
            _ => unreachable!(),
        })
    }

    fn raw(
        &mut self,
        section: usize,
        owner: &Name,
        code: u16,
        class: u16,
        ttl: u32,
        data: impl FnOnce(&mut Writer),
    ) -> &mut Writer {
        self.counts[section] += 1;
        self.name(owner);
        self.number(code);
        self.number(class);
        self.octets.extend(ttl.to_be_bytes());
        let at = self.octets.len();
        self.number(0);
        data(self);
        let length = u16::try_from(self.octets.len() - at - 2).unwrap();
        self.octets[at..at + 2].copy_from_slice(&length.to_be_bytes());
        self
    }

    fn soa(&mut self, zone: &str, ttl: u32, minimum: u32) -> &mut Writer {
        self.raw(2, &name(zone), RecordType::Soa.code(), 1, ttl, |writer| {
            writer.name(&name(zone));
            writer.name(&name("host.example"));
            writer.octets.extend([1, 2, 3, 4, minimum].map(u32::to_be_bytes).concat());
        })
    }

    fn octets(&mut self) -> Vec<u8> {
        for (index, count) in self.counts.iter().enumerate() {
            let at = 4 + 2 * index;
            self.octets[at..at + 2].copy_from_slice(&count.to_be_bytes());
        }
        self.octets.clone()
    }

    fn read(&mut self, question: &Question) -> Reply {
        Reply::read(&self.octets(), ID, question).unwrap()
    }
}

fn txt() -> Question {
    Question::txt(name("a.example"))
}

fn says(response: Response, ttl: Option<u32>) -> Reply {
    Reply::Response { response, ttl }
}

#[test]
fn records_behind_aliases() {
    let question = txt();
    let mut writer = Writer::answer(&question, AD);
    // Not in order, with a record of a stranger between.
    writer
        .record(1, &name("b.example"), 30, &Data::Cname(name("c.a.example")))
        .record(1, &name("a.example"), 60, &Data::Cname(name("b.example")))
        .record(1, &name("stranger.example"), 1, &Data::txt("no"))
        .record(1, &name("c.a.example"), 90, &Data::txt("yes"))
        .record(1, &name("c.a.example"), 45, &Data::A([192, 0, 2, 1].into()));
    let set = RecordSet {
        records: vec![Data::txt("yes")],
        ttl: 30,
        aliases: vec![name("b.example"), name("c.a.example")],
        authenticated: true,
    };
    assert_eq!(writer.read(&question), says(Response::Records(set), Some(30)));
    let alias = Question::new(name("a.example"), RecordType::Cname);
    let mut writer = Writer::answer(&alias, 0);
    writer.record(1, &name("a.example"), 60, &Data::Cname(name("b.example")));
    let Reply::Response { response, .. } = writer.read(&alias) else { panic!("{alias}") };
    assert_eq!(response.data(), [Data::Cname(name("b.example"))]);
}

#[test]
fn absence_is_told_by_rcode_and_soa() {
    let question = txt();
    let alias = Data::Cname(name("b.other"));
    // RFC 2308 5: the lower of minimum and TTL.
    let reply = Writer::answer(&question, 3).soa("example", 60, 90).read(&question);
    assert_eq!(reply, says(Response::NxDomain, Some(60)));
    let reply = Writer::answer(&question, 0).soa("example", 90, 60).read(&question);
    assert_eq!(reply, says(Response::NoData, Some(60)));
    assert_eq!(Writer::answer(&question, 3).read(&question), says(Response::NxDomain, None));
    assert_eq!(Writer::answer(&question, 0).read(&question), says(Response::NoData, None));
    // The end of an alias, and its TTL.
    let owner = name("a.example");
    let mut answer = Writer::answer(&question, 3);
    let reply = answer.record(1, &owner, 7, &alias).soa("other", 60, 60).read(&question);
    assert_eq!(reply, says(Response::NxDomain, Some(7)));
    let mut answer = Writer::answer(&question, 0);
    let reply = answer.record(1, &owner, 7, &alias).soa("other", 60, 60).read(&question);
    assert_eq!(reply, says(Response::NoData, Some(7)));
}

#[test]
fn what_does_not_tell() {
    let question = txt();
    let owner = name("a.example");
    let alias = Data::Cname(name("b.other"));
    let ns = Data::Ns(name("ns.example"));
    let opt = |upper: u32| {
        let mut writer = Writer::answer(&question, 0);
        writer.raw(3, &Name::root(), 41, 1232, upper << 24, |_| {});
        writer.read(&question)
    };
    // An alias that nobody followed, a zone that is not that of its end, a referral, a
    // contradiction, an RCODE of more than four bits.
    for reply in [
        Writer::answer(&question, 0).record(1, &owner, 7, &alias).read(&question),
        Writer::answer(&question, 0)
            .record(1, &owner, 7, &alias)
            .soa("example", 60, 60)
            .read(&question),
        Writer::answer(&question, 0).record(2, &name("example"), 7, &ns).read(&question),
        Writer::answer(&question, 3).record(1, &owner, 7, &Data::txt("x")).read(&question),
        Writer::answer(&question, 2).read(&question),
        Writer::answer(&question, 5).read(&question),
        opt(1),
    ] {
        assert_eq!(reply, Reply::Inconclusive);
    }
    assert_eq!(opt(0), says(Response::NoData, None));
    assert_eq!(Writer::answer(&question, TC).read(&question), Reply::Truncated);
    // RFC 1035 4.1.1: FORMERR from who could not read the question.
    let formerr = [1, 2, 0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(Reply::read(&formerr, ID, &question), Ok(Reply::Inconclusive));
}

#[test]
fn loops_and_long_chains_of_aliases_end() {
    let question = txt();
    let mut writer = Writer::answer(&question, 0);
    for (owner, target) in [("a.example", "b.example"), ("b.example", "a.example")] {
        writer.record(1, &name(owner), 7, &Data::Cname(name(target)));
    }
    assert_eq!(writer.read(&question), Reply::Inconclusive);
}

#[test]
fn only_the_answer_to_this_query_is_read() {
    let question = txt();
    let foreign = |message: &[u8], id: u16, question: &Question| {
        Reply::read(message, id, question).unwrap_err().kind == MessageErrorKind::Foreign
    };
    let message = Writer::answer(&question, 0).octets();
    assert!(Reply::read(&message, ID, &question).is_ok());
    assert!(foreign(&message, ID + 1, &question));
    assert!(foreign(&message, ID, &Question::txt(name("b.example"))));
    assert!(foreign(&message, ID, &Question::txt(name("example"))));
    assert!(foreign(&message, ID, &Question::txt(name("a.a.example"))));
    assert!(foreign(&message, ID, &Question::new(name("a.example"), RecordType::A)));
    assert!(foreign(&question.to_message(ID), ID, &question));
    let truncated = Writer::answer(&question, TC).octets();
    assert!(foreign(&truncated, ID, &Question::txt(name("b.example"))));
    let none = [1, 2, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    assert!(Reply::read(&none, ID, &question).is_err());
}

#[test]
fn every_error_has_its_place() {
    let question = Question::new(name("a.example"), RecordType::Mx);
    let kind = |code: u16, class: u16, octets: &[u8]| {
        let mut writer = Writer::answer(&question, 0);
        let owner = name("a.example");
        writer.raw(1, &owner, code, class, 60, |writer| writer.octets.extend(octets));
        let octets = writer.octets();
        let error = Reply::read(&octets, ID, &question).unwrap_err();
        assert!(octets.get(error.span.clone()).is_some(), "{error:?}");
        error.kind
    };
    let (mx, alias) = (RecordType::Mx.code(), RecordType::Cname.code());
    assert_eq!(kind(mx, 1, &[0]), MessageErrorKind::Short);
    assert_eq!(kind(mx, 1, &[0, 1, 1, b'a', 0, 0]), MessageErrorKind::Data);
    assert_eq!(kind(mx, 3, &[0, 1, 0]), MessageErrorKind::Class);
    // A label of an unknown type, a pointer forward, one to itself.
    assert_eq!(kind(alias, 1, &[0x40, 0]), MessageErrorKind::Name);
    assert_eq!(kind(alias, 1, &[0xc1, 0]), MessageErrorKind::Name);
    assert_eq!(kind(alias, 1, &[0xc0, 39]), MessageErrorKind::Name);
    // 8 times 32 octets are more than 255.
    let long = [&[31][..], &[b'x'; 31]].concat().repeat(8);
    assert_eq!(kind(alias, 1, &[&long[..], &[0]].concat()), MessageErrorKind::Name);
    assert_eq!(Reply::read(&[1, 2], ID, &question).unwrap_err().kind, MessageErrorKind::Short);
}

#[test]
fn hostile_pointers_cost_little() {
    // Every record's owner is a chain of pointers, as long as it may be, to the root.
    let question = txt();
    let mut octets = Writer::answer(&question, 0).octets();
    octets.extend([0; 2]);
    for _ in 0..20_000 {
        let last = octets.len() - 2;
        octets.extend((0xc000 | u16::try_from(last & 0x3fff).unwrap()).to_be_bytes());
    }
    let chain = u16::try_from(octets.len() - 2).unwrap_or(0x3ffe) & 0x3fff;
    let mut count: u16 = 0;
    while octets.len() < 65_000 {
        octets.extend((0xc000 | chain).to_be_bytes());
        octets.extend([0, 5, 0, 1, 0, 0, 0, 0, 0, 0]);
        count += 1;
    }
    octets[6..8].copy_from_slice(&count.to_be_bytes());
    let begin = Instant::now();
    let _ = Reply::read(&octets, ID, &question);
    assert!(begin.elapsed() < Duration::from_millis(500), "{:?}", begin.elapsed());
}

fn a_name() -> impl Strategy<Value = Name> {
    let label = prop_oneof!["[a-c]{1,2}".prop_map(String::into_bytes), vec(any::<u8>(), 1..9)];
    vec(label, 0..5).prop_map(|labels| Name::from_labels(labels).unwrap())
}

fn data_of(rtype: RecordType) -> BoxedStrategy<Data> {
    match rtype {
        RecordType::A => any::<[u8; 4]>().prop_map(|octets| Data::A(octets.into())).boxed(),
        RecordType::Aaaa => any::<[u8; 16]>().prop_map(|octets| Data::Aaaa(octets.into())).boxed(),
        RecordType::Cname => a_name().prop_map(Data::Cname).boxed(),
        RecordType::Ns => a_name().prop_map(Data::Ns).boxed(),
        RecordType::Ptr => a_name().prop_map(Data::Ptr).boxed(),
        RecordType::Mx => (any::<u16>(), a_name())
            .prop_map(|(preference, exchange)| Data::Mx(Mx { preference, exchange }))
            .boxed(),
        RecordType::Soa => Just(Data::Other(rtype, vec![0; 22])).boxed(),
        RecordType::Txt => {
            let strings = vec(vec(any::<u8>(), 0..40), 1..4);
            strings.prop_map(|strings| Data::Txt(Txt::from_strings(strings))).boxed()
        }
        _ => vec(any::<u8>(), 0..40).prop_map(move |octets| Data::Other(rtype, octets)).boxed(),
    }
}

/// A question, records that answer it, and the aliases between.
fn an_answer() -> impl Strategy<Value = (Question, RecordSet)> {
    let rtype = proptest::sample::select(RecordType::ALL.to_vec());
    rtype.prop_flat_map(|rtype| {
        let records = vec(data_of(rtype), 1..5);
        let aliases = vec(a_name(), 0..if rtype == RecordType::Cname { 1 } else { 4 });
        (a_name(), records, 0..=0x7fff_ffff_u32, aliases, any::<bool>()).prop_map(
            move |(name, records, ttl, mut aliases, authenticated)| {
                let mut seen = vec![name.clone()];
                aliases.retain(|alias| {
                    let is_new = !seen.contains(alias);
                    seen.push(alias.clone());
                    is_new
                });
                let set = RecordSet { records, ttl, aliases, authenticated };
                (Question::new(name, rtype), set)
            },
        )
    })
}

fn written(question: &Question, set: &RecordSet) -> Vec<u8> {
    let mut writer = Writer::answer(question, if set.authenticated { AD } else { 0 });
    let mut owner = &question.name;
    for target in &set.aliases {
        writer.record(1, owner, set.ttl, &Data::Cname(target.clone()));
        owner = target;
    }
    for data in &set.records {
        writer.record(1, owner, set.ttl, data);
    }
    writer.octets()
}

proptest! {
    #[test]
    fn what_is_written_is_read((question, set) in an_answer()) {
        let reply = Reply::read(&written(&question, &set), ID, &question).unwrap();
        let ttl = Some(set.ttl);
        prop_assert_eq!(reply, Reply::Response { response: Response::Records(set), ttl });
    }

    #[test]
    fn what_is_cut_off_or_changed_is_no_trouble(
        (question, set) in an_answer(),
        at in any::<proptest::sample::Index>(),
        octet in any::<u8>(),
    ) {
        let octets = written(&question, &set);
        let at = at.index(octets.len());
        prop_assert!(Reply::read(&octets[..at], ID, &question).is_err());
        let mut changed = octets;
        changed[at] = octet;
        if let Err(error) = Reply::read(&changed, ID, &question) {
            prop_assert!(changed.get(error.span).is_some());
        }
    }

    #[test]
    fn any_octets_are_read_or_refused(octets in vec(any::<u8>(), 0..200), question in an_answer()) {
        let question = question.0;
        let mut message = question.to_message(ID);
        message[2] |= 0x80;
        message.truncate(message.len() - 11);
        message[6..12].copy_from_slice(&[0, 3, 0, 1, 0, 0]);
        message.extend(octets);
        if let Err(error) = Reply::read(&message, ID, &question) {
            prop_assert!(message.get(error.span).is_some());
        }
    }
}
