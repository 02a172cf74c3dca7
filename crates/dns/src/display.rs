//! Records in the form of a master file (RFC 1035 5.1).

use std::fmt;

use crate::{Data, Name, Txt};

/// A name with its final dot.
pub(crate) struct Absolute<'a>(pub(crate) &'a Name);

impl fmt::Display for Absolute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dot = if *self.0 == Name::root() { "" } else { "." };
        write!(f, "{}{dot}", self.0)
    }
}

impl fmt::Display for Data {
    /// The data as a master file has it, on one line: names end in a dot, strings are quoted,
    /// other data is in the form of RFC 3597 5.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Data::A(address) => write!(f, "{address}"),
            Data::Aaaa(address) => write!(f, "{address}"),
            Data::Cname(name) | Data::Ns(name) | Data::Ptr(name) => write!(f, "{}", Absolute(name)),
            Data::Mx(mx) => write!(f, "{} {}", mx.preference, Absolute(&mx.exchange)),
            Data::Txt(txt) => write!(f, "{txt}"),
            Data::Other(_, octets) => {
                write!(f, "\\# {}", octets.len())?;
                if !octets.is_empty() {
                    f.write_str(" ")?;
                }
                octets.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
            }
        }
    }
}

impl fmt::Display for Txt {
    /// The character-strings as a master file has them: quoted, with a space between them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, string) in self.strings().enumerate() {
            f.write_str(if index > 0 { " \"" } else { "\"" })?;
            for &octet in string {
                match octet {
                    b'"' | b'\\' => write!(f, "\\{}", char::from(octet))?,
                    0x20..=0x7e => write!(f, "{}", char::from(octet))?,
                    _ => write!(f, "\\{octet:03}")?,
                }
            }
            f.write_str("\"")?;
        }
        Ok(())
    }
}
