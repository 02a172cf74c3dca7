//! The values of settings that have a spelling of their own.

mod endpoint;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use mailproof_keygen::{DataSet, DataSetError, DataSetKind};
use serde::{Deserialize, Serialize};

pub use endpoint::{Endpoint, EndpointError, Family, Host};

use crate::settings::AuthservId;

/// A type is written as its `Display` and read by its `FromStr`.
macro_rules! as_text {
    ($($type:ty),+) => {$(
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'_, str>>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}
pub(crate) use as_text;

as_text!(Endpoint, FileMode, Account, Item, AuthservId);

/// A domain or a selector of a signature, which has letters, digits, hyphens and underscores alone.
pub(crate) mod signer {
    use mailproof_dns::Name;
    use mailproof_keygen::{Domain, OwnerError};
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(crate) fn parse(text: &str) -> Result<Name, OwnerError> {
        Ok(text.parse::<Domain>()?.to_string().parse()?)
    }

    pub(crate) fn serialize<S: Serializer>(name: &Name, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(name)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Name, D::Error> {
        parse(&String::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

/// As `as_text`, for a list whose type is not ours.
pub(crate) mod text_forms {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(crate) fn serialize<T: Display, S: Serializer>(
        values: &[T],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(values.iter().map(ToString::to_string))
    }

    pub(crate) fn deserialize<'de, T, D>(from: D) -> Result<Vec<T>, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        let texts = Vec::<String>::deserialize(from)?;
        texts.iter().map(|text| text.parse().map_err(serde::de::Error::custom)).collect()
    }
}

/// A data set by its kind and its place.
pub(crate) mod data_set {
    use mailproof_keygen::DataSet;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(set: &DataSet, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&super::DataSetText(set))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<DataSet, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A data set as it is written.
struct DataSetText<'a>(&'a DataSet);

impl fmt::Display for DataSetText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.0.kind {
            DataSetKind::List => "csl",
            DataSetKind::File => "file",
            DataSetKind::Refile => "refile",
        };
        write!(f, "{kind}:{}", self.0.location)
    }
}

/// A time in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seconds(pub u64);

impl From<Seconds> for Duration {
    fn from(seconds: Seconds) -> Duration {
        Duration::from_secs(seconds.0)
    }
}

/// The mode of a file, in octal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileMode(pub u32);

/// Not a mode in octal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a mode in octal, as \"0660\"")]
pub struct FileModeError;

impl FromStr for FileMode {
    type Err = FileModeError;

    fn from_str(text: &str) -> Result<FileMode, FileModeError> {
        let mode = u32::from_str_radix(text, 8).map_err(|_| FileModeError)?;
        if mode <= 0o777 { Ok(FileMode(mode)) } else { Err(FileModeError) }
    }
}

impl fmt::Display for FileMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

/// A user, and perhaps a group: `USER[:GROUP]`, names or numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The user.
    pub user: String,
    /// The group; without it, that of the user.
    pub group: Option<String>,
}

/// No user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected USER or USER:GROUP")]
pub struct AccountError;

impl FromStr for Account {
    type Err = AccountError;

    fn from_str(text: &str) -> Result<Account, AccountError> {
        let (user, group) = match text.split_once(':') {
            Some((user, group)) => (user, Some(group)),
            None => (text, None),
        };
        let is_name = |name: &str| {
            !name.is_empty() && name.chars().all(|c| !c.is_whitespace() && !":/".contains(c))
        };
        if !is_name(user) || !group.is_none_or(is_name) {
            return Err(AccountError);
        }
        Ok(Account { user: user.to_owned(), group: group.map(str::to_owned) })
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.user)?;
        self.group.as_ref().map_or(Ok(()), |group| write!(f, ":{group}"))
    }
}

impl FromStr for AuthservId {
    type Err = AuthservIdError;

    fn from_str(text: &str) -> Result<AuthservId, AuthservIdError> {
        match text {
            "MTA" => Ok(AuthservId::Mta),
            "HOSTNAME" => Ok(AuthservId::HostName),
            _ if text.is_empty() || !text.bytes().all(|octet| octet.is_ascii_graphic()) => {
                Err(AuthservIdError)
            }
            _ => Ok(AuthservId::Name(text.to_owned())),
        }
    }
}

/// No authserv-id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a name without spaces, or MTA or HOSTNAME")]
pub struct AuthservIdError;

impl fmt::Display for AuthservId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AuthservId::Mta => "MTA",
            AuthservId::HostName => "HOSTNAME",
            AuthservId::Name(name) => name,
        })
    }
}

/// An item of a list of hosts, domains or addresses: one of them, or a data set of more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// One, as it is written.
    One(String),
    /// Those of a file, `file:PATH` or `refile:PATH`.
    Set(DataSet),
}

impl Item {
    /// This host.
    pub(crate) fn loopback() -> Vec<Item> {
        ["127.0.0.1", "::1"].map(|text| Item::One(text.to_owned())).into()
    }
}

/// Not an item of a list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ItemError {
    /// A data set that cannot be read.
    #[error(transparent)]
    DataSet(#[from] DataSetError),
    /// Nothing, or several things.
    #[error("expected one host, network, domain or address, or file:PATH or refile:PATH")]
    NotOne,
}

impl FromStr for Item {
    type Err = ItemError;

    fn from_str(text: &str) -> Result<Item, ItemError> {
        // An address of IPv6 has colons too.
        let is_set = text.split_once(':').is_some_and(|(kind, rest)| {
            rest.starts_with('/') || (kind.starts_with('/') && !rest.is_empty())
        });
        if is_set {
            return Ok(Item::Set(text.parse()?));
        }
        if text.is_empty() || text.contains(|c: char| c.is_whitespace() || c == ',') {
            return Err(ItemError::NotOne);
        }
        Ok(Item::One(text.to_owned()))
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Item::One(text) => f.write_str(text),
            Item::Set(set) => DataSetText(set).fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spellings() {
        assert_eq!("0660".parse(), Ok(FileMode(0o660)));
        assert_eq!("7777".parse::<FileMode>(), Err(FileModeError));
        assert_eq!("opendkim:".parse::<Account>(), Err(AccountError));
        assert_eq!("a:b".parse::<Account>().unwrap().to_string(), "a:b");
        assert!("/refile:/etc/opendkim/TrustedHosts".parse::<Item>().is_err());
        assert_eq!("fe80::/64".parse::<Item>(), Ok(Item::One("fe80::/64".into())));
        let set: Item = "refile:/etc/hosts".parse().unwrap();
        assert_eq!(set.to_string(), "refile:/etc/hosts");
        assert_eq!("a b".parse::<Item>(), Err(ItemError::NotOne));
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read(text in "[a-z:/@.0-9\\[\\]]{0,20}") {
            if let Ok(value) = text.parse::<Item>() {
                prop_assert_eq!(value.to_string().parse(), Ok(value));
            }
            if let Ok(value) = text.parse::<Account>() {
                prop_assert_eq!(value.to_string().parse(), Ok(value));
            }
            if let Ok(value) = text.parse::<AuthservId>() {
                prop_assert_eq!(value.to_string().parse::<AuthservId>().unwrap(), value);
            }
        }
    }
}
