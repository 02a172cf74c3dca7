//! The text of a macro-literal.

use std::fmt;
use std::ops::Deref;

/// How long a text may be that is kept in place: most names that records hold are shorter.
const SHORT: usize = 30;

/// The text of a macro-literal (RFC 7208 7.1), read as a [`str`]; without an allocation if it is
/// short.
#[derive(Clone, PartialEq, Eq)]
pub struct Literal(Octets);

#[derive(Clone, PartialEq, Eq)]
enum Octets {
    /// How many there are, and zeros after them.
    Short(u8, [u8; SHORT]),
    Long(Box<[u8]>),
}

impl Literal {
    /// The text that these octets are: UTF-8.
    pub(crate) fn new(octets: &[u8]) -> Literal {
        let length = match u8::try_from(octets.len()) {
            Ok(length) if octets.len() <= SHORT => length,
            _ => return Literal(Octets::Long(octets.into())),
        };
        let mut literal = Literal(Octets::Short(length, [0; SHORT]));
        if let Octets::Short(_, all) = &mut literal.0
            && let Some(place) = all.get_mut(..octets.len())
        {
            place.copy_from_slice(octets);
        }
        literal
    }

    pub(crate) fn octets(&self) -> &[u8] {
        match &self.0 {
            Octets::Short(length, octets) => octets.get(..usize::from(*length)).unwrap_or_default(),
            Octets::Long(octets) => octets,
        }
    }
}

impl Deref for Literal {
    type Target = str;

    fn deref(&self) -> &str {
        str::from_utf8(self.octets()).unwrap_or_default()
    }
}

impl From<&str> for Literal {
    fn from(text: &str) -> Literal {
        Literal::new(text.as_bytes())
    }
}

impl fmt::Debug for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}
