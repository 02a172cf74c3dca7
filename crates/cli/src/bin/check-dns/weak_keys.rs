//! Lists of weak keys, read when somebody names them.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mailproof_cli::exit::Trouble;
use mailproof_cli::input::reason;
use mailproof_records::{Limits, WeakKeys, WeakKeysError};

/// The lists of these files, once for all domains; `None` if there is no file.
pub(crate) fn read<'a>(
    paths: impl IntoIterator<Item = &'a PathBuf>,
) -> Result<Option<Arc<WeakKeys>>, Trouble> {
    let mut weak_keys = None;
    for path in paths {
        add(weak_keys.get_or_insert_default(), path)?;
    }
    Ok(weak_keys.map(Arc::new))
}

fn add(weak_keys: &mut WeakKeys, path: &Path) -> Result<(), Trouble> {
    let limits = Limits::default();
    let name = path.to_string_lossy();
    let trouble = |error| Trouble::input(&*name, reason(&error));
    // An octet more, so that what is too much is seen.
    let most = u64::try_from(limits.weak_keys).unwrap_or(u64::MAX).saturating_add(1);
    let mut list = Vec::new();
    File::open(path).map_err(trouble)?.take(most).read_to_end(&mut list).map_err(trouble)?;
    weak_keys.add(&*name, &list, &limits).map_err(|error| match error {
        WeakKeysError::Line(line) => Trouble::input(format!("{name}:{line}"), error),
        _ => Trouble::input(&*name, error),
    })
}
