//! A Date field (RFC 5322 3.3) as other programs write the same time: gateways write it anew, mostly
//! in UTC.

/// The least and the largest zone in use, and how far zones are apart, in minutes; and those between.
const ZONES: (i64, i64, usize) = (-12 * 60, 14 * 60, 30);
const ODD_ZONES: [i64; 3] = [5 * 60 + 45, 8 * 60 + 45, 12 * 60 + 45];
/// How UTC is written.
const UTC: [&str; 7] = ["+0000", "-0000", "GMT", "UT", "UTC", "+0000 (UTC)", "+0000 (GMT)"];
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A time, and the zone it was written in.
struct Date<'a> {
    /// Minutes since 1970-01-01 UTC.
    minutes: i64,
    /// The colon and the seconds, if there are any.
    seconds: &'a str,
    /// Minutes east of UTC.
    zone: i64,
}

/// The same time in the forms that programs write, and in other time zones; nothing if it is no
/// date.
pub(super) fn same_time(value: &[u8]) -> Vec<String> {
    let Some(date) = std::str::from_utf8(value).ok().and_then(Date::read) else {
        return Vec::new();
    };
    let mut forms = Vec::new();
    let names = if date.zone == 0 { UTC.to_vec() } else { Vec::new() };
    for (weekday, padded) in [(true, false), (true, true), (false, false), (false, true)] {
        forms.extend(names.iter().map(|name| date.text(0, weekday, padded, name)));
        forms.push(date.text(date.zone, weekday, padded, &offset(date.zone)));
    }
    let (least, most, apart) = ZONES;
    for zone in (least..=most).step_by(apart).chain(ODD_ZONES) {
        forms.extend([false, true].map(|padded| date.text(zone, true, padded, &offset(zone))));
    }
    // A day of two digits has one form, padded or not.
    forms.sort();
    forms.dedup();
    forms
}

fn offset(zone: i64) -> String {
    let sign = if zone < 0 { '-' } else { '+' };
    format!("{sign}{:02}{:02}", zone.abs() / 60, zone.abs() % 60)
}

impl<'a> Date<'a> {
    /// `[day-name ","] day month year hour ":" minute [":" second] zone`, and comments after it.
    fn read(value: &'a str) -> Option<Date<'a>> {
        let mut words = value.split_ascii_whitespace();
        let first = words.next()?;
        let day = if first.ends_with(',') { words.next()? } else { first };
        let month = words.next()?;
        let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month))?;
        let year = number(words.next()?, 4)?;
        let (hour, rest) = words.next()?.split_once(':')?;
        let (minute, seconds) = rest.split_at_checked(2)?;
        let zone = zone(words.next()?)?;
        let day = days(year, i64::try_from(month).ok()? + 1, number(day, 2)?);
        let minutes = (day * 24 + number(hour, 2)?) * 60 + number(minute, 2)? - zone;
        Some(Date { minutes, seconds, zone })
    }

    fn text(&self, zone: i64, weekday: bool, padded: bool, zone_text: &str) -> String {
        let local = self.minutes + zone;
        let (days, minutes) = (local.div_euclid(24 * 60), local.rem_euclid(24 * 60));
        let (year, month, day) = civil(days);
        let name = |names: &[&'static str], at: i64| {
            usize::try_from(at).ok().and_then(|at| names.get(at).copied()).unwrap_or_default()
        };
        let weekday = match weekday {
            true => format!("{}, ", name(&WEEKDAYS, days.rem_euclid(7))),
            false => String::new(),
        };
        let width = if padded { 2 } else { 1 };
        let (month, hour, minute) = (name(&MONTHS, month - 1), minutes / 60, minutes % 60);
        let seconds = self.seconds;
        format!("{weekday}{day:0width$} {month} {year} {hour:02}:{minute:02}{seconds} {zone_text}")
    }
}

/// A number of no more digits than these.
fn number(text: &str, digits: usize) -> Option<i64> {
    let is_number = text.len() <= digits && text.bytes().all(|octet| octet.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

fn zone(text: &str) -> Option<i64> {
    let (sign, digits) = match text.split_at_checked(1) {
        Some(("+", digits)) => (1, digits),
        Some(("-", digits)) => (-1, digits),
        _ => return matches!(text, "GMT" | "UT" | "UTC" | "Z").then_some(0),
    };
    let digits = number(digits, 4)?;
    Some(sign * (digits / 100 * 60 + digits % 100))
}

/// Days since 1970-01-01 in the Gregorian calendar. Years are counted from March, so that the day
/// that leap years have more comes last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // Of the months from March on, five have 153 days.
    before + (153 * month + 2) / 5 + day - 1 - 719_468
}

/// Year, month and day of a day since 1970-01-01.
fn civil(day: i64) -> (i64, i64, i64) {
    // Not later than the year it is in, and not much earlier.
    let mut year = 1970 + day.div_euclid(if day < 0 { 365 } else { 366 });
    while days(year + 1, 1, 1) <= day {
        year += 1;
    }
    let month = (1..=12).rev().find(|&month| days(year, month, 1) <= day).unwrap_or(1);
    (year, month, day - days(year, month, 1) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_the_calendar() {
        assert_eq!(days(1970, 1, 1), 0);
        assert_eq!(days(2000, 3, 1), 11_017);
        for day in -720_000..60_000 {
            let (year, month, of_month) = civil(day);
            assert_eq!(days(year, month, of_month), day);
            assert!((1..=12).contains(&month) && (1..=31).contains(&of_month), "{day}");
        }
        assert_eq!(civil(days(2024, 2, 29) + 1), (2024, 3, 1));
        assert_eq!(civil(days(2100, 2, 28) + 1), (2100, 3, 1));
    }

    #[test]
    fn the_same_time_elsewhere() {
        let forms = same_time(b"Thu, 1 Jan 2026 00:30:05 +0000");
        for form in [
            "Thu, 1 Jan 2026 00:30:05 GMT",
            "Thu, 01 Jan 2026 00:30:05 +0000 (UTC)",
            "1 Jan 2026 00:30:05 +0000",
            "Wed, 31 Dec 2025 19:30:05 -0500",
            "Thu, 1 Jan 2026 06:15:05 +0545",
        ] {
            assert!(forms.iter().any(|other| other == form), "{form} {forms:?}");
        }
        let forms = same_time(b" 14 Nov 2023 23:13 +0100 (CET)");
        assert!(forms.contains(&"Tue, 14 Nov 2023 22:13 +0000".to_owned()), "{forms:?}");
        for no_date in [
            &b""[..],
            b"Tue",
            b"Tue, 14 Nov 2023",
            b"Tue, 14 Now 2023 22:13:20 +0000",
            b"Tue, 14 Nov 99999 22:13:20 +0000",
            b"Tue, 14 Nov 2023 22:13:20 XYZ",
            b"Tue, -1 Nov 2023 22:13:20 +0000",
            b"\xff",
        ] {
            assert_eq!(same_time(no_date), [""; 0]);
        }
    }
}
