//! Carrying a rotation on.

use std::path::Path;

use mailproof_cli::dns_source::Source;
use mailproof_cli::exit::{Exit, Trouble};
use mailproof_cli::instant::Instant;
use mailproof_cli::key_file::KeyFile;
use mailproof_cli::new_files::NewFiles;
use mailproof_cli::output::remark;
use mailproof_dkim::{KeyRecord, KeyType};
use mailproof_dns::{Question, Response};
use mailproof_keygen::{
    Form, KeyCheck, KeyFormat, KeyPair, KeySpec, KeyText, Owner, Pace, Progress, PublicationResult,
    Record, RecordData, Step, Tags, Update,
};

use super::Arguments;
use super::begin::begin;
use super::files;
use super::place::Place;
use super::server::Server;
use super::state::{Key, State};
use crate::generate::shown;

/// RFC 8301 3.2: "Signers SHOULD use RSA keys of at least 2048 bits."
const ADVISED_BITS: usize = 2048;

/// A rotation and what it is carried on with.
pub(super) struct Carrier<'a> {
    arguments: &'a Arguments,
    pub(super) now: Instant,
    place: Place<'a>,
    server: Option<Server>,
    pub(super) state: State,
}

/// Why a rotation goes no further for now.
#[derive(Debug)]
pub(super) enum Halt {
    /// Every step is taken.
    Complete,
    /// The next step is for later.
    Waits,
    /// The next step is due, and --apply was not given.
    Plan,
    /// This record is to be published, and it is not seen yet.
    Publish { record: Box<Record>, sent: bool },
    /// The signer is to be changed by hand.
    SwitchByHand,
    /// Something is not as the plan needs it.
    Fault(String),
    /// The DNS gave no answer.
    Unknown(String),
}

impl Halt {
    pub(super) fn exit(&self) -> Exit {
        match self {
            Halt::Complete
            | Halt::Waits
            | Halt::Plan
            | Halt::Publish { .. }
            | Halt::SwitchByHand => Exit::Good,
            Halt::Fault(_) => Exit::Bad,
            Halt::Unknown(_) => Exit::Temporary,
        }
    }
}

/// What is to be seen of a key in the DNS.
enum Seen {
    /// As it should be.
    Good {
        ttl: u32,
    },
    /// Nothing; of an old key, a record that is not revoked, of this type.
    NotYet(KeyType),
    Halted(Halt),
}

