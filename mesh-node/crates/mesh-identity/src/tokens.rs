//! Tokens instead of certificates: JWTs, verified with the public keys of a JWKS file.
//!
//! ```text
//!  header.claims.signature          base64url each, RFC 7515 section 7.1
//!  {"alg":"EdDSA","kid":"k1"}       which key; the key says which algorithm
//!  {"sub":"mail",                   spiffe://CLUSTER/service/mail
//!   "aud":"demo",                   must name this cluster
//!   "exp":1767225600,"nbf":…}       until when, from when; 30 s of leeway
//! ```
//! Sources: RFC 7515 (JWS), 7517 (JWK), 7518 (algorithms), 7519 (JWT), 8037 (Ed25519), 8725 (what goes wrong with
//! them); ADR 0073.

mod claims;
mod error;
mod jwks;
mod jws;
#[cfg(feature = "authority")]
pub mod signer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use mesh_wire::name::Name;
use ring::digest;

pub use self::claims::Claims;
pub use self::error::Error;
pub use self::jwks::{KEYS_MAX, KID_BYTES_MAX};

use self::jwks::Keys;
use crate::file;
use crate::poll::{self, Change};

/// The most bytes of a token.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;
/// By how much clocks may differ.
pub const LEEWAY: Duration = Duration::from_secs(30);

/// Verifies tokens with the keys of a JWKS file. Clones are cheap and share the keys.
#[derive(Debug, Clone)]
pub struct TokenVerifier {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    cluster: Name,
    audience: String,
    current: ArcSwap<Loaded>,
}

#[derive(Debug)]
struct Loaded {
    hash: [u8; 32],
    keys: Keys,
}

/// What came of looking at the key file again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reload {
    /// It is the same.
    Same,
    /// There are new keys.
    Changed,
}

/// What [`TokenVerifier::watch`] tells.
#[derive(Debug)]
pub enum Event {
    /// There are new keys.
    Changed,
    /// The file is different and bad; the keys stay. A failure that stays the same is told once.
    Failed(Error),
    /// After a failure the file is again the one that is loaded.
    Restored,
}

impl TokenVerifier {
    /// Loads the keys. Tokens must be for `audience`, by default the name of the cluster.
    ///
    /// # Errors
    /// [`Error::Keys`].
    pub fn open(path: impl Into<PathBuf>, cluster: Name, audience: Option<String>) -> Result<Self, Error> {
        let path = path.into();
        let audience = audience.unwrap_or_else(|| cluster.to_string());
        let current = ArcSwap::from_pointee(load(&path, None)?.ok_or_else(|| Error::keys(&path, "no keys"))?);
        Ok(Self { inner: Arc::new(Inner { path, cluster, audience, current }) })
    }

    /// Verifies a token: its form, its algorithm, its key, its signature, then its time, its audience and its subject.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn verify(&self, token: &[u8], now: SystemTime) -> Result<Claims, Error> {
        let jws = jws::parse(token)?;
        let loaded = self.inner.current.load();
        let payload = loaded.keys.verify(&jws)?;
        claims::check(&payload, &self.inner.cluster, &self.inner.audience, now)
    }

    /// What is not wrong and should be known, such as keys that can't be used here.
    pub fn warnings(&self) -> Vec<String> {
        self.inner.current.load().keys.warnings().to_vec()
    }

    /// How many keys there are.
    pub fn keys(&self) -> usize {
        self.inner.current.load().keys.count()
    }

    /// Looks at the file again and takes its keys if they are different and good. It blocks on reading a small file.
    ///
    /// # Errors
    /// [`Error::Keys`]; the current keys stay.
    pub fn reload(&self) -> Result<Reload, Error> {
        let hash = self.inner.current.load().hash;
        match load(&self.inner.path, Some(hash))? {
            Some(loaded) => {
                self.inner.current.store(Arc::new(loaded));
                Ok(Reload::Changed)
            }
            None => Ok(Reload::Same),
        }
    }

    /// Looks at the file every second, as [`store::watch`](crate::store::watch) does. It never ends.
    ///
    /// # Cancel safety
    /// It can be dropped at any time.
    pub async fn watch(self, mut tell: impl FnMut(Event)) {
        let look = || match self.reload() {
            Ok(Reload::Same) => Ok(None),
            Ok(Reload::Changed) => Ok(Some(())),
            Err(error) => Err(error),
        };
        poll::every_second(look, |change| {
            tell(match change {
                Change::New(()) => Event::Changed,
                Change::Failed(error) => Event::Failed(error),
                Change::Restored => Event::Restored,
            });
        })
        .await;
    }
}

/// The keys of a file, or none if it is the one of `known`.
fn load(path: &Path, known: Option<[u8; 32]>) -> Result<Option<Loaded>, Error> {
    let input = file::read(path).map_err(|error| Error::keys(path, error))?;
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, &input.bytes).as_ref());
    if known == Some(hash) {
        return Ok(None);
    }
    let keys = Keys::parse(&input.bytes).map_err(|detail| Error::keys(path, detail))?;
    Ok(Some(Loaded { hash, keys }))
}
