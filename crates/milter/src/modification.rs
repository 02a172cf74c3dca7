//! What a filter does to a message, at its end.

use crate::flags::Actions;
use crate::frame::{Frame, write, write_string};
use crate::limits::MAX_CHUNK;
use crate::parse::{PacketError, Reader};
use memchr::{memchr, memchr_iter, memchr2};

/// A modification of the message, between its end and the reply to it.
///
/// The value of a header field is all that follows the colon, so it begins with a space. Folds may be
/// CRLF or LF; they go over the wire as LF, since Postfix keeps a CR as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Modification<'a> {
    /// `h`: a field at the end of the header.
    AddHeader {
        /// The name.
        name: &'a [u8],
        /// What follows the colon.
        value: &'a [u8],
    },
    /// `i`: a field at a place of the header.
    InsertHeader {
        /// The place: 0 is above all, in Postfix also above its own Received; 1 is below the first.
        index: u32,
        /// The name.
        name: &'a [u8],
        /// What follows the colon.
        value: &'a [u8],
    },
    /// `m`: another value for a field, or none: an empty one deletes it. Delete from below, since
    /// each deletion moves what is under it.
    ChangeHeader {
        /// Which of the fields of this name, from 1, as they came.
        index: u32,
        /// The name.
        name: &'a [u8],
        /// What follows the colon.
        value: &'a [u8],
    },
    /// `+`, or `2` with parameters: one more recipient.
    AddRecipient {
        /// The address, in angle brackets.
        path: &'a [u8],
        /// Its ESMTP parameters, spaces between them; may be empty.
        args: &'a [u8],
    },
    /// `-`: one recipient less.
    DeleteRecipient {
        /// The address, as it came.
        path: &'a [u8],
    },
    /// `e`: another envelope sender.
    ChangeFrom {
        /// The address, in angle brackets.
        path: &'a [u8],
        /// Its ESMTP parameters, spaces between them; may be empty.
        args: &'a [u8],
    },
    /// `b`: the new body, or the next part of it, lines ending in CRLF. All parts go one after the
    /// other, without another modification between them.
    ReplaceBody {
        /// Of any length: it is cut into packets.
        body: &'a [u8],
    },
    /// `q`: on hold.
    Quarantine {
        /// Why, for the log.
        reason: &'a [u8],
    },
}

/// Why a modification would say something else to the MTA than what is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModificationError {
    /// RFC 5322 3.6.8: the name of a field is printable ASCII without a colon, and not empty.
    #[error("the name of a header field with an octet that none can have")]
    Name,
    /// A line break without white space after it: what follows would be a field of its own.
    #[error("a line break in the value of a header field that is no fold")]
    LineBreak,
    /// A NUL, or a line break where none can be: it would end the text.
    #[error("a control character in the text")]
    Control,
}

impl<'a> Modification<'a> {
    /// What must have been agreed upon.
    pub fn action(&self) -> Actions {
        match self {
            Modification::AddHeader { .. } | Modification::InsertHeader { .. } => {
                Actions::ADD_HEADERS
            }
            Modification::ChangeHeader { .. } => Actions::CHANGE_HEADERS,
            Modification::AddRecipient { args: [], .. } => Actions::ADD_RECIPIENTS,
            Modification::AddRecipient { .. } => Actions::ADD_RECIPIENTS_WITH_ARGS,
            Modification::DeleteRecipient { .. } => Actions::DELETE_RECIPIENTS,
            Modification::ChangeFrom { .. } => Actions::CHANGE_FROM,
            Modification::ReplaceBody { .. } => Actions::CHANGE_BODY,
            Modification::Quarantine { .. } => Actions::QUARANTINE,
        }
    }

    /// Appends the octets of the packet, or of the packets of a body, to `out`. `leading_space` is
    /// whether [`crate::Protocol::LEADING_SPACE`] was agreed upon.
    ///
    /// # Errors
    /// It would say something else to the MTA; nothing is appended.
    pub fn encode(&self, leading_space: bool, out: &mut Vec<u8>) -> Result<(), ModificationError> {
        match *self {
            Modification::AddHeader { name, value } => {
                check_field(name, value)?;
                write(out, b'h', |out| write_field(out, name, value, leading_space));
            }
            Modification::InsertHeader { index, name, value } => {
                check_field(name, value)?;
                write(out, b'i', |out| {
                    out.extend_from_slice(&index.to_be_bytes());
                    write_field(out, name, value, leading_space);
                });
            }
            Modification::ChangeHeader { index, name, value } => {
                check_field(name, value)?;
                write(out, b'm', |out| {
                    out.extend_from_slice(&index.to_be_bytes());
                    write_field(out, name, value, leading_space);
                });
            }
            Modification::AddRecipient { path, args } => {
                write_path(out, if args.is_empty() { b'+' } else { b'2' }, path, args)?;
            }
            Modification::DeleteRecipient { path } => write_path(out, b'-', path, b"")?,
            Modification::ChangeFrom { path, args } => write_path(out, b'e', path, args)?,
            Modification::ReplaceBody { body: [] } => write(out, b'b', |_| {}),
            Modification::ReplaceBody { body } => {
                for chunk in body.chunks(MAX_CHUNK) {
                    write(out, b'b', |out| out.extend_from_slice(chunk));
                }
            }
            Modification::Quarantine { reason } => write_path(out, b'q', reason, b"")?,
        }
        Ok(())
    }

