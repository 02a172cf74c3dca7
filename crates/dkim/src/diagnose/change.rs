//! What can have been done to a message on its way.

use std::fmt;

use mailproof_canonicalization::Canonicalization;

/// A change between signing and verifying. Each variant tells what was done to the message that was
/// signed, so undoing it makes the signature verify.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// Lines were added at the end of the body.
    FooterAdded(Added),
    /// Lines were added at the beginning of the body, or of a part of it.
    BannerAdded(Added),
    /// A MIME part was added.
    PartAdded(Added),
    /// Lines were added at the end of a MIME part.
    PartFooterAdded(Added),
    /// What was the body is a part of a multipart now.
    Wrapped {
        /// Which part, from 1.
        part: usize,
    },
    /// The message was signed with an empty body.
    BodyAdded(Added),
    /// The line ends of the body were changed.
    LineEnds(LineEnds),
    /// White space in the body was changed in a way that "relaxed" passes over; or the signer used
    /// "relaxed" though it states "simple".
    BodyWhiteSpace,
    /// White space was added at the end of lines of the body.
    TrailingSpaceAdded,
    /// White space of the body was removed or replaced.
    SpaceRemoved(Space),
    /// An empty line of the body was removed.
    EmptyLineRemoved {
        /// Before which line of the body as it is now, from 1.
        line: usize,
    },
    /// The space of the line "-- ", which begins a signature text (RFC 3676 4.3), was removed.
    SeparatorTrimmed,
    /// The signer used another body canonicalization than it states.
    BodyCanonicalization {
        /// The one that was used.
        used: Canonicalization,
    },
    /// The signer did not hash the last line end of the canonical body (RFC 6376 3.4.3, 3.4.4).
    FinalLineEndUnsigned,
    /// A dot was put before each line that begins with one (RFC 5321 4.5.2) and never taken off.
    DotsAdded,
    /// One dot of the lines that begin with two was taken off, although none had been put there.
    DotsRemoved,
    /// `>` was put before lines that begin with "From ".
    FromQuoted,
    /// `>` was taken off lines that begin with ">From ".
    FromUnquoted,
    /// Lines longer than the limit were broken (RFC 5322 2.1.1).
    LongLinesBroken {
        /// Where, in octets.
        width: usize,
    },
    /// Tabs became spaces.
    TabsExpanded {
        /// How many for each tab.
        spaces: usize,
    },
    /// Spaces became tabs.
    SpacesToTabs,
    /// The content was put in another transfer encoding (RFC 2045 6).
    Reencoded {
        /// The encoding that was signed.
        signed: &'static str,
        /// The encoding it has now.
        received: &'static str,
    },
    /// The text was put in another character set.
    Charset {
        /// The character set that was signed.
        signed: &'static str,
        /// The character set it has now.
        received: &'static str,
    },
    /// Something was put before, into or after the subject.
    SubjectTagAdded {
        /// What.
        tag: String,
    },
    /// A field that the signature covers was added.
    FieldAdded {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
    /// A field that the signature covers was removed.
    FieldRemoved {
        /// Its name.
        name: String,
        /// The value that was signed.
        value: String,
    },
    /// The fields of this name stand in another order.
    FieldsReordered {
        /// The name.
        name: String,
    },
    /// A field was folded anew (RFC 5322 2.2.3), which "simple" does not pass over.
    Refolded {
        /// Its name; `None` for all signed fields.
        name: Option<String>,
    },
    /// White space of a field was changed, which "simple" does not pass over.
    FieldWhiteSpace {
        /// Its name; `None` for all signed fields.
        name: Option<String>,
    },
    /// The case of a field name was changed, which "simple" does not pass over.
    NameCase {
        /// The name that was signed; `None` for the names of all signed fields.
        name: Option<String>,
    },
    /// The value of a field was changed.
    ValueChanged {
        /// The name of the field.
        name: String,
        /// The value that was signed.
        signed: String,
        /// How the value that was signed came to be known.
        source: Source,
    },
    /// The signature was made with the key of another selector than the one it names (s=).
    OtherSelector {
        /// Where that key is published.
        key_name: String,
    },
    /// The signer used another header canonicalization than it states.
    HeaderCanonicalization {
        /// The one that was used.
        used: Canonicalization,
    },
}

/// Lines that were added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// On which line of the body they begin, from 1.
    pub line: usize,
    /// How many.
    pub lines: usize,
    /// How many octets.
    pub octets: usize,
    /// How they begin, escaped.
    pub text: String,
}

impl Added {
    pub(super) fn new(before: &[u8], added: &[u8]) -> Added {
        let line_ends = |octets| memchr::memchr_iter(b'\n', octets).count();
        let unended = usize::from(!added.is_empty() && !added.ends_with(b"\n"));
        Added {
            line: line_ends(before) + 1,
            lines: line_ends(added) + unended,
            octets: added.len(),
            text: excerpt(added),
        }
    }
}

