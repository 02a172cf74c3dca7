//! Packets as they go over the wire: four octets of length, one of command, data.

use crate::limits::{Limits, READ_AHEAD};

/// A packet whose data has not been looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What it is: SMFIC_… from the MTA, SMFIR_… from the filter.
    pub command: u8,
    /// What follows the command.
    pub data: &'a [u8],
}

impl Frame<'_> {
    /// Appends the octets of the packet to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        write(out, self.command, |out| out.extend_from_slice(self.data));
    }
}

/// Appends a packet whose data `fill` appends.
pub(crate) fn write(out: &mut Vec<u8>, command: u8, fill: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0, 0, 0, 0, command]);
    fill(out);
    let length = u32::try_from(out.len() - start - 4).unwrap_or(u32::MAX);
    if let Some(place) = out.get_mut(start..start + 4) {
        place.copy_from_slice(&length.to_be_bytes());
    }
}

/// Appends a string and the NUL that ends it. No string of the protocol can hold a NUL: what follows
/// one is left out.
pub(crate) fn write_string(out: &mut Vec<u8>, string: &[u8]) {
    let end = memchr::memchr(0, string).unwrap_or(string.len());
    out.extend_from_slice(string.get(..end).unwrap_or_default());
    out.push(0);
}

/// Why a stream is no sequence of packets. Nothing can be read from it any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The packet is larger than [`Limits::packet`].
    #[error("a packet of {length} octets, more than the {limit} of the limit")]
    TooLarge {
        /// What it said of itself.
        length: u32,
        /// The limit in octets.
        limit: usize,
    },
    /// A length of zero: there is no command.
    #[error("a packet without a command")]
    Empty,
}

/// Cuts a stream of octets into [`Frame`]s.
///
/// Octets come in by [`Decoder::feed`], or are read by the caller right into [`Decoder::space`] and
/// reported by [`Decoder::filled`]. Memory grows with what has arrived, not with what a packet says
/// of its length, and not beyond [`Limits::packet`].
#[derive(Debug, Clone)]
pub struct Decoder {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    limit: usize,
}

impl Decoder {
    /// A decoder at the beginning of a stream.
    pub fn new(limits: &Limits) -> Decoder {
        Decoder { buffer: Vec::new(), start: 0, end: 0, limit: limits.packet }
    }

    /// Where the next octets may be read into; never empty.
    ///
    /// Take all the frames first: what is not taken is kept.
    pub fn space(&mut self) -> &mut [u8] {
        self.reserve(1);
        self.buffer.get_mut(self.end..).unwrap_or_default()
    }

    /// Takes the first `octets` of [`Decoder::space`] as read.
    pub fn filled(&mut self, octets: usize) {
        self.end = self.end.saturating_add(octets).min(self.buffer.len());
    }

    /// Takes a copy of `octets`.
    pub fn feed(&mut self, octets: &[u8]) {
        self.reserve(octets.len());
        if let Some((place, _)) =
            self.buffer.get_mut(self.end..).and_then(|it| it.split_at_mut_checked(octets.len()))
        {
            place.copy_from_slice(octets);
            self.end += octets.len();
        }
    }

    /// The next packet, or `None` until more octets are there.
    ///
    /// # Errors
    /// The stream is no sequence of packets. This is said again each time.
    pub fn frame(&mut self) -> Result<Option<Frame<'_>>, FrameError> {
        let pending = self.buffer.get(self.start..self.end).unwrap_or_default();
        let Some((&length, rest)) = pending.split_first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_be_bytes(length);
        let size = usize::try_from(length).unwrap_or(usize::MAX);
        if size > self.limit {
            return Err(FrameError::TooLarge { length, limit: self.limit });
        }
        let Some((octets, _)) = rest.split_at_checked(size) else { return Ok(None) };
        let Some((&command, data)) = octets.split_first() else { return Err(FrameError::Empty) };
        self.start += 4 + size;
        Ok(Some(Frame { command, data }))
    }

    /// Whether the stream may end here: no packet has begun.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Makes room for what comes next: `wanted` octets, better the rest of the packet that has
    /// begun, but not much more than has arrived of it.
    fn reserve(&mut self, wanted: usize) {
        let pending = self.end - self.start;
        if pending == 0 {
            (self.start, self.end) = (0, 0);
        }
        let missing = self.missing().min(pending.max(READ_AHEAD)).max(wanted);
        if self.buffer.len() - self.end >= missing {
            return;
        }
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, pending);
        let size = (pending + missing).max(READ_AHEAD);
        if self.buffer.len() < size {
            self.buffer.resize(size, 0);
        }
    }

    /// The octets that the packet that has begun still lacks, as far as the limit lets it have them.
    fn missing(&self) -> usize {
        let pending = self.buffer.get(self.start..self.end).unwrap_or_default();
        let Some(&length) = pending.first_chunk::<4>() else { return 1 };
        let size = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        size.min(self.limit).saturating_add(4).saturating_sub(pending.len()).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_follows_what_has_arrived() {
        let mut decoder = Decoder::new(&Limits::default());
        decoder.feed(&(200_000u32).to_be_bytes());
        assert!(decoder.space().len() <= READ_AHEAD);
        assert_eq!(decoder.frame(), Ok(None));
        for _ in 0..200_000 / READ_AHEAD {
            decoder.feed(&[b'B'; READ_AHEAD]);
            assert_eq!(decoder.frame(), Ok(None));
        }
        decoder.feed(&[b'B'; READ_AHEAD]);
        assert_eq!(decoder.frame().unwrap().unwrap().data.len(), 199_999);
        assert!(decoder.buffer.len() < 3 * 200_000, "{}", decoder.buffer.len());
    }

    #[test]
    fn limit_of_a_packet() {
        let mut decoder = Decoder::new(&Limits { packet: 5, ..Limits::default() });
        decoder.feed(b"\0\0\0\x05H1234\0\0\0\x06H");
        assert_eq!(decoder.frame(), Ok(Some(Frame { command: b'H', data: b"1234" })));
        let error = FrameError::TooLarge { length: 6, limit: 5 };
        assert_eq!(decoder.frame(), Err(error));
        assert_eq!(decoder.frame(), Err(error));
        assert!(!decoder.space().is_empty());
    }

    #[test]
    fn a_packet_has_a_command() {
        let mut decoder = Decoder::new(&Limits::default());
        decoder.feed(b"\0\0\0\0");
        assert_eq!(decoder.frame(), Err(FrameError::Empty));
    }
}
