//! Beginning a rotation.

use std::path::{Path, PathBuf};

use mailproof_cli::dns_source::Source;
use mailproof_cli::exit::Trouble;
use mailproof_cli::instant::Instant;
use mailproof_dns::{Name, Question};
use mailproof_keygen::{Rotation, dated_selectors};

use super::Arguments;
use super::carry::{read, usage};
use super::place::Place;
use super::state::{Key, State};

/// A rotation of which no step is taken. `last` is the one before it, if there was one.
pub(super) fn begin(
    arguments: &Arguments,
    place: &Place<'_>,
    directory: PathBuf,
    last: Option<State>,
    now: Instant,
    source: &mut Source,
) -> Result<State, Trouble> {
    let Arguments { domain, selector, .. } = arguments;
    let old = match (place, last) {
        (Place::ByHand, Some(last)) if selector.is_none() => last.new,
        _ => place.current(domain, selector.as_ref(), Some(&directory))?,
    };
    read(&old.file)?;
    let directory = match &arguments.directory {
        Some(_) => directory,
        None => old.file.parent().unwrap_or(Path::new("")).to_owned(),
    };
    let selector = match &arguments.new_selector {
        Some(selector) => selector.clone(),
        None => free_selector(domain, place, &directory, now, source)?,
    };
    if selector == old.selector {
        return Err(Trouble::Usage(format!("{selector} is the selector of the old key")));
    }
    let name = place.new_name(domain, &old, &selector);
    let file = key_file(&directory, &selector.to_string());
    if file.exists() {
        return Err(Trouble::input(file.to_string_lossy(), "it exists: it is no new key"));
    }
    let (new, ttl) = (Key { selector, file, name }, arguments.update.ttl);
    Ok(State { domain: domain.clone(), old, new, ttl, rotation: Rotation::default() })
}

fn key_file(directory: &Path, selector: &str) -> PathBuf {
    directory.join(format!("{selector}.private"))
}

/// The first selector of today that nothing has: no file, no entry of the KeyTable, no record.
fn free_selector(
    domain: &Name,
    place: &Place<'_>,
    directory: &Path,
    now: Instant,
    source: &mut Source,
) -> Result<Name, Trouble> {
    let date = now.to_string().get(..10).unwrap_or_default().replace('-', "");
    for selector in dated_selectors(&date) {
        let is_taken = key_file(directory, &selector).exists()
            || place.has_selector(domain, &selector)?
            || is_published(domain, &selector, source)?;
        if !is_taken {
            return selector.parse().map_err(usage);
        }
    }
    Err(Trouble::Usage("no selector of today is free: give --new-selector".to_owned()))
}

/// Whether there is a text record for the selector; if the DNS does not say, there is none.
fn is_published(domain: &Name, selector: &str, source: &mut Source) -> Result<bool, Trouble> {
    let Ok(name) = domain.prepend(&format!("{selector}._domainkey")) else { return Ok(false) };
    let question = Question::txt(name);
    let (response, _) = source.resolve(|answers| answers.require(&question).cloned())?;
    Ok(response.texts().next().is_some())
}
