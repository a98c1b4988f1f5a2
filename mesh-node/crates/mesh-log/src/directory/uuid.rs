//! Numbers that nobody else has.

use std::{fmt, io, str::FromStr};

/// 128 random bits (RFC 9562, version 4), or any that were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid(pub u128);

impl Uuid {
    /// A new one, of the system's random bytes.
    ///
    /// # Errors
    /// The system has none.
    pub fn random() -> io::Result<Self> {
        let mut bytes = [0; 16];
        let mut filled = 0;
        while filled < bytes.len() {
            match rustix::rand::getrandom(&mut bytes[filled..], rustix::rand::GetRandomFlags::empty()) {
                Ok(n) => filled += n,
                Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(Self::of_random(u128::from_be_bytes(bytes)))
    }

    /// One of these random bits, but the six that say that they are.
    #[must_use]
    pub const fn of_random(bits: u128) -> Self {
        let version = 0xF << 76;
        let variant = 0b11 << 62;
        Self(bits & !version & !variant | 4 << 76 | 0b10 << 62)
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = format!("{:032x}", self.0);
        let (a, b, c) = (&hex[..8], &hex[8..12], &hex[12..16]);
        write!(f, "{a}-{b}-{c}-{}-{}", &hex[16..20], &hex[20..])
    }
}

/// It is not 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a UUID")]
pub struct NotUuid;

impl FromStr for Uuid {
    type Err = NotUuid;

    fn from_str(text: &str) -> Result<Self, NotUuid> {
        let lengths = [8, 4, 4, 4, 12];
        let groups: Vec<&str> = text.split('-').collect();
        let fits = groups.len() == lengths.len()
            && groups
                .iter()
                .zip(lengths)
                .all(|(group, len)| group.len() == len && group.bytes().all(|byte| byte.is_ascii_hexdigit()));
        if !fits {
            return Err(NotUuid);
        }
        u128::from_str_radix(&groups.concat(), 16).map(Self).map_err(|_| NotUuid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_is_written() {
        for bits in [0, 1, u128::MAX, 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef] {
            assert_eq!(Uuid(bits).to_string().parse(), Ok(Uuid(bits)));
        }
        assert_eq!(Uuid::of_random(0).to_string(), "00000000-0000-4000-8000-000000000000");
        assert_eq!(Uuid::of_random(u128::MAX).to_string(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }

    #[test]
    fn two_are_not_the_same() {
        assert_ne!(Uuid::random().unwrap(), Uuid::random().unwrap());
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in [
            "",
            "-",
            "00000000-0000-4000-8000-00000000000",
            "00000000-0000-4000-8000-0000000000000",
            "00000000-0000-4000-8000-00000000000g",
            "+0000000-0000-4000-8000-000000000000",
            "0000000-00000-4000-8000-000000000000",
            "00000000-0000-4000-8000-000000000000-",
        ] {
            assert_eq!(text.parse::<Uuid>(), Err(NotUuid), "{text}");
        }
    }
}
