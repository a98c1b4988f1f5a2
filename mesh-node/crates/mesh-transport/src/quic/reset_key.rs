//! The key by which a restarted node tells its old links that they are over.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use quinn::EndpointConfig;
use quinn_proto::HashedConnectionIdGenerator;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

/// Resets are sent no faster than this; 2,000 links of a former life are told within two seconds.
const RESET_INTERVAL_MIN: Duration = Duration::from_millis(1);
/// Length of a key, in bytes.
const KEY_BYTES: usize = 32;

/// The key of stateless resets (RFC 9000, section 10.3): who has it can end links by a packet, so it is a secret, and a
/// node that comes back with the same one ends the links of its former life at once, instead of letting the others
/// wait until they time out. Sockets that share a port share it.
#[derive(Clone)]
pub struct ResetKey([u8; KEY_BYTES]);

impl ResetKey {
    /// A key that nobody else has.
    ///
    /// # Errors
    /// The system has no random bytes.
    pub fn random() -> io::Result<Self> {
        let mut key = [0; KEY_BYTES];
        SystemRandom::new().fill(&mut key).map_err(|_| io::Error::other("no random bytes"))?;
        Ok(Self(key))
    }

    /// The key in the file at `path`; a new one is put there when there is none. Only the owner may read it.
    ///
    /// # Errors
    /// What the system says about the file; [`io::ErrorKind::InvalidData`] when there is something else in it.
    pub fn load_or_make(path: &Path) -> io::Result<Self> {
        match fs::read(path) {
            Ok(bytes) => bytes
                .try_into()
                .map(Self)
                .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it does not hold 32 bytes")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = Self::random()?;
                // As a whole or not at all: a key cut short would be in the way of every later start.
                let new = path.with_extension("new");
                let mut options = OpenOptions::new();
                options.write(true).create(true).truncate(true).mode(0o600);
                options.open(&new)?.write_all(&key.0)?;
                fs::rename(&new, path)?;
                Ok(key)
            }
            Err(error) => Err(error),
        }
    }

    pub(super) fn endpoint_config(&self) -> EndpointConfig {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        // Connection ids carry a check by which noise is told from links of a former life, so that key stays too.
        let digest = hmac::sign(&key, b"mesh connection ids");
        let ids = digest.as_ref().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte));
        let mut config = EndpointConfig::new(Arc::new(key));
        config
            .cid_generator(move || Box::new(HashedConnectionIdGenerator::from_key(ids)))
            .min_reset_interval(RESET_INTERVAL_MIN);
        config
    }
}

impl fmt::Debug for ResetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResetKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_stays_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("reset.key");
        let key = ResetKey::load_or_make(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(ResetKey::load_or_make(&path).unwrap().0, key.0);
        assert_ne!(ResetKey::random().unwrap().0, key.0);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_key_has_its_length() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("reset.key");
        for (bytes, good) in [(KEY_BYTES - 1, false), (KEY_BYTES, true), (KEY_BYTES + 1, false)] {
            fs::write(&path, vec![7; bytes]).unwrap();
            assert_eq!(ResetKey::load_or_make(&path).is_ok(), good, "{bytes}");
        }
    }
}
