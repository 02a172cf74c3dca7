//! Macros: what the MTA tells beside the commands, and how long it holds.

use crate::limits::Limits;
use crate::packet::MacroPacket;

/// What a set of macros belongs to, in the order of a session (SMFIM_…).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MacroStage {
    /// The connection, until it ends.
    Connect,
    /// HELO or EHLO, until the next.
    Helo,
    /// MAIL FROM, until the message ends, as all that follow.
    Mail,
    /// One recipient.
    Rcpt,
    /// DATA.
    Data,
    /// The end of the header, and its fields.
    EndOfHeaders,
    /// The end of the message, and its body.
    EndOfMessage,
}

impl MacroStage {
    /// All of them, in order.
    pub const ALL: [MacroStage; 7] = [
        MacroStage::Connect,
        MacroStage::Helo,
        MacroStage::Mail,
        MacroStage::Rcpt,
        MacroStage::Data,
        MacroStage::EndOfHeaders,
        MacroStage::EndOfMessage,
    ];

    pub(crate) fn of(command: u8) -> Option<MacroStage> {
        Some(match command {
            b'C' => MacroStage::Connect,
            b'H' => MacroStage::Helo,
            b'M' => MacroStage::Mail,
            b'R' => MacroStage::Rcpt,
            b'T' => MacroStage::Data,
            // Postfix also says those of the end with each piece: with version 2, which has no DATA,
            // the queue id comes first with a header field. Case: version-2.
            b'L' | b'N' => MacroStage::EndOfHeaders,
            b'B' | b'E' => MacroStage::EndOfMessage,
            _ => return None,
        })
    }

    /// The number by which SMFIF_SETSYMLIST knows it.
    pub fn number(self) -> u32 {
        match self {
            MacroStage::Connect => 0,
            MacroStage::Helo => 1,
            MacroStage::Mail => 2,
            MacroStage::Rcpt => 3,
            MacroStage::Data => 4,
            MacroStage::EndOfMessage => 5,
            MacroStage::EndOfHeaders => 6,
        }
    }
}

/// The macros that hold at this moment.
///
/// Postfix says `j`, `{daemon_name}` and `{auth_type}` once, when they become known; they hold until
/// what they belong to ends: those of the connection for all of its messages, those of MAIL for the
/// message, those of RCPT until the next recipient. A command ends what later stages have said.
#[derive(Debug, Clone, Default)]
pub struct Macros {
    sets: [Set; 7],
}

#[derive(Debug, Clone, Default)]
struct Set {
    pairs: Vec<u8>,
    /// The packet they came for has not come yet.
    announced: bool,
}

impl Macros {
    /// The value of a macro, from the latest stage that has it. `{name}` and `name` are the same.
    ///
    /// ```
    /// # use mailproof_milter::Macros;
    /// # let macros = Macros::default();
    /// let queue_id: Option<&[u8]> = macros.get("i");
    /// let authenticated: bool = macros.get("{auth_type}").is_some_and(|it| !it.is_empty());
    /// ```
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        let name = bare(name.as_bytes());
        let mut latest_first = self.sets.iter().rev();
        latest_first
            .find_map(|set| Pairs::new(&set.pairs).find(|it| bare(it.0) == name))
            .map(|it| it.1)
    }

    /// All that hold, with their stage, in the order they came in.
    pub fn iter(&self) -> impl Iterator<Item = (MacroStage, &[u8], &[u8])> {
        MacroStage::ALL.into_iter().zip(&self.sets).flat_map(|(stage, set)| {
            Pairs::new(&set.pairs).map(move |(name, value)| (stage, name, value))
        })
    }

    /// Remembers the macros of a packet; `false` if they are beyond the limit.
    pub(crate) fn remember(&mut self, packet: &MacroPacket<'_>, limits: &Limits) -> bool {
        if packet.data.len() > limits.macro_octets {
            return false;
        }
        for (stage, set) in MacroStage::ALL.into_iter().zip(&mut self.sets) {
            if packet.stage() == Some(stage) {
                set.pairs.clear();
                set.pairs.extend_from_slice(packet.data);
                set.announced = true;
            }
        }
        true
    }

    /// The packet of `reached` has come: what was not said for it, or belongs to later, is over.
    pub(crate) fn reach(&mut self, reached: MacroStage) {
        for (stage, set) in MacroStage::ALL.into_iter().zip(&mut self.sets) {
            if stage > reached || stage == reached && !set.announced {
                set.pairs.clear();
            }
            set.announced = false;
        }
    }

    /// Forgets all from this stage on.
    pub(crate) fn forget_from(&mut self, first: MacroStage) {
        for (stage, set) in MacroStage::ALL.into_iter().zip(&mut self.sets) {
            if stage >= first {
                set.pairs.clear();
                set.announced = false;
            }
        }
    }
}

fn bare(name: &[u8]) -> &[u8] {
    name.strip_prefix(b"{").and_then(|it| it.strip_suffix(b"}")).unwrap_or(name)
}

/// Names and values of macros. A name without a value has an empty one.
#[derive(Debug, Clone)]
pub struct Pairs<'a> {
    left: &'a [u8],
}

impl<'a> Pairs<'a> {
    pub(crate) fn new(data: &'a [u8]) -> Pairs<'a> {
        Pairs { left: data }
    }

    fn string(&mut self) -> Option<&'a [u8]> {
        if self.left.is_empty() {
            return None;
        }
        let end = memchr::memchr(0, self.left).unwrap_or(self.left.len());
        let (string, left) = self.left.split_at_checked(end)?;
        self.left = left.get(1..).unwrap_or_default();
        Some(string)
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        let name = self.string()?;
        Some((name, self.string().unwrap_or_default()))
    }
}
