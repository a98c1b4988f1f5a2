//! Hashes of subjects and tokens under a secret of the node.

use std::hash::Hasher;
use std::sync::Arc;

use foldhash::SharedSeed;
use foldhash::fast::FoldHasher;

/// The secret under which text is hashed.
///
/// Clients choose subjects, so a hash that they could foresee would let one of them pile all its subjects into one
/// place. Both halves of foldhash's seed are secret: with the shared half known, colliding texts can be made.
#[derive(Clone)]
pub(crate) struct HashKey {
    seed: u64,
    shared: Arc<SharedSeed>,
}

impl HashKey {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, shared: Arc::new(SharedSeed::from_u64(seed)) }
    }

    #[inline]
    pub(crate) fn hash(&self, bytes: &[u8]) -> u64 {
        let mut hasher = FoldHasher::with_seed(self.seed, &self.shared);
        hasher.write(bytes);
        hasher.finish()
    }

    /// The hash in 32 bits, all of them mixed.
    #[inline]
    pub(crate) fn hash32(&self, bytes: &[u8]) -> u32 {
        let hash = self.hash(bytes);
        (hash ^ (hash >> 32)) as u32
    }
}
