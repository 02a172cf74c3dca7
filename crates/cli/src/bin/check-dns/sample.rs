//! What the signatures of a sample message tell: domains and their selectors.

use std::fs;
use std::path::Path;

use mailproof_cli::exit::Trouble;
use mailproof_cli::input::reason;
use mailproof_dkim::{Limits, Signature};
use mailproof_dns::Name;
use mailproof_message::{CrlfReader, read_header};

/// The domain (d=) and selector (s=) of every DKIM signature that can be read.
pub(crate) fn signatures(path: &Path) -> Result<Vec<(Name, Name)>, Trouble> {
    let name = path.to_string_lossy();
    let file = fs::File::open(path).map_err(|error| Trouble::input(&*name, reason(&error)))?;
    let (header, _) = read_header(CrlfReader::new(file), &mailproof_message::Limits::default())
        .map_err(|error| Trouble::input(&*name, error))?;
    let mut found = Vec::new();
    for field in header.named("DKIM-Signature") {
        let Ok(signature) = Signature::parse(field.value(), &Limits::default()) else { continue };
        let pair = (signature.domain, signature.selector);
        if !found.contains(&pair) {
            found.push(pair);
        }
    }
    if found.is_empty() {
        return Err(Trouble::input(&*name, "no DKIM-Signature field that can be read"));
    }
    Ok(found)
}
