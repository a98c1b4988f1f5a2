//! The bytes of an entry: the commands in it and the time that it has in its group.
//!
//! ```text
//!   version u8 │ shard time u64, ms │ n u32 │ n × { len u32 │ command }      little-endian
//! ```

use bytes::{BufMut, Bytes, BytesMut};
use mesh_log::payload::Payload;

/// The version that is written.
const VERSION: u8 = 1;
/// Bytes before the commands.
const HEAD_BYTES: usize = 13;
/// Bytes before each command.
pub(crate) const COMMAND_HEAD_BYTES: usize = 4;

/// Commands as one entry. Copies them, once, and computes the checksum that goes with them from then on.
pub(crate) fn form<'a>(time_ms: u64, commands: impl Iterator<Item = &'a Bytes> + Clone) -> Payload {
    let (mut count, mut bytes) = (0_u32, HEAD_BYTES);
    for command in commands.clone() {
        count += 1;
        bytes += COMMAND_HEAD_BYTES + command.len();
    }
    let mut into = BytesMut::with_capacity(bytes);
    into.put_u8(VERSION);
    into.put_u64_le(time_ms);
    into.put_u32_le(count);
    for command in commands {
        into.put_u32_le(u32::try_from(command.len()).unwrap_or(u32::MAX));
        into.put_slice(command);
    }
    Payload::new(into.freeze())
}

/// Why an entry can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FormError {
    #[error("an entry of version {0}")]
    Version(u8),
    #[error("an entry that ends early or late")]
    Length,
}

/// An entry that was read: all lengths hold.
#[derive(Debug, Clone)]
pub(crate) struct Formed<'a> {
    pub(crate) time_ms: u64,
    bytes: &'a Bytes,
    at: usize,
}

impl<'a> Formed<'a> {
    /// Reads an entry. One without bytes is what a leader begins its term with, and has no commands: `None`.
    pub(crate) fn read(bytes: &'a Bytes) -> Result<Option<Self>, FormError> {
        if bytes.is_empty() {
            return Ok(None);
        }
        if bytes[0] != VERSION {
            return Err(FormError::Version(bytes[0]));
        }
        let head = bytes.get(1..HEAD_BYTES).ok_or(FormError::Length)?;
        let time_ms = u64::from_le_bytes(head[..8].try_into().map_err(|_| FormError::Length)?);
        let count = u32::from_le_bytes(head[8..].try_into().map_err(|_| FormError::Length)?);
        let mut at = HEAD_BYTES;
        for _ in 0..count {
            let len = length_at(bytes, at).ok_or(FormError::Length)?;
            at = at
                .checked_add(COMMAND_HEAD_BYTES + len)
                .filter(|end| *end <= bytes.len())
                .ok_or(FormError::Length)?;
        }
        if at != bytes.len() {
            return Err(FormError::Length);
        }
        Ok(Some(Self { time_ms, bytes, at: HEAD_BYTES }))
    }
}

fn length_at(bytes: &[u8], at: usize) -> Option<usize> {
    let head = bytes.get(at..at.checked_add(COMMAND_HEAD_BYTES)?)?;
    usize::try_from(u32::from_le_bytes(head.try_into().ok()?)).ok()
}

/// The commands, and where in the entry each begins.
impl Iterator for Formed<'_> {
    type Item = (usize, Bytes);

    fn next(&mut self) -> Option<Self::Item> {
        let len = length_at(self.bytes, self.at)?;
        let begin = self.at + COMMAND_HEAD_BYTES;
        self.at = begin + len;
        Some((begin, self.bytes.slice(begin..begin + len)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn commands(of: &[&'static [u8]]) -> Vec<Bytes> {
        of.iter().copied().map(Bytes::from_static).collect()
    }

    #[test]
    fn golden() {
        let payload = form(0x0102, commands(&[b"ab", b""]).iter());
        assert_eq!(
            payload.bytes()[..],
            [1, 2, 1, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, b'a', b'b', 0, 0, 0, 0]
        );
    }

    #[test]
    fn what_is_no_entry_is_refused() {
        let whole = form(5, commands(&[b"abc"]).iter()).bytes().to_vec();
        assert_eq!(Formed::read(&Bytes::new()).unwrap().map(|formed| formed.time_ms), None);
        for cut in 1..whole.len() {
            let read = Formed::read(&Bytes::copy_from_slice(&whole[..cut])).err();
            assert_eq!(read, Some(FormError::Length), "{cut}");
        }
        let mut longer = whole.clone();
        longer.push(0);
        assert_eq!(Formed::read(&Bytes::from(longer)).err(), Some(FormError::Length));
        let mut other = whole;
        other[0] = 2;
        assert_eq!(Formed::read(&Bytes::from(other)).err(), Some(FormError::Version(2)));
        let mut huge = vec![1; 13];
        huge[9..13].copy_from_slice(&u32::MAX.to_le_bytes());
        huge.extend(u32::MAX.to_le_bytes());
        assert_eq!(Formed::read(&Bytes::from(huge)).err(), Some(FormError::Length));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn reads_what_it_formed(time in any::<u64>(), given in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..20)) {
            let given: Vec<Bytes> = given.into_iter().map(Bytes::from).collect();
            let payload = form(time, given.iter());
            let formed = Formed::read(payload.bytes()).unwrap().unwrap();
            prop_assert_eq!(formed.time_ms, time);
            let got: Vec<(usize, Bytes)> = formed.collect();
            for (at, command) in &got {
                prop_assert_eq!(&payload.bytes()[*at..*at + command.len()], &command[..]);
            }
            prop_assert_eq!(got.into_iter().map(|(_, command)| command).collect::<Vec<_>>(), given);
        }

        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(Some(formed)) = Formed::read(&Bytes::from(bytes)) {
                formed.for_each(drop);
            }
        }
    }
}
