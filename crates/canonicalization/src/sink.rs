//! Where canonical octets go.

/// A receiver of canonical octets: a digest, a counter, a file, a `Vec<u8>`.
///
/// Every `FnMut(&[u8])` is one, so a digest needs no wrapper: `&mut |octets: &[u8]|
/// digest.update(octets)`. The division into calls has no meaning.
pub trait Sink {
    /// Takes the next octets of the canonical form.
    fn write(&mut self, octets: &[u8]);

    /// Takes the next octets in lower case.
    fn write_lowercase(&mut self, octets: &[u8]) {
        for piece in octets.chunks(64) {
            let mut lower = [0; 64];
            if let Some(lower) = lower.get_mut(..piece.len()) {
                lower.copy_from_slice(piece);
                lower.make_ascii_lowercase();
                self.write(lower);
            }
        }
    }
}

impl Sink for Vec<u8> {
    fn write(&mut self, octets: &[u8]) {
        self.extend_from_slice(octets);
    }

    fn write_lowercase(&mut self, octets: &[u8]) {
        let start = self.len();
        self.extend_from_slice(octets);
        self.get_mut(start..).unwrap_or_default().make_ascii_lowercase();
    }
}

impl<F: FnMut(&[u8])> Sink for F {
    fn write(&mut self, octets: &[u8]) {
        self(octets);
    }
}
