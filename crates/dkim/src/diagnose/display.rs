//! Changes as sentences for a postmaster.

use std::fmt;

use super::change::{Added, Change, LineEnds, Source, Space};
use super::limits::Exhausted;
use super::{Diagnosis, Excluded, Finding, Repair};

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::FooterAdded(added) => write!(f, "a footer was added to the body: {added}"),
            Change::BannerAdded(added) => write!(f, "a banner was added to the body: {added}"),
            Change::PartAdded(added) => write!(f, "a MIME part was added: {added}"),
            Change::PartFooterAdded(added) => {
                write!(f, "a footer was added to a MIME part: {added}")
            }
            Change::Wrapped { part } => {
                write!(f, "the body was wrapped in a multipart; it is part {part} of it now")
            }
            Change::BodyAdded(added) => {
                write!(f, "signed with an empty body, all of it was added: {added}")
            }
            Change::LineEnds(LineEnds::LfNow) => f.write_str("line ends CRLF became LF"),
            Change::LineEnds(LineEnds::CrlfNow) => f.write_str("line ends LF became CRLF"),
            Change::LineEnds(LineEnds::CrCrlfNow) => f.write_str("line ends CRLF became CR CRLF"),
            Change::LineEnds(LineEnds::Doubled) => f.write_str("every line end was doubled"),
            Change::BodyWhiteSpace => f.write_str(
                "white space was added to the body, which c=…/simple forbids (or the signer hashed \
                 the relaxed form)",
            ),
            Change::TrailingSpaceAdded => f.write_str("white space was added at the end of lines"),
            Change::SpaceRemoved(space) => write!(f, "{space}"),
            Change::EmptyLineRemoved { line } => {
                write!(f, "an empty line before line {line} of the body was removed")
            }
            Change::SeparatorTrimmed => {
                f.write_str("the space of the signature separator \"-- \" was removed")
            }
            Change::BodyCanonicalization { used } => {
                write!(f, "the signer hashed the {used} form of the body, against its own c=")
            }
            Change::FinalLineEndUnsigned => {
                f.write_str("the signer did not hash the final line end of the body")
            }
            Change::DotsAdded => f.write_str("lines that begin with a dot got another one"),
            Change::DotsRemoved => f.write_str("lines that began with two dots lost one"),
            Change::FromQuoted => {
                f.write_str("\">\" was put before lines that begin with \"From \"")
            }
            Change::FromUnquoted => {
                f.write_str("\">\" was taken off lines that begin with \">From \"")
            }
            Change::LongLinesBroken { width } => {
                write!(f, "lines of more than {width} octets were broken")
            }
            Change::TabsExpanded { spaces: 1 } => f.write_str("tabs became spaces"),
            Change::TabsExpanded { spaces } => write!(f, "tabs became {spaces} spaces each"),
            Change::SpacesToTabs => f.write_str("spaces became tabs"),
            Change::Reencoded { signed, received } => {
                write!(f, "the content was signed as {signed} and re-encoded as {received}")
            }
            Change::Charset { signed, received } => {
                write!(f, "the text was signed in {signed} and is in {received} now")
            }
            _ => header_change(self, f),
        }
    }
}

fn header_change(change: &Change, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match change {
        Change::SubjectTagAdded { tag } => write!(f, "\"{tag}\" was added to the subject"),
        Change::FieldAdded { name, value } => {
            write!(f, "a field that the signature covers was added: \"{name}: {value}\"")
        }
        Change::FieldRemoved { name, value } => {
            write!(f, "a signed field was removed: \"{name}: {value}\"")
        }
        Change::FieldsReordered { name } => {
            write!(f, "the fields {name} stand in another order than when signed")
        }
        Change::Refolded { name: Some(name) } => {
            write!(f, "the field {name} was folded anew, which c=simple forbids")
        }
        Change::Refolded { name: None } => {
            f.write_str("the signed fields were folded anew, which c=simple forbids")
        }
        Change::FieldWhiteSpace { name: Some(name) } => {
            write!(f, "white space in the field {name} was changed, which c=simple forbids")
        }
        Change::FieldWhiteSpace { name: None } => {
            f.write_str("white space in the signed fields was changed, which c=simple forbids")
        }
        Change::NameCase { name: Some(name) } => {
            write!(f, "the name of the field {name} was written in another case")
        }
        Change::NameCase { name: None } => {
            f.write_str("the names of the signed fields were written in another case")
        }
        Change::ValueChanged { name, signed, source } => {
            write!(f, "the field {name} was changed; signed was \"{signed}\" ({source})")
        }
        Change::OtherSelector { key_name } => {
            write!(f, "it is signed with the key at {key_name}, not with that of its selector (s=)")
        }
        Change::HeaderCanonicalization { used } => {
            write!(f, "the signer hashed the {used} form of the header, against its own c=")
        }
        // Every other change is one of the body, and told above.
        _ => f.write_str(change.keyword()),
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "header: {}; body: {}", self.header, self.body)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::Intact => f.write_str("as signed"),
            Finding::Explained(Repair { changes, .. }) => {
                for (index, change) in changes.iter().enumerate() {
                    write!(f, "{}{change}", if index == 0 { "" } else { "; and " })?;
                }
                Ok(())
            }
            Finding::Unexplained(excluded) => {
                write!(f, "changed in a way that was not found; {excluded}")
            }
            Finding::Truncated { signed, present } => {
                write!(f, "cut off: {signed} octets are signed, {present} are left")
            }
            Finding::OtherKey => f.write_str(
                "signed with another key than the one that is published, or b= is damaged",
            ),
            Finding::NotExamined => {
                f.write_str("not examined, the signature or its key is unusable")
            }
        }
    }
}

impl fmt::Display for Excluded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("excluded: ")?;
        for (index, kind) in self.tried.iter().enumerate() {
            write!(f, "{}{kind}", if index == 0 { "" } else { ", " })?;
        }
        match self.exhausted {
            Some(limit) => write!(f, " (as far as the limit of {limit} let the search go)"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Exhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.keyword())
    }
}

impl fmt::Display for Added {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Added { line, lines, octets, text } = self;
        let s = if *lines == 1 { "" } else { "s" };
        write!(f, "{lines} line{s}, {octets} octets, from line {line} on: \"{text}\"")
    }
}

impl fmt::Display for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Space::LineEnd(line) => {
                write!(f, "the space at the end of line {line} of the body was removed")
            }
            Space::LineEnds => f.write_str("the spaces at the end of lines were removed"),
            Space::Double(line) => write!(f, "two spaces in line {line} of the body became one"),
            Space::Sentences => f.write_str("the two spaces after each sentence became one"),
            Space::Tab(line) => write!(f, "a tab in line {line} of the body became a space"),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::CopiedFields => f.write_str("as z= of the signature says"),
            Source::Field(name) => write!(f, "as the field {name} says"),
            Source::Part => f.write_str("as the MIME part that was the message says"),
            Source::Usual => f.write_str("a usual value, and it verifies"),
            Source::SameAddresses => f.write_str("the same addresses, and it verifies"),
            Source::SameText => f.write_str("the same text, and it verifies"),
            Source::SameTime => f.write_str("the same time, and it verifies"),
        }
    }
}
