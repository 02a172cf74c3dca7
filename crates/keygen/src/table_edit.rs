//! Changes to the text of a KeyTable or SigningTable; all else in it stays, comments too.

use std::ops::Range;

use mailproof_dns::Name;

use crate::data_set::{DataSetKind, span};
use crate::key_table::KeyEntry;

/// The KeyTable with one more entry at its end.
pub fn add_key(text: &str, name: &str, domain: &Name, selector: &Name, file: &str) -> String {
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    format!("{text}{end}{name} {domain}:{selector}:{file}\n")
}

/// The KeyTable with another selector and key file in an entry of it.
pub fn change_key(
    kind: DataSetKind,
    text: &str,
    entry: &KeyEntry,
    selector: &Name,
    file: &str,
) -> String {
    let domain = entry.domain.as_ref().map_or("%".to_owned(), Name::to_string);
    let values = kind
        .entries(text)
        .filter(|found| found.line == entry.line)
        .map(|found| (span(text, found.value), format!("{domain}:{selector}:{file}")));
    replaced(text, values)
}

/// The KeyTable without a line.
pub fn remove_line(text: &str, line: usize) -> String {
    let lines = text.split_inclusive('\n').zip(1..);
    lines.filter(|&(_, number)| number != line).map(|(text, _)| text).collect()
}

/// The SigningTable with the new name of a key wherever it has the old.
pub fn rename_key(kind: DataSetKind, text: &str, old: &str, new: &str) -> String {
    let names = kind.entries(text).filter(|found| !found.is_passed_over).filter_map(|found| {
        let name = found.value.split(':').next()?.trim_end();
        (name == old).then(|| (span(text, name), new.to_owned()))
    });
    replaced(text, names)
}

/// `text` with other texts in some places, which are in order.
fn replaced(text: &str, places: impl Iterator<Item = (Range<usize>, String)>) -> String {
    let (mut changed, mut from) = (String::with_capacity(text.len() + 64), 0);
    for (place, new) in places {
        changed += text.get(from..place.start).unwrap_or_default();
        changed += &new;
        from = place.end;
    }
    changed + text.get(from..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KeyTable, SigningTable};

    const KEYS: &str =
        "# keys\nold example.com:2025:/k/2025.private # of last year\nb b.example:s:/k/s\n";

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    #[test]
    fn a_key_is_added_and_the_old_one_removed() {
        let added =
            add_key(KEYS.trim_end(), "new", &name("example.com"), &name("2026"), "/k/2026.private");
        assert_eq!(added, format!("{KEYS}new example.com:2026:/k/2026.private\n"));
        let table = KeyTable::parse(DataSetKind::File, &added).unwrap();
        let removed = remove_line(&added, table.key("old").unwrap().line);
        assert_eq!(removed, "# keys\nb b.example:s:/k/s\nnew example.com:2026:/k/2026.private\n");
    }

    #[test]
    fn a_key_is_changed_in_its_place() {
        let table = KeyTable::parse(DataSetKind::File, KEYS).unwrap();
        let entry = table.key("old").unwrap();
        let changed = change_key(DataSetKind::File, KEYS, entry, &name("2026"), "/k/2026.private");
        assert_eq!(changed, KEYS.replace("2025", "2026"));
    }

    #[test]
    fn a_key_is_renamed_where_it_is_used() {
        let text =
            "*@example.com old # all\n old@example.com old\nold@b.example b:old@%\nx old:x@%\n";
        let renamed = rename_key(DataSetKind::Refile, text, "old", "new");
        let expected =
            "*@example.com new # all\n old@example.com old\nold@b.example b:old@%\nx new:x@%\n";
        assert_eq!(renamed, expected);
        let table = SigningTable::parse(DataSetKind::Refile, &renamed).unwrap();
        assert_eq!(table.matches("joe@example.com").next().unwrap().key_name, "new");
    }
}
