//! What a reading is a reading of: a host and a kind.

use std::fmt;

/// First token of the subject of a reading.
pub const READINGS: &str = "sensors";
/// First token of the subject of an aggregate.
pub const AGGREGATES: &str = "aggregates";
/// Longest host or kind, in bytes. Both with a prefix stay below the limit of a subject.
pub const PART_BYTES: usize = 96;

/// A host and a kind of reading, for instance `web-1` and `cpu.total`. Ordered by host, then kind.
///
/// ```
/// let series = mesh_sensors::Series::new("web-1", "disk.root.used").unwrap();
/// assert_eq!(series.reading_subject(), "sensors.web-1.disk.root.used");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Series {
    host: Box<str>,
    kind: Box<str>,
}

impl Series {
    /// The series of a `host`, one token, and a `kind`, one or more tokens. `None` for what can't stand in a subject.
    pub fn new(host: &str, kind: &str) -> Option<Self> {
        let fits = |part: &str| !part.is_empty() && part.len() <= PART_BYTES;
        let plain = |token: &str| !token.is_empty() && token.bytes().all(is_plain);
        if !fits(host) || !fits(kind) || !plain(host) || !kind.split('.').all(plain) {
            return None;
        }
        Some(Self { host: host.into(), kind: kind.into() })
    }

    /// Reads the series out of the subject of a reading.
    pub fn of_reading(subject: &str) -> Option<Self> {
        Self::of(subject, READINGS)
    }

    /// Reads the series out of the subject of an aggregate.
    pub fn of_aggregate(subject: &str) -> Option<Self> {
        Self::of(subject, AGGREGATES)
    }

    fn of(subject: &str, prefix: &str) -> Option<Self> {
        let (host, kind) = subject.strip_prefix(prefix)?.strip_prefix('.')?.split_once('.')?;
        Self::new(host, kind)
    }

    /// The host.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The kind.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Where readings of the series are published.
    pub fn reading_subject(&self) -> String {
        format!("{READINGS}.{self}")
    }

    /// Where aggregates of the series are published.
    pub fn aggregate_subject(&self) -> String {
        format!("{AGGREGATES}.{self}")
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.host, self.kind)
    }
}

/// Makes one token of a subject out of any name (a host, a mount point, an interface): lower case, everything else
/// than letters, digits, `_` and `-` becomes `-`, and at most 32 bytes. `fallback` stands for a name of which nothing
/// is left.
pub fn token(name: &str, fallback: &str) -> String {
    const TOKEN_BYTES: usize = 32;
    let mut token = String::with_capacity(name.len().min(TOKEN_BYTES));
    for byte in name.bytes().map(|byte| byte.to_ascii_lowercase()) {
        let byte = if is_plain(byte) { byte } else { b'-' };
        if (byte != b'-' || !token.is_empty()) && token.len() < TOKEN_BYTES {
            token.push(char::from(byte));
        }
    }
    token.truncate(token.trim_end_matches('-').len());
    if token.is_empty() { fallback.to_owned() } else { token }
}

fn is_plain(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_read_as_they_are_written() {
        let series = Series::new("web-1", "cpu.core.0").unwrap();
        assert_eq!(Series::of_reading(&series.reading_subject()), Some(series.clone()));
        assert_eq!(Series::of_aggregate(&series.aggregate_subject()), Some(series.clone()));
        assert_eq!(Series::of_reading(&series.aggregate_subject()), None);
    }

    #[test]
    fn what_can_not_stand_in_a_subject_is_no_series() {
        let long = "x".repeat(PART_BYTES);
        assert!(Series::new(&long, &long).is_some());
        assert!(Series::new(&format!("{long}x"), "cpu").is_none());
        assert!(Series::new("web", &format!("{long}x")).is_none());
        for (host, kind) in
            [("", "cpu"), ("web", ""), ("a.b", "cpu"), ("web", "cpu..x"), ("web", "*"), ("WEB", "cpu")]
        {
            assert!(Series::new(host, kind).is_none(), "{host:?} {kind:?}");
        }
        for subject in ["sensors", "sensors.", "sensors.web", "sensors.web.", "sensorsx.web.cpu"] {
            assert!(Series::of_reading(subject).is_none(), "{subject:?}");
        }
    }

    #[test]
    fn any_name_becomes_a_token() {
        for (name, expected) in [
            ("eth0", "eth0"),
            ("/", "root"),
            ("/var/lib", "var-lib"),
            ("Web.Example.COM", "web-example-com"),
            ("ß", "root"),
            ("--a--", "a"),
        ] {
            assert_eq!(token(name, "root"), expected, "{name:?}");
        }
        assert_eq!(token(&"y".repeat(40), "root").len(), 32);
    }
}
