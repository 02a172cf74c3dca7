//! Addresses that reports are mailed to (RFC 6068 2).

use mailproof_dns::Name;

/// What is wrong with the address of a mailto URI, decoded: the grammar takes some that nobody has.
pub(crate) fn fault(address: &str) -> Option<&'static str> {
    if address.starts_with("//") {
        return Some("no slashes stand before an address");
    }
    let (local, domain) = address.rsplit_once('@').unwrap_or_default();
    let is_one = !local.is_empty() && (local.starts_with('"') || !local.contains('@'));
    match (is_one, is_domain(domain)) {
        (false, _) => Some("this is not one address"),
        (true, false) => Some("what stands behind the at sign is no domain"),
        (true, true) => None,
    }
}

/// Whether mail can have this destination: an address in brackets, or a name of several labels
/// that is none.
fn is_domain(text: &str) -> bool {
    if text.starts_with('[') {
        return text.ends_with(']');
    }
    let Ok(name) = text.parse::<Name>() else { return false };
    let is_letter = |octet: &u8| octet.is_ascii_alphanumeric() || b"-_".contains(octet);
    let is_number = |label: &[u8]| label.iter().all(u8::is_ascii_digit);
    name.label_count() > 1
        && name.labels().all(|label| label.iter().all(is_letter))
        && !name.labels().last().is_some_and(is_number)
}
