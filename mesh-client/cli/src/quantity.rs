//! Numbers with units, as a person types them: counts, sizes, durations, rates.

use std::time::Duration;

use mesh_wire::limits::REQUEST_TIMEOUT_MS_MAX;

/// Reads a count of at least 1: `1000`, `1_000_000`, `10k`, `2M`.
pub(crate) fn count(text: &str) -> Result<u64, String> {
    let (digits, unit) = split(text);
    let factor = match unit {
        "" => 1,
        "k" | "K" => 1_000,
        "m" | "M" => 1_000_000,
        "g" | "G" => 1_000_000_000,
        _ if digits.is_empty() => return Err("not a number; write 1000, 10k or 2M".to_owned()),
        _ => return Err(format!("unknown unit {unit:?}; write 1000, 10k or 2M")),
    };
    match scaled(digits, factor) {
        Some(0) => Err("at least 1".to_owned()),
        Some(count) => Ok(count),
        None => Err("not a number; write 1000, 10k or 2M".to_owned()),
    }
}

/// Reads a size in bytes: `128`, `64KiB`, `1MB`. `k` and `M` alone are powers of 1,024.
pub(crate) fn size(text: &str) -> Result<usize, String> {
    let (digits, unit) = split(text);
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "kb" => 1_000,
        "mb" => 1_000_000,
        _ if digits.is_empty() => return Err("not a size; write 128, 64KiB or 1MB".to_owned()),
        _ => return Err(format!("unknown unit {unit:?}; write 128, 64KiB or 1MB")),
    };
    scaled(digits, factor)
        .and_then(|bytes| usize::try_from(bytes).ok())
        .ok_or_else(|| "not a size; write 128, 64KiB or 1MB".to_owned())
}

/// Reads a duration with its unit: `250ms`, `2s`, `1m 30s`. More than nothing, at most an hour.
pub(crate) fn timeout(text: &str) -> Result<Duration, String> {
    let duration = duration(text)?;
    let max = Duration::from_millis(REQUEST_TIMEOUT_MS_MAX.into());
    match duration {
        Duration::ZERO => Err("more than nothing; write 250ms or 2s".to_owned()),
        _ if duration > max => Err(format!("at most {}", humantime::format_duration(max))),
        _ if duration < Duration::from_millis(1) => Err("at least 1ms".to_owned()),
        _ => Ok(duration),
    }
}

/// Longest validity of a certificate, in seconds: a hundred years.
const VALIDITY_S_MAX: u64 = 36_500 * 86_400;

/// Reads how long a certificate is valid: `90d`, `12h`. At least a second, at most 36,500 days.
pub(crate) fn validity(text: &str) -> Result<Duration, String> {
    let duration = duration(text).map_err(|_| "not a time; write 90d or 12h".to_owned())?;
    match duration.as_secs() {
        0 => Err("at least 1s".to_owned()),
        1..=VALIDITY_S_MAX if duration <= Duration::from_secs(VALIDITY_S_MAX) => Ok(duration),
        _ => Err("at most 36500d".to_owned()),
    }
}

/// Reads a duration with its unit, of any length.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Err(format!("the unit is missing; write {text}s or {text}ms"));
    }
    humantime::parse_duration(text).map_err(|error| format!("{error}; write 250ms, 2s or 1m"))
}

/// Reads a rate per second: `1000`, `20k`, `20k/s`.
pub(crate) fn rate(text: &str) -> Result<u64, String> {
    count(text.strip_suffix("/s").unwrap_or(text))
}

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes in the largest unit that leaves a whole number before the point: `12.3 MiB`.
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1_024 {
        return format!("{bytes} B");
    }
    let mut amount = bytes as f64 / 1_024.0;
    let mut unit = UNITS[0];
    for larger in &UNITS[1..] {
        if amount < 1_024.0 {
            break;
        }
        amount /= 1_024.0;
        unit = larger;
    }
    format!("{amount:.1} {unit}")
}

/// A duration to the second: `1day 2h 3m 4s`.
pub(crate) fn rough(duration: Duration) -> String {
    humantime::format_duration(Duration::from_secs(duration.as_secs())).to_string()
}

/// The leading digits (with `_` between them) and what follows.
fn split(text: &str) -> (&str, &str) {
    let end = text.find(|char: char| !char.is_ascii_digit() && char != '_').unwrap_or(text.len());
    text.split_at(end)
}

fn scaled(digits: &str, factor: u64) -> Option<u64> {
    if !digits.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    digits.replace('_', "").parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        let table = [
            ("1", Some(1)),
            ("1000", Some(1_000)),
            ("1_000_000", Some(1_000_000)),
            ("10k", Some(10_000)),
            ("2M", Some(2_000_000)),
            ("3g", Some(3_000_000_000)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("18446744073709551615k", None),
            ("0", None),
            ("-1", None),
            ("+1", None),
            ("_1", None),
            ("", None),
            ("k", None),
            ("1.5k", None),
            ("10 k", None),
            ("10x", None),
        ];
        for (text, want) in table {
            assert_eq!(count(text).ok(), want, "{text:?}");
        }
    }

    #[test]
    fn sizes() {
        let table = [
            ("0", Some(0)),
            ("128", Some(128)),
            ("128B", Some(128)),
            ("1k", Some(1_024)),
            ("64KiB", Some(65_536)),
            ("1kB", Some(1_000)),
            ("2MiB", Some(2_097_152)),
            ("1MB", Some(1_000_000)),
            ("1GB", None),
            ("x", None),
            ("", None),
        ];
        for (text, want) in table {
            assert_eq!(size(text).ok(), want, "{text:?}");
        }
    }

    #[test]
    fn validities() {
        let table = [
            ("90d", Some(90 * 86_400)),
            ("1s", Some(1)),
            ("36500d", Some(VALIDITY_S_MAX)),
            ("999ms", None),
            ("36500d 1ns", None),
            ("36501d", None),
            ("90", None),
            ("x", None),
        ];
        for (text, seconds) in table {
            assert_eq!(validity(text).ok(), seconds.map(Duration::from_secs), "{text:?}");
        }
    }

    #[test]
    fn durations() {
        let table = [
            ("2s", Some(2_000)),
            ("250ms", Some(250)),
            ("1m 30s", Some(90_000)),
            ("1h", Some(3_600_000)),
            ("1ms", Some(1)),
            ("3600001ms", None),
            ("999us", None),
            ("0s", None),
            ("2", None),
            ("", None),
            ("-1s", None),
            ("soon", None),
        ];
        for (text, ms) in table {
            assert_eq!(timeout(text).ok(), ms.map(Duration::from_millis), "{text:?}");
        }
        assert!(timeout("2").unwrap_err().contains("2s or 2ms"));
    }

    #[test]
    fn rates() {
        assert_eq!(rate("20k/s"), Ok(20_000));
        assert_eq!(rate("5"), Ok(5));
        assert!(rate("/s").is_err());
    }

    #[test]
    fn digits_are_grouped() {
        let table = [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")];
        for (number, text) in table {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn bytes_for_people() {
        let table = [
            (0, "0 B"),
            (1_023, "1023 B"),
            (1_024, "1.0 KiB"),
            (1_536, "1.5 KiB"),
            (1 << 20, "1.0 MiB"),
            (u64::MAX, "16384.0 PiB"),
        ];
        for (number, text) in table {
            assert_eq!(bytes(number), text);
        }
    }
}
