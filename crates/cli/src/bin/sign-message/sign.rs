//! Signing one message.

use std::io::Read;

use mailproof_cli::exit::Trouble;
use mailproof_cli::input::reason;
use mailproof_dkim::{EightBit, PrivateKey, Refusal, Signer, Template};
use mailproof_dns::Name;
use mailproof_message::{
    AuthorDomain, CrlfReader, Header, Limits, ReadError, author_domain, read_header,
};

use crate::cli::Cli;

/// A key and the name that it is published under.
pub(crate) struct SigningKey {
    pub(crate) key: PrivateKey,
    pub(crate) selector: Name,
    /// `None` for the domain of the author.
    pub(crate) domain: Option<Name>,
}

/// The DKIM-Signature fields of the message of this name.
pub(crate) fn sign(
    name: &str,
    message: impl Read,
    keys: &[SigningKey],
    cli: &Cli,
    now: u64,
) -> Result<Vec<Vec<u8>>, Trouble> {
    let unreadable = |error: ReadError| match error {
        ReadError::Io(error) => Trouble::input(name, reason(&error)),
        other => Trouble::input(name, other),
    };
    let refused = |refusal: Refusal| match refusal {
        Refusal::EightBit => Trouble::input(name, format_args!("{refusal} with --allow-8bit")),
        _ => Trouble::input(name, refusal),
    };
    let (header, mut body) =
        read_header(CrlfReader::new(message), &Limits::default()).map_err(unreadable)?;
    let templates = keys.iter().map(|key| template(name, &header, key, cli, now));
    let templates = templates.collect::<Result<Vec<Template<'_>>, Trouble>>()?;
    let eight_bit = if cli.allow_8bit { EightBit::Sign } else { EightBit::Refuse };
    let mut signer = Signer::new(&header, templates, eight_bit).map_err(refused)?;
    while let Some(chunk) = body.next_chunk().map_err(|error| unreadable(error.into()))? {
        signer.body(chunk).map_err(refused)?;
    }
    signer.finish().map_err(refused)
}

fn template<'k>(
    name: &str,
    header: &Header,
    key: &'k SigningKey,
    cli: &Cli,
    now: u64,
) -> Result<Template<'k>, Trouble> {
    let domain = match &key.domain {
        Some(domain) => domain.clone(),
        None => of_author(header).map_err(|reason| Trouble::input(name, reason))?,
    };
    let template = Template::new(&key.key, domain, key.selector.clone(), now);
    Ok(Template {
        header_canonicalization: cli.canonicalization.header,
        body_canonicalization: cli.canonicalization.body,
        identity: cli.identity.clone(),
        valid_for: cli.expire,
        fields: cli.selection(),
        ..template
    })
}

/// The domain of the one author.
fn of_author(header: &Header) -> Result<Name, String> {
    match author_domain(header) {
        AuthorDomain::One(domain) => {
            domain.parse().map_err(|_| format!("the domain of the author, {domain:?}, is no name"))
        }
        _ => Err("From does not name authors of one domain: name the domain that signs with \
                  --domain"
            .into()),
    }
}
