//! What the MTA says about a client and its message before the body.

use std::net::IpAddr;
use std::sync::Arc;

use mailproof::Envelope;
use mailproof::message::{AddressList, Header, HeaderBuilder, Limits};
use mailproof_milter::{Connection, Event, HeaderField, Macros};
use tokio::time::Instant;

use crate::decide::Client;
use crate::run::ahead::Ahead;
use crate::run::connection::{Broken, Wire};
use crate::run::state::{State, now};
use crate::settings::Role;

/// The client of the MTA.
#[derive(Debug, Default)]
pub(crate) struct Sender {
    ip: Option<IpAddr>,
    name: Option<String>,
    helo: String,
}

/// A message whose header is coming.
pub(crate) struct Arriving {
    /// What holds for this message, whatever is reloaded meanwhile.
    pub(crate) state: Arc<State>,
    pub(crate) ip: Option<IpAddr>,
    pub(crate) name: Option<String>,
    pub(crate) helo: String,
    pub(crate) mail_from: String,
    pub(crate) recipients: Vec<String>,
    pub(crate) header: HeaderBuilder,
    pub(crate) is_too_large: bool,
    /// When it must be there.
    pub(crate) deadline: Instant,
    /// What the DNS says meanwhile.
    pub(crate) ahead: Ahead,
    /// Whether it has said all that can be asked before the header.
    is_foreseen: bool,
}

impl Sender {
    /// Takes what is said of the client.
    pub(crate) fn take(&mut self, event: &Event<'_>) {
        match event {
            Event::Connect(Connection { host, peer }) => {
                let name = text(host);
                let known = !name.starts_with('[') && name != "unknown" && !name.is_empty();
                *self = Sender { ip: peer.ip(), name: known.then_some(name), helo: String::new() };
            }
            Event::Helo(name) => self.helo = text(name),
            Event::QuitNewConnection => *self = Sender::default(),
            _ => {}
        }
    }

    /// A message of this client begins.
    pub(crate) fn message(&self, state: Arc<State>, mail_from: &[u8]) -> Arriving {
        let limits = &state.config.settings.limits;
        let header = HeaderBuilder::new(Limits {
            section: limits.header_octets,
            field: limits.header_octets,
            fields: limits.header_fields,
            ..Limits::default()
        });
        Arriving {
            ip: self.ip,
            name: self.name.clone(),
            helo: self.helo.clone(),
            mail_from: text(mail_from),
            recipients: Vec::new(),
            header,
            is_too_large: false,
            deadline: Instant::now() + limits.message_time.into(),
            ahead: Ahead::new(state.dns().clone()),
            is_foreseen: false,
            state,
        }
    }
}

impl Arriving {
    pub(crate) fn recipient(&mut self, address: &[u8]) {
        if self.recipients.len() < self.state.config.settings.limits.recipients {
            self.recipients.push(text(address));
        }
    }

    pub(crate) fn field(&mut self, field: &HeaderField<'_>, leading_space: bool) {
        let pushed = if leading_space {
            self.header.push(field.name, field.value)
        } else {
            self.header.push(field.name, &[b" ", field.value].concat())
        };
        self.is_too_large |= pushed.is_err();
    }

    /// Waits for the MTA. Meanwhile the DNS is asked about the client and the sender, if the message
    /// may come to be verified; what is there already is taken before anything is asked.
    pub(crate) async fn more(&mut self, wire: &mut Wire, roles: &[Role]) -> Result<bool, Broken> {
        let (deadline, macros) = (Some(self.deadline), wire.session.macros());
        let may_verify = |client: &Client<'_>| self.state.config.may_verify(roles, client);
        let (Some(ip), false) = (self.ip, self.is_foreseen) else {
            return wire.more(deadline).await;
        };
        if !self.with_client(macros, may_verify) {
            self.is_foreseen = true;
            return wire.more(deadline).await;
        }
        let receiver = self.state.receiver(mta(macros));
        let Arriving { ahead, helo, mail_from, is_foreseen, .. } = self;
        let (envelope, now) = (Envelope { ip, helo, mail_from }, now());
        // A flush that is broken off would send twice.
        wire.flush().await?;
        tokio::select! {
            biased;
            more = wire.more(deadline) => return more,
            () = ahead.run(|answers| receiver.foresee(&envelope, now, answers)) => {
                *is_foreseen = true;
            }
        }
        wire.more(deadline).await
    }

    /// What SPF is about; `None` for mail of this host, which has no client.
    pub(crate) fn envelope(&self) -> Option<Envelope<'_>> {
        let ip = self.ip?;
        Some(Envelope { ip, helo: &self.helo, mail_from: &self.mail_from })
    }

    /// What decides whether it is signed or verified.
    pub(crate) fn with_client<T>(&self, macros: &Macros, f: impl FnOnce(&Client<'_>) -> T) -> T {
        let value = |name: &str| macros.get(name).and_then(|value| std::str::from_utf8(value).ok());
        let rules = self.state.config.settings.sign.macros.iter();
        let asked: Vec<(&str, &str)> =
            rules.filter_map(|rule| Some((rule.name.as_str(), value(&rule.name)?))).collect();
        f(&Client {
            ip: self.ip,
            name: self.name.as_deref(),
            authenticated: macros.get("auth_type").is_some_and(|value| !value.is_empty()),
            mta_name: value("daemon_name"),
            macros: &asked,
        })
    }
}

/// The author as `user@domain`: the first mailbox of From, as OpenDKIM has it.
pub(crate) fn author(header: &Header) -> Option<String> {
    let field = header.named("From").next()?;
    let value = field.value();
    let list = AddressList::parse(value, &Limits::default()).ok()?;
    let mailbox = list.mailboxes.into_iter().next()?;
    let local_part = value.get(mailbox.local_part)?;
    Some(format!("{}@{}", text(local_part), mailbox.domain.name().ok()?))
}

/// The name of the MTA.
pub(crate) fn mta(macros: &Macros) -> Option<&str> {
    macros.get("j").and_then(|name| std::str::from_utf8(name).ok())
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}