/// What was done to line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnds {
    /// CRLF became LF.
    LfNow,
    /// LF became CRLF.
    CrlfNow,
    /// CRLF became CR CRLF.
    CrCrlfNow,
    /// Every line is followed by an empty one.
    Doubled,
}

/// White space of a body that is no longer there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Space {
    /// A space at the end of this line, from 1.
    LineEnd(usize),
    /// The space at the end of each line but the last of a paragraph, which has a meaning in
    /// format=flowed (RFC 3676 4).
    LineEnds,
    /// Two spaces in this line became one.
    Double(usize),
    /// The second space after each sentence.
    Sentences,
    /// A tab in this line became a space.
    Tab(usize),
}

/// How a value that was signed came to be known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Tag z= of the signature (RFC 6376 3.5).
    CopiedFields,
    /// Another field of the message.
    Field(String),
    /// The header of a MIME part, which the original message has become.
    Part,
    /// A guess among the usual values.
    Usual,
    /// The same addresses, in other order, with other quotes or without names.
    SameAddresses,
    /// The same text, encoded (RFC 2047) in another way or not at all.
    SameText,
    /// The same time, in another zone or form (RFC 5322 3.3).
    SameTime,
}

/// A kind of [`Change`]; also what a search has excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ChangeKind {
    /// [`Change::FooterAdded`].
    FooterAdded,
    /// [`Change::BannerAdded`].
    BannerAdded,
    /// [`Change::PartAdded`].
    PartAdded,
    /// [`Change::PartFooterAdded`].
    PartFooterAdded,
    /// [`Change::Wrapped`].
    Wrapped,
    /// [`Change::BodyAdded`].
    BodyAdded,
    /// [`Change::LineEnds`].
    LineEnds,
    /// [`Change::BodyWhiteSpace`].
    BodyWhiteSpace,
    /// [`Change::TrailingSpaceAdded`].
    TrailingSpaceAdded,
    /// [`Change::SpaceRemoved`].
    SpaceRemoved,
    /// [`Change::EmptyLineRemoved`].
    EmptyLineRemoved,
    /// [`Change::SeparatorTrimmed`].
    SeparatorTrimmed,
    /// [`Change::BodyCanonicalization`].
    BodyCanonicalization,
    /// [`Change::FinalLineEndUnsigned`].
    FinalLineEndUnsigned,
    /// [`Change::DotsAdded`].
    DotsAdded,
    /// [`Change::DotsRemoved`].
    DotsRemoved,
    /// [`Change::FromQuoted`].
    FromQuoted,
    /// [`Change::FromUnquoted`].
    FromUnquoted,
    /// [`Change::LongLinesBroken`].
    LongLinesBroken,
    /// [`Change::TabsExpanded`].
    TabsExpanded,
    /// [`Change::SpacesToTabs`].
    SpacesToTabs,
    /// [`Change::Reencoded`].
    Reencoded,
    /// [`Change::Charset`].
    Charset,
    /// [`Change::SubjectTagAdded`].
    SubjectTagAdded,
    /// [`Change::FieldAdded`].
    FieldAdded,
    /// [`Change::FieldRemoved`].
    FieldRemoved,
    /// [`Change::FieldsReordered`].
    FieldsReordered,
    /// [`Change::Refolded`].
    Refolded,
    /// [`Change::FieldWhiteSpace`].
    FieldWhiteSpace,
    /// [`Change::NameCase`].
    NameCase,
    /// [`Change::ValueChanged`].
    ValueChanged,
    /// [`Change::OtherSelector`].
    OtherSelector,
    /// [`Change::HeaderCanonicalization`].
    HeaderCanonicalization,
}

