//! Numbers: counts, sizes, durations, permission bits.

use std::time::Duration;

use super::{Form, quoted};
use crate::config::raw::Raw;

/// A whole number between two bounds.
pub(in crate::config) struct Count {
    pub(in crate::config) min: u64,
    pub(in crate::config) max: u64,
}

impl Form for Count {
    type Value = usize;

    fn read(&self, raw: &Raw) -> Option<usize> {
        let number = raw.integer().filter(|number| (self.min..=self.max).contains(number))?;
        number.try_into().ok()
    }

    fn write(&self, value: &usize) -> String {
        value.to_string()
    }

    fn describe(&self) -> String {
        format!("a number from {} to {}", self.min, self.max)
    }
}

const UNITS: [(&str, u64); 8] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("KB", 1_000),
    ("B", 1),
];

/// A size between two bounds, in bytes: a number, or one with a unit such as `8MiB`.
pub(in crate::config) struct Bytes {
    pub(in crate::config) min: u64,
    pub(in crate::config) max: u64,
}

impl Form for Bytes {
    type Value = usize;

    fn read(&self, raw: &Raw) -> Option<usize> {
        let bytes = raw.integer().or_else(|| with_unit(raw.text()?))?;
        bytes.try_into().ok().filter(|_| (self.min..=self.max).contains(&bytes))
    }

    fn write(&self, value: &usize) -> String {
        quoted(&size(*value as u64))
    }

    fn describe(&self) -> String {
        format!("a size from {} to {}, such as \"8MiB\"", size(self.min), size(self.max))
    }
}

fn with_unit(text: &str) -> Option<u64> {
    let (number, unit) = UNITS.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit)))?;
    number.trim_end().parse::<u64>().ok()?.checked_mul(*unit)
}

fn size(bytes: u64) -> String {
    let binary = UNITS[..3].iter().find(|(_, unit)| bytes >= *unit && bytes.is_multiple_of(*unit));
    match binary {
        Some((name, unit)) => format!("{}{name}", bytes / unit),
        None => format!("{bytes}B"),
    }
}

/// A span of time between two bounds. Where the shortest is zero, `off` means zero.
pub(in crate::config) struct Time {
    pub(in crate::config) min: Duration,
    pub(in crate::config) max: Duration,
}

impl Form for Time {
    type Value = Duration;

    fn read(&self, raw: &Raw) -> Option<Duration> {
        let time = match raw {
            Raw::Integer(0) => Duration::ZERO,
            Raw::Text(text) if text == "off" || text == "0" => Duration::ZERO,
            Raw::Text(text) => humantime::parse_duration(text).ok()?,
            // A number without a unit would be read as seconds by one and as milliseconds by another.
            _ => return None,
        };
        (self.min..=self.max).contains(&time).then_some(time)
    }

    fn write(&self, value: &Duration) -> String {
        quoted(&time(*value))
    }

    fn describe(&self) -> String {
        let off = if self.min.is_zero() { " or \"off\"" } else { "" };
        format!("a time from {} to {}, such as \"20s\" or \"50us\"{off}", time(self.min), time(self.max))
    }
}

fn time(time: Duration) -> String {
    if time.is_zero() { "off".to_owned() } else { humantime::format_duration(time).to_string() }
}

/// Permission bits, in octal.
pub(in crate::config) struct Mode;

impl Form for Mode {
    type Value = u32;

    fn read(&self, raw: &Raw) -> Option<u32> {
        let mode = match raw {
            Raw::Text(text) => u32::from_str_radix(text.strip_prefix("0o").unwrap_or(text), 8).ok()?,
            Raw::Integer(number) => (*number).try_into().ok()?,
            _ => return None,
        };
        // The owner must be able to connect; 600 without quotes is a decimal number and falls out here.
        (mode <= 0o777 && mode & 0o600 == 0o600).then_some(mode)
    }

    fn write(&self, value: &u32) -> String {
        quoted(&format!("{value:04o}"))
    }

    fn describe(&self) -> String {
        "octal permission bits in quotes from \"0600\" to \"0777\", read and write for the owner among them"
            .to_owned()
    }
}
