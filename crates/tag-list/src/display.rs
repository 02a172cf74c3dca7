//! Lists in print.

use std::fmt;

use crate::{Tag, TagList};

impl fmt::Display for Tag<'_> {
    /// The tag-spec (RFC 6376 3.2) without whitespace around its parts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, String::from_utf8_lossy(self.value))
    }
}

impl fmt::Display for TagList<'_> {
    /// The tag-list (RFC 6376 3.2), "; " between its tags; folds inside values stay.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, tag) in self.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            tag.fmt(f)?;
        }
        Ok(())
    }
}