impl<'a> Carrier<'a> {
    /// The rotation under way, or a new one.
    pub(super) fn new(
        arguments: &'a Arguments,
        now: Instant,
        source: &mut Source,
    ) -> Result<Carrier<'a>, Trouble> {
        let place = Place::new(
            arguments.key_table.as_ref(),
            arguments.signing_table.as_ref(),
            arguments.config.as_deref(),
        )?;
        let options = &arguments.update;
        let server = match (&options.update, &options.tsig_key) {
            (Some(address), Some(key)) => {
                Some(Server::new(address.0, key, arguments.dns.query_timeout)?)
            }
            _ => None,
        };
        let (domain, selector) = (&arguments.domain, arguments.selector.as_ref());
        let directory = match &arguments.directory {
            Some(directory) => directory.clone(),
            None => place.directory(domain, selector)?,
        };
        let state = match State::find(&directory, domain, selector)? {
            Some(state) if state.rotation.next().is_some() || !arguments.again => state,
            last => begin(arguments, &place, directory, last, now, source)?,
        };
        Ok(Carrier { arguments, now, place, server, state })
    }

    pub(super) fn pace(&self) -> Pace {
        self.arguments.pace(self.state.ttl)
    }

    /// Takes every step that is due, if it is asked for, and says why it goes no further.
    pub(super) fn carry(&mut self, source: &mut Source) -> Result<Halt, Trouble> {
        while let Some(step) = self.state.rotation.next() {
            match self.state.rotation.progress(step, &self.pace(), self.now.0) {
                Progress::Due => {}
                Progress::Waits(_) | Progress::Done(_) | Progress::Later => return Ok(Halt::Waits),
            }
            let halt = match step {
                Step::Make => self.make()?,
                Step::Publish => self.publish(source)?,
                Step::Switch => self.switch(source)?,
                Step::Revoke => self.revoke(source)?,
                Step::Retire => self.retire()?,
            };
            if let Some(halt) = halt {
                return Ok(halt);
            }
            self.state.rotation.take(step, self.now.0);
            self.state.write()?;
        }
        Ok(Halt::Complete)
    }

    fn make(&self) -> Result<Option<Halt>, Trouble> {
        if !self.arguments.apply {
            return Ok(Some(Halt::Plan));
        }
        // The selector is kept before anything has it.
        self.state.write()?;
        let State { old, new, .. } = &self.state;
        if new.file.exists() {
            // Made by a run that did not come to its end.
            read(&new.file)?;
        } else {
            let pair = KeyPair::generate(self.spec(&read(&old.file)?)?).map_err(usage)?;
            let mut made = NewFiles::default();
            made.add(new.file.clone(), &pair.encode(KeyFormat::Pkcs8).map_err(usage)?)?;
            let text = Form::Bind.print(&[self.record(&pair)?]).map_err(usage)?;
            made.add(new.file.with_extension("txt"), text.as_bytes())?;
            made.keep()?;
        }
        files::own_as(&new.file, &old.file);
        remark("note", format_args!("the new key is {}", shown(&new.file)));
        Ok(None)
    }

    /// A key like the old one.
    fn spec(&self, old: &KeyPair) -> Result<KeySpec, Trouble> {
        match (old.key_type(), self.arguments.bits) {
            (KeyType::Ed25519, None) => Ok(KeySpec::Ed25519),
            (KeyType::Rsa, bits) => {
                Ok(KeySpec::Rsa(bits.unwrap_or_else(|| old.bits().max(ADVISED_BITS))))
            }
            _ => Err(Trouble::Usage("--bits is for RSA keys; the old key is none".to_owned())),
        }
    }

    fn record(&self, pair: &KeyPair) -> Result<Record, Trouble> {
        let hash_algorithms = Some("sha256".parse().map_err(usage)?);
        let text = KeyText::new(&Tags { hash_algorithms, ..Tags::default() }, pair);
        self.record_of(&self.state.new, text)
    }

    fn record_of(&self, key: &Key, text: KeyText) -> Result<Record, Trouble> {
        let domain = self.state.domain.to_string().parse().map_err(usage)?;
        let selector = key.selector.to_string().parse().map_err(usage)?;
        let owner = match &self.arguments.update.update_zone {
            Some(zone) => {
                let zone = zone.to_string().parse().map_err(usage)?;
                Owner::of_key_in(&selector, &domain, &zone).map_err(usage)?
            }
            None => Owner::of_key(&selector, Some(&domain)),
        };
        let mut record = Record::txt(owner, text);
        record.ttl = self.arguments.update.ttl;
        record.is_absolute = true;
        Ok(record)
    }

    fn publish(&mut self, source: &mut Source) -> Result<Option<Halt>, Trouble> {
        let mut seen = self.look_for_new(source)?;
        let mut sent = false;
        if let (Seen::NotYet(_), Some(server), true) = (&seen, &self.server, self.arguments.apply) {
            let record = self.record(&read(&self.state.new.file)?)?;
            if let Some(reason) = self.send(server, &record)? {
                return Ok(Some(Halt::Unknown(reason)));
            }
            sent = true;
            // What the resolver knew is old now.
            *source = Source::new(&self.arguments.dns)?;
            seen = self.look_for_new(source)?;
        }
        match seen {
            Seen::Halted(halt) => Ok(Some(halt)),
            Seen::NotYet(_) => {
                let record = Box::new(self.record(&read(&self.state.new.file)?)?);
                Ok(Some(Halt::Publish { record, sent }))
            }
            Seen::Good { .. } if !self.arguments.apply => Ok(Some(Halt::Plan)),
            Seen::Good { ttl } => {
                self.state.ttl = self.state.ttl.max(ttl);
                remark(
                    "note",
                    format_args!("the record of {} is seen", self.name(&self.state.new)),
                );
                Ok(None)
            }
        }
    }

    fn switch(&mut self, source: &mut Source) -> Result<Option<Halt>, Trouble> {
        match self.look_for_new(source)? {
            Seen::Good { .. } => {}
            Seen::Halted(Halt::Unknown(reason)) => return Ok(Some(Halt::Unknown(reason))),
            Seen::NotYet(_) | Seen::Halted(_) => {
                if self.arguments.apply {
                    self.state.rotation.take_back(Step::Publish);
                    self.state.write()?;
                }
                let name = self.name(&self.state.new);
                let fault = format!("the record at {name}, which was there, is not as it was");
                return Ok(Some(Halt::Fault(fault)));
            }
        }
        match self.place {
            Place::ByHand if !self.arguments.switched => return Ok(Some(Halt::SwitchByHand)),
            _ if !self.arguments.apply => return Ok(Some(Halt::Plan)),
            _ => {}
        }
        for file in self.place.switch(&self.state)? {
            remark("note", format_args!("{} has the new key", shown(Path::new(&file))));
        }
        if !matches!(self.place, Place::ByHand) {
            remark("note", "let the signer read its configuration again (reload it)");
        }
        Ok(None)
    }

    fn revoke(&mut self, source: &mut Source) -> Result<Option<Halt>, Trouble> {
        if self.place.uses_old(&self.state)? {
            let fault = "the signer is set to the old key again: it is not revoked";
            return Ok(Some(Halt::Fault(fault.to_owned())));
        }
        let mut seen = self.look_for_old(source)?;
        let mut sent = false;
        if let (Seen::NotYet(kind), Some(server), true) =
            (&seen, &self.server, self.arguments.apply)
        {
            let record = self.record_of(&self.state.old, KeyText::revoked(*kind))?;
            if let Some(reason) = self.send(server, &record)? {
                return Ok(Some(Halt::Unknown(reason)));
            }
            sent = true;
            *source = Source::new(&self.arguments.dns)?;
            seen = self.look_for_old(source)?;
        }
        match seen {
            Seen::Halted(halt) => Ok(Some(halt)),
            Seen::NotYet(kind) => {
                let record = self.record_of(&self.state.old, KeyText::revoked(kind))?;
                Ok(Some(Halt::Publish { record: Box::new(record), sent }))
            }
            Seen::Good { .. } if !self.arguments.apply => Ok(Some(Halt::Plan)),
            Seen::Good { .. } => {
                remark("note", format_args!("{} is revoked", self.name(&self.state.old)));
                Ok(None)
            }
        }
    }

    fn retire(&self) -> Result<Option<Halt>, Trouble> {
        if !self.arguments.apply {
            return Ok(Some(Halt::Plan));
        }
        for file in self.place.retire(&self.state)? {
            let file = shown(Path::new(&file));
            remark("note", format_args!("{file} has the old key no more"));
        }
        let old = shown(&self.state.old.file);
        remark("note", format_args!("nothing needs {old} any more: it may be deleted"));
        Ok(None)
    }

    /// Where the record of a key is.
    fn name(&self, key: &Key) -> String {
        format!("{}._domainkey.{}", key.selector, self.state.domain)
    }

    fn look_for_new(&self, source: &mut Source) -> Result<Seen, Trouble> {
        let State { domain, new, .. } = &self.state;
        let pair = read(&new.file)?;
        let key = pair.private_key().map_err(usage)?;
        let check = KeyCheck::new(&key, domain.clone(), new.selector.clone()).map_err(usage)?;
        let (publication, answers) = source.resolve(|answers| check.run(answers))?;
        let explained = format!("{}: {}", self.name(new), publication.cause);
        Ok(match publication.result() {
            PublicationResult::Published => {
                Seen::Good { ttl: answers.lookup(check.question()).map_or(0, ttl) }
            }
            PublicationResult::Absent => Seen::NotYet(pair.key_type()),
            PublicationResult::Faulty => Seen::Halted(Halt::Fault(explained)),
            PublicationResult::Unknown => Seen::Halted(Halt::Unknown(explained)),
        })
    }

    /// The private key may be gone already: any record that has a key counts.
    fn look_for_old(&self, source: &mut Source) -> Result<Seen, Trouble> {
        let name = self.name(&self.state.old);
        let question = Question::txt(name.parse().map_err(usage)?);
        let (response, _) = source.resolve(|answers| answers.require(&question).cloned())?;
        if let Some(failure) = response.failure() {
            return Ok(Seen::Halted(Halt::Unknown(format!("{name}: {failure}"))));
        }
        let records = response.texts().map(|text| KeyRecord::parse(text.joined()));
        let mut live = records.flatten().filter(|record| record.public_key.is_some());
        Ok(match live.next() {
            Some(record) => Seen::NotYet(record.key_type),
            None => Seen::Good { ttl: ttl(&response) },
        })
    }

    /// Publishes a record; `Some` says why that may be possible the next time.
    fn send(&self, server: &Server, record: &Record) -> Result<Option<String>, Trouble> {
        let (RecordData::Txt(text), Some(name)) = (&record.data, record.owner.absolute()) else {
            return Ok(None);
        };
        let zone = self.arguments.update.update_zone.as_ref().unwrap_or(&self.state.domain);
        let update = Update {
            zone: zone.clone(),
            name: name.parse().map_err(usage)?,
            ttl: record.ttl,
            strings: text.strings(),
        };
        let trouble = server.update(&update)?;
        if trouble.is_none() {
            remark("note", format_args!("the name server has taken the update of {name}"));
        }
        Ok(trouble)
    }
}

fn ttl(response: &Response) -> u32 {
    match response {
        Response::Records(set) => set.ttl,
        _ => 0,
    }
}

/// The key in a file.
pub(super) fn read(path: &Path) -> Result<KeyPair, Trouble> {
    Ok(KeyFile::read_as(path, KeyPair::parse)?.key)
}

pub(super) fn usage(error: impl std::fmt::Display) -> Trouble {
    Trouble::Usage(error.to_string())
}
