//! Points in time, as the command line takes them and verdicts print them.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

const DAY: u64 = 86_400;
/// The end of the year 9999, the last that RFC 3339 can write.
const LAST: u64 = 253_402_300_799;

/// A point in time in seconds since 1970-01-01 00:00 UTC; printed and read as RFC 3339 says.
///
/// ```
/// use mailproof_cli::instant::Instant;
///
/// let instant: Instant = "2018-06-10T13:38:29Z".parse()?;
/// assert_eq!(instant, "1528637909".parse()?);
/// assert_eq!("2018-06-10T15:38:29+02:00".parse(), Ok(instant));
/// assert_eq!(instant.to_string(), "2018-06-10T13:38:29Z");
/// # Ok::<(), mailproof_cli::instant::InstantError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(pub u64);

/// The text is no point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither seconds since 1970 nor a date like 2026-11-25T03:00:00Z")]
pub struct InstantError;

impl Instant {
    /// The clock of this computer.
    pub fn now() -> Instant {
        Instant(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
    }
}

impl FromStr for Instant {
    type Err = InstantError;

    fn from_str(text: &str) -> Result<Instant, InstantError> {
        if text.bytes().all(|octet| octet.is_ascii_digit()) {
            return text.parse().map(Instant).map_err(|_| InstantError);
        }
        rfc3339(text).ok_or(InstantError)
    }
}

/// RFC 3339 5.6: `date-time`; a space may stand for the `T`, and the zone for UTC be left out.
fn rfc3339(text: &str) -> Option<Instant> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let mut fields = date.splitn(3, '-').map(number);
    let (year, month, day) = (fields.next()??, fields.next()??, fields.next()??);
    if !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) || year < 1970 {
        return None;
    }
    let zone_at = time.find(['Z', 'z', '+', '-']).unwrap_or(time.len());
    let (time, zone) = time.split_at(zone_at);
    let time = time
        .split_once('.')
        .map_or(Some(time), |(whole, fraction)| number(fraction).map(|_| whole))?;
    let mut fields = time.splitn(3, ':').map(number);
    let (hour, minute, second) = (fields.next()??, fields.next()??, fields.next()??);
    // RFC 3339 5.7: a leap second is :60; it counts as the second after :59.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let local = days(year, month, day) * DAY + hour * 3600 + minute * 60 + second;
    match zone.split_at_checked(1) {
        None | Some(("Z" | "z", "")) => Some(Instant(local)),
        Some((sign, offset)) => {
            let (hours, minutes) = offset.split_once(':')?;
            let (hours, minutes) = (number(hours)?, number(minutes)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let offset = hours * 3600 + minutes * 60;
            if sign == "-" { Some(local + offset) } else { local.checked_sub(offset) }.map(Instant)
        }
    }
}

/// One to nine digits.
fn number(text: &str) -> Option<u64> {
    let digits = (1..=9).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_in(year: u64, month: u64) -> u64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// The days from 1970-01-01 to this one.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let leap_days = |year: u64| year / 4 - year / 100 + year / 400;
    let year_days = (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969);
    year_days + (1..month).map(|month| days_in(year, month)).sum::<u64>() + day - 1
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 > LAST {
            return write!(f, "{} seconds since 1970", self.0);
        }
        let (mut rest, second) = (self.0 / DAY, self.0 % DAY);
        let mut year = 1970;
        // 146 097 days are 400 years to the day.
        year += rest / 146_097 * 400;
        rest %= 146_097;
        while rest >= 365 + u64::from(is_leap(year)) {
            rest -= 365 + u64::from(is_leap(year));
            year += 1;
        }
        let mut month = 1;
        while rest >= days_in(year, month) {
            rest -= days_in(year, month);
            month += 1;
        }
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let day = rest + 1;
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_forms_of_rfc_3339_5_8() {
        for (text, seconds) in [
            ("1985-04-12T23:20:50.52Z", 482_196_050),
            ("1996-12-19T16:39:57-08:00", 851_042_397),
            ("1990-12-31T23:59:60Z", 662_688_000),
            ("1937-01-01T12:00:27.87+00:20", 0),
            ("2026-11-25 03:00:00", 1_795_575_600),
            ("2000-02-29T00:00:00z", 951_782_400),
        ] {
            let expected = if seconds == 0 { Err(InstantError) } else { Ok(Instant(seconds)) };
            assert_eq!(text.parse::<Instant>(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_time() {
        for text in [
            "",
            "now",
            "-1",
            "2026-11-25",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:00X",
            "2026-01-01T00:00:00+1",
            "2026-01-01T00:00:00.Z",
            "99999999999999999999",
            "1970-01-01T00:00:00+01:00",
        ] {
            assert!(text.parse::<Instant>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn print_and_parse_agree(seconds in 0..=LAST) {
            prop_assert_eq!(Instant(seconds).to_string().parse(), Ok(Instant(seconds)));
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = text.parse::<Instant>();
        }
    }
}