    pub(crate) fn parse(frame: Frame<'a>) -> Result<Option<Modification<'a>>, PacketError> {
        let mut reader = Reader::new(frame.data);
        let modification = match frame.command {
            b'h' => Modification::AddHeader { name: reader.string()?, value: reader.string()? },
            b'i' => Modification::InsertHeader {
                index: reader.number()?,
                name: reader.string()?,
                value: reader.string()?,
            },
            b'm' => Modification::ChangeHeader {
                index: reader.number()?,
                name: reader.string()?,
                value: reader.string()?,
            },
            b'+' => Modification::AddRecipient { path: reader.string()?, args: b"" },
            b'2' => Modification::AddRecipient { path: reader.string()?, args: reader.string()? },
            b'-' => Modification::DeleteRecipient { path: reader.string()? },
            b'e' => Modification::ChangeFrom {
                path: reader.string()?,
                args: if reader.is_empty() { b"" } else { reader.string()? },
            },
            b'b' => Modification::ReplaceBody { body: reader.rest() },
            b'q' => Modification::Quarantine { reason: reader.string()? },
            _ => return Ok(None),
        };
        reader.end()?;
        Ok(Some(modification))
    }
}

fn check_field(name: &[u8], value: &[u8]) -> Result<(), ModificationError> {
    if name.is_empty() || !name.iter().all(|octet| matches!(octet, 33..=57 | 59..=126)) {
        return Err(ModificationError::Name);
    }
    if memchr(0, value).is_some() {
        return Err(ModificationError::Control);
    }
    let follows = |at: usize| value.get(at + 1);
    let folds = memchr_iter(b'\n', value).all(|at| matches!(follows(at), Some(b' ' | b'\t')));
    let ends = memchr_iter(b'\r', value).all(|at| follows(at) == Some(&b'\n'));
    if folds && ends { Ok(()) } else { Err(ModificationError::LineBreak) }
}

fn write_field(out: &mut Vec<u8>, name: &[u8], value: &[u8], leading_space: bool) {
    write_string(out, name);
    let bare = value.strip_prefix(b" ").filter(|_| !leading_space);
    // A CR is only ever before a LF here.
    for part in bare.unwrap_or(value).split(|&octet| octet == b'\r') {
        out.extend_from_slice(part);
    }
    out.push(0);
}

fn write_path(
    out: &mut Vec<u8>,
    command: u8,
    path: &[u8],
    args: &[u8],
) -> Result<(), ModificationError> {
    let unsafe_text =
        |text: &[u8]| memchr(0, text).is_some() || memchr2(b'\r', b'\n', text).is_some();
    if unsafe_text(path) || unsafe_text(args) {
        return Err(ModificationError::Control);
    }
    write(out, command, |out| {
        write_string(out, path);
        if !args.is_empty() {
            write_string(out, args);
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(name: &[u8], value: &[u8], leading_space: bool) -> Result<Vec<u8>, ModificationError> {
        let mut out = Vec::new();
        Modification::AddHeader { name, value }.encode(leading_space, &mut out)?;
        Ok(out)
    }

    #[test]
    fn a_value_is_what_follows_the_colon() {
        assert_eq!(add(b"X", b" a\r\n\tb", true).unwrap(), b"\0\0\0\x09hX\0 a\n\tb\0");
        assert_eq!(add(b"X", b" a\n b", false).unwrap(), b"\0\0\0\x08hX\0a\n b\0");
        assert_eq!(add(b"X", b"", true).unwrap(), b"\0\0\0\x04hX\0\0");
    }

    #[test]
    fn no_field_is_smuggled_in() {
        for value in [&b" a\nB: c"[..], b" a\r\nB: c", b" a\n", b" a\rb", b" a\r", b" a\r\r\n b"] {
            assert_eq!(add(b"X", value, true), Err(ModificationError::LineBreak), "{value:?}");
        }
        assert_eq!(add(b"X", b" a\0b", true), Err(ModificationError::Control));
        for name in [&b""[..], b"X:", b"X Y", b"X\n", b"\xc3"] {
            assert_eq!(add(name, b" a", true), Err(ModificationError::Name));
        }
        let mut out = Vec::new();
        let reason = Modification::Quarantine { reason: b"a\nb" };
        assert_eq!(reason.encode(true, &mut out), Err(ModificationError::Control));
        assert!(out.is_empty());
    }
}
