//! The current set of certificates, and how it is replaced.

mod watch;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
#[cfg(feature = "self-signed")]
use mesh_wire::name::Name;

pub use self::watch::{Event, watch};
pub use crate::poll::POLL_INTERVAL;

use crate::peer::PeerCertificate;
use crate::set::{CertSet, Error, Files, Source};
use crate::verify;

/// How often files are looked at, at first, before a key that does not belong to its certificate counts as a fault.
const SWAP_LOOKS: u32 = 11;
/// Time between these looks.
const SWAP_PAUSE: Duration = Duration::from_millis(100);

/// The current set of certificates. Clones are cheap and share it.
///
/// Asking for the current set takes no lock, and who has it keeps it, whatever comes after.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    current: ArcSwap<CertSet>,
    source: Option<Source>,
}

/// What came of looking at the files again.
#[derive(Debug, Clone)]
pub enum Reload {
    /// The files are those of the current set.
    Same,
    /// There is a new set, which is the current one now.
    Changed(Arc<CertSet>),
}

impl Store {
    /// Loads a set. It blocks on reading a few small files, and for up to a second when a key does not belong to its
    /// certificate: two files are replaced one after the other, and who starts in between is not to fail for that.
    ///
    /// # Errors
    /// As [`CertSet::load`].
    pub fn open(source: Source) -> Result<Self, Error> {
        let mut opened = Self::open_at(source.clone(), SystemTime::now());
        for _ in 1..SWAP_LOOKS {
            if !matches!(opened, Err(Error::KeyMismatch { .. })) {
                break;
            }
            std::thread::sleep(SWAP_PAUSE);
            opened = Self::open_at(source.clone(), SystemTime::now());
        }
        opened
    }

    /// As [`open`](Self::open), as if it were `now`.
    ///
    /// # Errors
    /// As [`CertSet::load`].
    pub fn open_at(source: Source, now: SystemTime) -> Result<Self, Error> {
        let set = CertSet::load(&source, now)?;
        Ok(Self { inner: Arc::new(Inner { current: ArcSwap::from_pointee(set), source: Some(source) }) })
    }

    /// A store of one set that never changes.
    pub fn fixed(set: CertSet) -> Self {
        Self { inner: Arc::new(Inner { current: ArcSwap::from_pointee(set), source: None }) }
    }

    /// No CA, no certificate: for dialling a node on this machine that has none either.
    pub fn without_ca() -> Self {
        Self::fixed(CertSet::empty())
    }

    /// A certificate for a node on this machine, made in memory and signed by itself: encryption without identity,
    /// for links that don't leave the machine.
    ///
    /// # Errors
    /// [`Error::Malformed`] if a certificate can't be made, which only a lack of randomness can cause.
    #[cfg(feature = "self-signed")]
    pub fn self_signed(cluster: Name, node: Name) -> Result<Self, Error> {
        crate::self_signed::set(cluster, node).map(Self::fixed)
    }

    /// The current set.
    pub fn current(&self) -> Arc<CertSet> {
        self.inner.current.load_full()
    }

    /// Where the set comes from, unless it was made in memory.
    pub fn source(&self) -> Option<&Source> {
        self.inner.source.as_ref()
    }

    /// Looks at the files again and takes a new set if they are different and good. It blocks on reading a few small
    /// files.
    ///
    /// # Errors
    /// As [`CertSet::load`]; the current set stays.
    pub fn reload(&self) -> Result<Reload, Error> {
        self.reload_at(SystemTime::now())
    }

    /// As [`reload`](Self::reload), as if it were `now`.
    ///
    /// # Errors
    /// As [`CertSet::load`]; the current set stays.
    pub fn reload_at(&self, now: SystemTime) -> Result<Reload, Error> {
        let Some(source) = self.source() else { return Ok(Reload::Same) };
        let files = Files::read(source)?;
        if files.hash() == self.inner.current.load().hash() {
            return Ok(Reload::Same);
        }
        let set = Arc::new(files.check(source.who(), now)?);
        self.inner.current.store(Arc::clone(&set));
        Ok(Reload::Changed(set))
    }

    /// Whether a link may go on with the other side whose certificate this is: neither expired nor revoked since.
    ///
    /// A CA that is no longer trusted does not end links, because a rotation takes the old one away while links that
    /// were made under it are in use (ADR 0072).
    ///
    /// # Errors
    /// [`verify::Error::Expired`] or [`verify::Error::Revoked`].
    pub fn recheck(&self, peer: &PeerCertificate, now: SystemTime) -> Result<(), verify::Error> {
        peer.check_time(now)?;
        let set = self.inner.current.load();
        peer.chain().iter().try_for_each(|certificate| set.revocations.check(certificate))
    }
}
