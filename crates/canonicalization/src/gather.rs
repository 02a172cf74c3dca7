//! Small pieces on their way to the sink.

use crate::Sink;

/// As many octets as are gathered before they go to the sink.
const CAPACITY: usize = 1024;
/// A piece of this many octets goes to the sink as it is: the copy would cost more than the call.
const LARGE: usize = 256;

/// Joins small pieces, because a digest takes one long slice faster than many short ones, and
/// passes large ones on without copying.
///
/// Call [`Gather::flush`] at the end: a `Gather` that is dropped loses what it holds.
pub(crate) struct Gather<'a, S> {
    sink: &'a mut S,
    held: [u8; CAPACITY],
    used: usize,
}

impl<'a, S: Sink> Gather<'a, S> {
    #[inline]
    pub(crate) fn new(sink: &'a mut S) -> Self {
        Self { sink, held: [0; CAPACITY], used: 0 }
    }

    #[inline]
    pub(crate) fn write(&mut self, piece: &[u8]) {
        if piece.len() < LARGE {
            self.hold(piece);
        } else {
            self.flush();
            self.sink.write(piece);
        }
    }

    #[inline]
    fn hold(&mut self, piece: &[u8]) {
        if CAPACITY - self.used < piece.len() {
            self.flush();
        }
        if let Some(free) = self.held.get_mut(self.used..self.used + piece.len()) {
            free.copy_from_slice(piece);
            self.used += piece.len();
        }
    }

    #[inline]
    pub(crate) fn flush(&mut self) {
        if let Some(held) = self.held.get(..self.used)
            && !held.is_empty()
        {
            self.sink.write(held);
        }
        self.used = 0;
    }
}