impl Change {
    /// The kind.
    pub fn kind(&self) -> ChangeKind {
        match self {
            Change::FooterAdded(_) => ChangeKind::FooterAdded,
            Change::BannerAdded(_) => ChangeKind::BannerAdded,
            Change::PartAdded(_) => ChangeKind::PartAdded,
            Change::PartFooterAdded(_) => ChangeKind::PartFooterAdded,
            Change::Wrapped { .. } => ChangeKind::Wrapped,
            Change::BodyAdded(_) => ChangeKind::BodyAdded,
            Change::LineEnds(_) => ChangeKind::LineEnds,
            Change::BodyWhiteSpace => ChangeKind::BodyWhiteSpace,
            Change::TrailingSpaceAdded => ChangeKind::TrailingSpaceAdded,
            Change::SpaceRemoved(_) => ChangeKind::SpaceRemoved,
            Change::EmptyLineRemoved { .. } => ChangeKind::EmptyLineRemoved,
            Change::SeparatorTrimmed => ChangeKind::SeparatorTrimmed,
            Change::BodyCanonicalization { .. } => ChangeKind::BodyCanonicalization,
            Change::FinalLineEndUnsigned => ChangeKind::FinalLineEndUnsigned,
            Change::DotsAdded => ChangeKind::DotsAdded,
            Change::DotsRemoved => ChangeKind::DotsRemoved,
            Change::FromQuoted => ChangeKind::FromQuoted,
            Change::FromUnquoted => ChangeKind::FromUnquoted,
            Change::LongLinesBroken { .. } => ChangeKind::LongLinesBroken,
            Change::TabsExpanded { .. } => ChangeKind::TabsExpanded,
            Change::SpacesToTabs => ChangeKind::SpacesToTabs,
            Change::Reencoded { .. } => ChangeKind::Reencoded,
            Change::Charset { .. } => ChangeKind::Charset,
            Change::SubjectTagAdded { .. } => ChangeKind::SubjectTagAdded,
            Change::FieldAdded { .. } => ChangeKind::FieldAdded,
            Change::FieldRemoved { .. } => ChangeKind::FieldRemoved,
            Change::FieldsReordered { .. } => ChangeKind::FieldsReordered,
            Change::Refolded { .. } => ChangeKind::Refolded,
            Change::FieldWhiteSpace { .. } => ChangeKind::FieldWhiteSpace,
            Change::NameCase { .. } => ChangeKind::NameCase,
            Change::ValueChanged { .. } => ChangeKind::ValueChanged,
            Change::OtherSelector { .. } => ChangeKind::OtherSelector,
            Change::HeaderCanonicalization { .. } => ChangeKind::HeaderCanonicalization,
        }
    }

    /// The name of the kind in the corpus and in JSON.
    pub fn keyword(&self) -> &'static str {
        self.kind().keyword()
    }
}

impl ChangeKind {
    /// The name of the kind in the corpus and in JSON.
    pub fn keyword(self) -> &'static str {
        match self {
            ChangeKind::FooterAdded => "footer-added",
            ChangeKind::BannerAdded => "banner-added",
            ChangeKind::PartAdded => "part-added",
            ChangeKind::PartFooterAdded => "part-footer-added",
            ChangeKind::Wrapped => "wrapped",
            ChangeKind::BodyAdded => "body-added",
            ChangeKind::LineEnds => "line-ends",
            ChangeKind::BodyWhiteSpace => "body-white-space",
            ChangeKind::TrailingSpaceAdded => "trailing-space-added",
            ChangeKind::SpaceRemoved => "space-removed",
            ChangeKind::EmptyLineRemoved => "empty-line-removed",
            ChangeKind::SeparatorTrimmed => "separator-trimmed",
            ChangeKind::BodyCanonicalization => "body-canonicalization",
            ChangeKind::FinalLineEndUnsigned => "final-line-end-unsigned",
            ChangeKind::DotsAdded => "dots-added",
            ChangeKind::DotsRemoved => "dots-removed",
            ChangeKind::FromQuoted => "from-quoted",
            ChangeKind::FromUnquoted => "from-unquoted",
            ChangeKind::LongLinesBroken => "long-lines-broken",
            ChangeKind::TabsExpanded => "tabs-expanded",
            ChangeKind::SpacesToTabs => "spaces-to-tabs",
            ChangeKind::Reencoded => "reencoded",
            ChangeKind::Charset => "charset",
            ChangeKind::SubjectTagAdded => "subject-tag-added",
            ChangeKind::FieldAdded => "field-added",
            ChangeKind::FieldRemoved => "field-removed",
            ChangeKind::FieldsReordered => "fields-reordered",
            ChangeKind::Refolded => "refolded",
            ChangeKind::FieldWhiteSpace => "field-white-space",
            ChangeKind::NameCase => "name-case",
            ChangeKind::ValueChanged => "value-changed",
            ChangeKind::OtherSelector => "other-selector",
            ChangeKind::HeaderCanonicalization => "header-canonicalization",
        }
    }
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.keyword())
    }
}

/// Octets in print: of what is not ASCII, letters and digits in UTF-8 stay, the rest is escaped;
/// what is long is cut.
pub(super) fn excerpt(octets: &[u8]) -> String {
    const MOST: usize = 120;
    let shown = octets.get(..MOST).unwrap_or(octets);
    let mut text = String::with_capacity(shown.len());
    for chunk in shown.utf8_chunks() {
        for character in chunk.valid().chars() {
            if !character.is_ascii() && character.is_alphanumeric() {
                text.push(character);
            } else {
                let mut octets = [0; 4];
                let octets = character.encode_utf8(&mut octets).as_bytes();
                text.extend(octets.escape_ascii().map(char::from));
            }
        }
        text.extend(chunk.invalid().escape_ascii().map(char::from));
    }
    text.push_str(if shown.len() < octets.len() { "…" } else { "" });
    text
}
