//! What nodes, groups, lanes, clusters and directories are called. Replicas use the same numbers.

use std::{fmt, str::FromStr};

/// A node with its data directory, from 1. Never given twice: a node that lost its directory gets another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeNumber(pub u64);

/// A replicated group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(pub u32);

impl GroupId {
    /// The group that holds [`super::Meta`]. The shards are numbered from 1.
    pub const META: Self = Self(0);
}

/// Something in a group that keeps numbered records, from 1. Never given twice in a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneId(pub u64);

impl fmt::Display for NodeNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// 128 bits that nobody else has: of a cluster, of a data directory.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid(pub [u8; 16]);

/// `00112233-4455-6677-8899-aabbccddeeff`
impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a UUID: 32 hexadecimal digits, with a `-` after 8, 12, 16 and 20 of them")]
pub struct ParseUuidError;

impl FromStr for Uuid {
    type Err = ParseUuidError;

    fn from_str(text: &str) -> Result<Self, ParseUuidError> {
        let mut bytes = [0; 16];
        let digits = text.replace('-', "");
        if digits.len() != 32 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(ParseUuidError);
        }
        for (byte, digits) in bytes.iter_mut().zip(digits.as_bytes().as_chunks::<2>().0) {
            let digits = std::str::from_utf8(digits).map_err(|_| ParseUuidError)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| ParseUuidError)?;
        }
        let uuid = Self(bytes);
        // One form only: what is written in files is compared as text, too.
        if uuid.to_string().eq_ignore_ascii_case(text) { Ok(uuid) } else { Err(ParseUuidError) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_has_one_form() {
        let text = "00112233-4455-6677-8899-aabbccddeeff";
        let uuid: Uuid = text.parse().unwrap();
        assert_eq!(uuid.0[..3], [0, 0x11, 0x22]);
        assert_eq!((uuid.to_string(), text.to_uppercase().parse()), (text.into(), Ok(uuid)));
        for wrong in ["", "00112233445566778899aabbccddeeff", &text[1..], &format!("{text}0"), "é"] {
            assert_eq!(wrong.parse::<Uuid>(), Err(ParseUuidError), "{wrong}");
        }
    }
}
