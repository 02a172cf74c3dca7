//! The keys that sign: those of the command line, or those that the tables have for the author.

use std::path::Path;

use mailproof_cli::exit::Trouble;
use mailproof_cli::input::STDIN;
use mailproof_cli::key_file::KeyFile;
use mailproof_cli::key_tables::{read_key_table, read_signing_table};
use mailproof_cli::output::remark;
use mailproof_dkim::{Identity, PrivateKey};
use mailproof_dns::Name;
use mailproof_keygen::{KeySource, KeyTable, Match, SigningTable};
use mailproof_message::{AddressList, AuthorDomain, Header, Limits, author_domain};

use crate::cli::{Cli, identity};

/// Where the keys come from.
pub(crate) enum Keys {
    /// The command line; `None` for the domain of the author.
    Named(Vec<(PrivateKey, Name, Option<Name>)>),
    /// The tables of OpenDKIM.
    Tables { keys: KeyTable, signing: SigningTable, multiple: bool },
}

/// A key and what its signature says.
pub(crate) struct SigningKey {
    pub(crate) key: PrivateKey,
    pub(crate) domain: Name,
    pub(crate) selector: Name,
    /// What the tables want i= to be.
    pub(crate) identity: Option<Identity>,
}

impl Keys {
    /// Reads what the command line names.
    pub(crate) fn read(cli: &Cli, message_is_stdin: bool) -> Result<Keys, Trouble> {
        match (&cli.key_table, &cli.signing_table) {
            (Some(keys), Some(signing)) => Ok(Keys::Tables {
                keys: read_key_table(keys)?,
                signing: read_signing_table(signing)?,
                multiple: cli.multiple_signatures,
            }),
            _ => named(cli, message_is_stdin).map(Keys::Named),
        }
    }

    /// The keys for a message with this header.
    pub(crate) fn for_message(self, header: &Header) -> Result<Vec<SigningKey>, String> {
        match self {
            Keys::Named(keys) => {
                let signing = |(key, selector, domain): (PrivateKey, Name, Option<Name>)| {
                    let domain = domain.map_or_else(|| domain_of_author(header), Ok)?;
                    Ok(SigningKey { key, domain, selector, identity: None })
                };
                keys.into_iter().map(signing).collect()
            }
            Keys::Tables { keys, signing, multiple } => {
                let author = author(header)?;
                let most = if multiple { usize::MAX } else { 1 };
                let found: Vec<Match<'_>> = signing.matches(&author).take(most).collect();
                if found.is_empty() {
                    return Err(format!("no line of the SigningTable is for {author:?}"));
                }
                found.iter().map(|found| of_table(&keys, found, header)).collect()
            }
        }
    }
}

/// The keys in the order of the command line, each with its selector and domain.
fn named(
    cli: &Cli,
    message_is_stdin: bool,
) -> Result<Vec<(PrivateKey, Name, Option<Name>)>, Trouble> {
    let (keys, selectors, domains) = (cli.key.len(), cli.selector.len(), cli.domain.len());
    if selectors != keys {
        return Err(Trouble::Usage(format!(
            "{keys} of --key, but {selectors} of --selector: each key has its selector, in the \
             same order"
        )));
    }
    if domains > 1 && domains != keys {
        return Err(Trouble::Usage(format!(
            "{keys} of --key, but {domains} of --domain: give one for all keys, or one for each in \
             the same order"
        )));
    }
    let from_stdin = cli.key.iter().filter(|path| path.as_os_str() == STDIN).count();
    if from_stdin + usize::from(message_is_stdin) > 1 {
        return Err(Trouble::Usage(
            "standard input is either the message or one key: name files for the others".into(),
        ));
    }
    let each = cli.key.iter().zip(&cli.selector).enumerate();
    each.map(|(index, (path, selector))| {
        let domain = cli.domain.get(index).or(cli.domain.first()).cloned();
        Ok((read(path)?, selector.clone(), domain))
    })
    .collect()
}

fn read(path: &Path) -> Result<PrivateKey, Trouble> {
    let KeyFile { key, warning } = KeyFile::read(path)?;
    if let Some(warning) = warning {
        remark("warning", warning);
    }
    Ok(key)
}

/// The key that a line of the SigningTable names.
fn of_table(keys: &KeyTable, found: &Match<'_>, header: &Header) -> Result<SigningKey, String> {
    let name = &found.key_name;
    let entry = keys.key(name).ok_or_else(|| {
        let line = found.entry.line;
        format!("line {line} of the SigningTable names {name:?}, which the KeyTable does not have")
    })?;
    let author = domain_of_author(header)?;
    let key = match (&entry.key, entry.path(&author)) {
        (KeySource::Inline(key), _) => key.parse().map_err(|error| error.to_string())?,
        (KeySource::File(_), Some(path)) => read(&path).map_err(|trouble| trouble.to_string())?,
        (KeySource::File(path), None) => {
            return Err(format!("{path}: the domain of the author is not fit for a path"));
        }
    };
    let domain = entry.domain(&author).clone();
    // OpenDKIM leaves out what conflicts with d=.
    let identity = found.signer.as_deref().and_then(|signer| identity(signer).ok());
    let identity = identity.filter(|identity| identity.domain.is_at_or_below(&domain));
    Ok(SigningKey { key, domain, selector: entry.selector.clone(), identity })
}

/// The domain of the one author.
fn domain_of_author(header: &Header) -> Result<Name, String> {
    match author_domain(header) {
        AuthorDomain::One(domain) => {
            domain.parse().map_err(|_| format!("the domain of the author, {domain:?}, is no name"))
        }
        _ => Err("From does not name authors of one domain: name the domain that signs with \
                  --domain"
            .into()),
    }
}

/// The address of the first author.
fn author(header: &Header) -> Result<String, String> {
    let domain = domain_of_author(header)?;
    let field = header.named("From").next().ok_or("the message has no From field")?;
    let list = AddressList::parse(field.value(), &Limits::default());
    let first = list.map_err(|error| error.to_string())?.mailboxes.into_iter().next();
    let first = first.ok_or("From has no address")?;
    let local_part = field.value().get(first.local_part).unwrap_or_default();
    Ok(format!("{}@{domain}", String::from_utf8_lossy(local_part)))
}
