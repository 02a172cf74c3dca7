//! Where canonical octets go.

/// A receiver of canonical octets: a digest, a counter, a file, a `Vec<u8>`.
///
/// Every `FnMut(&[u8])` is one, so a digest needs no wrapper: `&mut |octets: &[u8]|
/// digest.update(octets)`. The division into calls has no meaning.
pub trait Sink {
    /// Takes the next octets of the canonical form.
    fn write(&mut self, octets: &[u8]);
}

impl Sink for Vec<u8> {
    fn write(&mut self, octets: &[u8]) {
        self.extend_from_slice(octets);
    }
}

impl<F: FnMut(&[u8])> Sink for F {
    fn write(&mut self, octets: &[u8]) {
        self(octets);
    }
}
