//! Small pieces on their way to the sink.

use crate::Sink;

/// The block length of SHA-256 and SHA-1: they take whole blocks without a copy.
const DIGEST_BLOCK: usize = 64;

/// Joins small pieces, because a digest takes one long slice faster than many short ones.
///
/// Call [`Gather::finish`] at the end: a `Gather` that is dropped loses what it holds.
pub(crate) struct Gather<'a, S, const N: usize> {
    sink: &'a mut S,
    held: [u8; N],
    used: usize,
}

impl<'a, S: Sink, const N: usize> Gather<'a, S, N> {
    #[inline]
    pub(crate) fn new(sink: &'a mut S) -> Self {
        Self { sink, held: [0; N], used: 0 }
    }

    /// Takes a piece; a large one goes on as it is, without a copy.
    #[inline]
    pub(crate) fn write(&mut self, piece: &[u8]) {
        if piece.len() >= N {
            self.flush(self.used);
            self.sink.write(piece);
            return;
        }
        if piece.len() > N - self.used {
            self.flush(self.used);
        }
        if let Some(free) = self.held.get_mut(self.used..self.used + piece.len()) {
            free.copy_from_slice(piece);
            self.used += piece.len();
        }
    }

    /// Takes as many octets as `fill` says it has put into the room it is given.
    #[inline(always)]
    pub(crate) fn write_with<const ROOM: usize>(
        &mut self,
        fill: impl FnOnce(&mut [u8; ROOM]) -> usize,
    ) {
        if N - self.used < ROOM {
            self.flush(self.used - self.used % DIGEST_BLOCK);
        }
        if let Some(free) = self.held.get_mut(self.used..).and_then(<[u8]>::first_chunk_mut) {
            self.used += fill(free).min(ROOM);
        }
    }

    /// Writes what is held.
    #[inline]
    pub(crate) fn finish(mut self) {
        self.flush(self.used);
    }

    /// Writes so many of the octets held, and keeps the others.
    fn flush(&mut self, count: usize) {
        if let Some(held) = self.held.get(..count)
            && !held.is_empty()
        {
            self.sink.write(held);
            self.held.copy_within(count..self.used, 0);
            self.used -= count;
        }
    }
}
