//! Where a key record stands (RFC 6376 3.6.2.1).

use std::fmt;
use std::str::FromStr;

use mailproof_dns::{Name, NameError};

/// A selector (RFC 6376 3.1) as it was written, its case kept.
///
/// RFC 6376 3.1 makes it of sub-domains: letters, digits and hyphens, dots between. The underscore,
/// which the DNS takes and people use, is taken as well; nothing else is, so a selector is a file
/// name, a word in a zone and a word in a shell just as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector(String);

/// A domain name in A-labels (RFC 5890 2.3.2.1), its case kept, without a dot at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain(String);

/// Why a text is no selector or domain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OwnerError {
    /// Something else than a letter, digit, hyphen, underscore or dot.
    #[error(
        "{0:?} is not allowed, only letters, digits, hyphens and underscores, with dots between"
    )]
    Character(char),
    /// A label begins or ends with a hyphen (RFC 5321 4.1.2).
    #[error("a label must not begin or end with a hyphen")]
    Hyphen,
    /// Empty, or too long, or a label of it is.
    #[error("{0}")]
    Name(#[from] NameError),
    /// The domain is not in the zone that its record is to be put into.
    #[error("{domain} is not in the zone {zone}")]
    OutOfZone {
        /// The domain.
        domain: Domain,
        /// The zone.
        zone: Domain,
    },
}

fn check(text: &str) -> Result<(), OwnerError> {
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if let Some(character) = text.chars().find(|&c| !known(c)) {
        return Err(OwnerError::Character(character));
    }
    if text.split('.').any(|label| label.starts_with('-') || label.ends_with('-')) {
        return Err(OwnerError::Hyphen);
    }
    let name: Name = text.parse()?;
    if name.label_count() == 0 {
        return Err(OwnerError::Name(NameError::EmptyLabel));
    }
    Ok(())
}

impl FromStr for Selector {
    type Err = OwnerError;

    fn from_str(text: &str) -> Result<Selector, OwnerError> {
        check(text)?;
        if text.ends_with('.') {
            return Err(OwnerError::Name(NameError::EmptyLabel));
        }
        Ok(Selector(text.to_owned()))
    }
}

impl FromStr for Domain {
    type Err = OwnerError;

    fn from_str(text: &str) -> Result<Domain, OwnerError> {
        let ascii =
            if text.is_ascii() { text.to_owned() } else { text.parse::<Name>()?.to_string() };
        check(&ascii)?;
        Ok(Domain(ascii.strip_suffix('.').unwrap_or(&ascii).to_owned()))
    }
}

impl Domain {
    /// The labels below `zone`, with dots between; `None` if the domain is not in it.
    fn below(&self, zone: &Domain) -> Option<&str> {
        let at = self.0.len().checked_sub(zone.0.len())?;
        let (inner, outer) = self.0.split_at_checked(at)?;
        match outer.eq_ignore_ascii_case(&zone.0) {
            true if inner.is_empty() => Some(inner),
            true => inner.strip_suffix('.'),
            false => None,
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The name of a record, relative to its zone and in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    relative: String,
    zone: Option<Domain>,
}

impl Owner {
    /// The name of a key record (RFC 6376 3.6.2.1), `<selector>._domainkey.<domain>`, in a zone of
    /// the name of the domain. Without a domain there are only relative forms of it.
    pub fn of_key(selector: &Selector, domain: Option<&Domain>) -> Owner {
        Owner { relative: format!("{selector}._domainkey"), zone: domain.cloned() }
    }

    /// The name of a key record in the zone `zone`, in which the domain is.
    ///
    /// # Errors
    /// It is not.
    pub fn of_key_in(
        selector: &Selector,
        domain: &Domain,
        zone: &Domain,
    ) -> Result<Owner, OwnerError> {
        let relative = match domain.below(zone) {
            Some("") => format!("{selector}._domainkey"),
            Some(inner) => format!("{selector}._domainkey.{inner}"),
            None => {
                return Err(OwnerError::OutOfZone { domain: domain.clone(), zone: zone.clone() });
            }
        };
        Ok(Owner { relative, zone: Some(zone.clone()) })
    }

    /// A name that is only known in full: its first label, in a zone of the name of the rest.
    pub fn of_name(name: &Domain) -> Owner {
        match name.0.split_once('.') {
            Some((first, rest)) => {
                Owner { relative: first.to_owned(), zone: Some(Domain(rest.to_owned())) }
            }
            None => Owner { relative: name.0.clone(), zone: None },
        }
    }

    /// The name relative to the zone, as most web forms want it; without a dot at its end.
    pub fn relative(&self) -> &str {
        &self.relative
    }

    /// The zone, if it is known.
    pub fn zone(&self) -> Option<&Domain> {
        self.zone.as_ref()
    }

    /// The name in full, without a dot at its end; `None` where the zone is not known.
    pub fn absolute(&self) -> Option<String> {
        Some(format!("{}.{}", self.relative, self.zone.as_ref()?))
    }
}
