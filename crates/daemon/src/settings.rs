//! What a configuration file says: the types of `mailproofd.toml`, with the defaults of what it
//! leaves out. The files of the older daemons are read into the same types.
//!
//! The sample `packaging/mailproofd.toml` explains every key to the administrator.

mod history;
mod log;
mod policy;
mod sign;
mod verify;

use std::net::SocketAddr;
use std::path::PathBuf;

use mailproof_dns_hickory::NameServer;
use serde::{Deserialize, Serialize};

pub use history::History;
pub use log::{Facility, FacilityError, Log, LogFormat, LogTarget};
pub use policy::{
    Action, Dkim, Dmarc, HeaderType, Policy, RejectAt, SpfPolicy, SpfService, TemporaryAction,
};
pub use sign::{Canonicalizations, MacroRule, Seal, Sign, SignKey, SignTable};
pub use verify::Verify;

use crate::value::{Account, Endpoint, FileMode, Item, Seconds, text_forms};

/// Everything that can be set, as it is written.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// The authserv-id (RFC 8601 2.5) of the fields that are added, and of those that are removed
    /// as forged.
    pub authserv_id: AuthservId,
    /// As whom the daemon runs once its sockets are there; without it, as who started it.
    pub user: Option<Account>,
    /// Where the number of the process is written to.
    pub pid_file: Option<PathBuf>,
    /// Do all the work and log it, but change and refuse nothing: to run beside the old daemons.
    pub dry_run: bool,
    /// The hosts whose mail is passed through as it is, also unsigned.
    pub peers: Vec<Item>,
    /// Mail of authors in these domains is passed through as it is.
    pub exempt_domains: Vec<Item>,
    /// Where Postfix connects to, and for what.
    #[serde(rename = "listener")]
    pub listeners: Vec<Listener>,
    /// Which mail is signed, and how.
    pub sign: Sign,
    /// ARC seals (RFC 8617 5.1) for mail that is forwarded; without it, none.
    pub seal: Option<Seal>,
    /// Which mail is verified, and what is added to it.
    pub verify: Verify,
    /// What is done about the results; by default nothing but writing them down.
    pub policy: Policy,
    /// The listeners with the role `policy`: SPF at RCPT TO.
    pub spf_service: SpfService,
    /// Who is asked, and for how long.
    pub dns: Dns,
    /// What connections and messages may cost.
    pub limits: Limits,
    /// Where the log goes, and its form.
    pub log: Log,
    /// What aggregate reports are made of; without it, nothing is kept.
    pub history: Option<History>,
    /// Where metrics and health are served; without it, nowhere.
    pub metrics: Option<Metrics>,
}

/// Whose name stands in the fields that are added.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum AuthservId {
    /// The name that Postfix gives with macro `j`, its `myhostname`; written `MTA`.
    #[default]
    Mta,
    /// The name of this host; written `HOSTNAME`.
    HostName,
    /// This name.
    Name(String),
}

/// A socket that Postfix connects to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Listener {
    /// Where it is.
    pub socket: Endpoint,
    /// What is done for those that connect to it.
    #[serde(default = "Listener::roles")]
    pub roles: Vec<Role>,
    /// The mode of a socket in the file system.
    #[serde(default = "Listener::mode")]
    pub mode: FileMode,
    /// The owner of a socket in the file system; without it, the user of the daemon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Account>,
}

impl Listener {
    fn roles() -> Vec<Role> {
        vec![Role::Sign, Role::Verify]
    }

    fn mode() -> FileMode {
        FileMode(0o660)
    }

    /// A listener for messages, with the defaults.
    pub fn new(socket: Endpoint) -> Listener {
        Listener { socket, roles: Listener::roles(), mode: Listener::mode(), owner: None }
    }

    /// Whether it has this role.
    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

/// What is done for those that connect to a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Milter: messages of this host's own users are signed.
    Sign,
    /// Milter: messages of others are verified.
    Verify,
    /// The policy protocol of Postfix (SMTPD_POLICY_README): SPF at RCPT TO.
    Policy,
    /// Milter: everything is accepted at once. It stands for the second of two old daemons, whose
    /// work is done at the socket of the first.
    Idle,
}

/// Questions to the DNS.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Dns {
    /// Who is asked; without one, those of the system.
    #[serde(with = "text_forms")]
    pub name_servers: Vec<NameServer>,
    /// How long one answer may take.
    pub timeout: Seconds,
    /// How long all answers for one message may take.
    pub message_timeout: Seconds,
}

impl Default for Dns {
    fn default() -> Dns {
        // Local choice: OpenDKIM waits 5 s for an answer; RFC 7208 4.6.4 wants at least 20 s for
        // all of SPF, and Postfix gives up after 300 (milter_content_timeout).
        Dns { name_servers: Vec::new(), timeout: Seconds(5), message_timeout: Seconds(20) }
    }
}

/// What connections and messages may cost. All are local choices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limits {
    /// How many connections are served at a time; the default process limit of Postfix is 100 for
    /// each service.
    pub connections: usize,
    /// How long a connection may say nothing; Postfix waits up to 300 s for its own clients
    /// (smtpd_timeout) with the connection open.
    pub idle: Seconds,
    /// How long one message may take from its first octet to the last.
    pub message_time: Seconds,
    /// How large the header of a message may be, in octets; that of Postfix's
    /// header_size_limit is for one field.
    pub header_octets: usize,
    /// How many fields a header may have.
    pub header_fields: usize,
    /// How many recipients of a message are remembered.
    pub recipients: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 1000,
            idle: Seconds(600),
            message_time: Seconds(3600),
            header_octets: 1 << 20,
            header_fields: 2000,
            recipients: 1000,
        }
    }
}

/// Metrics and health, by HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Metrics {
    /// The address and port, meant to be local.
    pub listen: SocketAddr,
}
