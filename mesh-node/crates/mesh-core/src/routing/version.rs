//! Which changes of the table concern which subjects.

use std::sync::Arc;

const CHUNK: usize = 64;
/// How many counters first tokens are spread over. Tokens that fall together cost each other a search now and then,
/// never a wrong route; in return the memory does not grow with the tokens ever seen.
const BUCKETS: usize = CHUNK * CHUNK;

/// The version of a table, and for each bucket of first tokens the version that last changed it.
///
/// In chunks, so that a change after a snapshot copies 1 KiB and not all counters.
#[derive(Clone)]
pub(super) struct Versions {
    current: u64,
    /// The last change of a pattern whose first token is `*` or `>`: it concerns every subject.
    wildcard: u64,
    buckets: Arc<[Arc<[u64; CHUNK]>; CHUNK]>,
}

/// What routes were found under: a version of the table and the place of their subject's first token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    version: u64,
    bucket: u16,
}

/// What a change concerns.
#[derive(Clone, Copy)]
pub(super) enum Scope {
    /// Subjects whose first token has this hash.
    FirstToken(u32),
    /// Every subject.
    Everything,
}

impl Versions {
    pub(super) fn current(&self) -> u64 {
        self.current
    }

    pub(super) fn changed(&mut self, scope: Scope) {
        self.current += 1;
        match scope {
            Scope::Everything => self.wildcard = self.current,
            Scope::FirstToken(hash) => {
                let bucket = bucket(hash);
                let chunk = &mut Arc::make_mut(&mut self.buckets)[bucket / CHUNK];
                Arc::make_mut(chunk)[bucket % CHUNK] = self.current;
            }
        }
    }

    pub(super) fn stamp(&self, first_token: u32) -> Stamp {
        Stamp { version: self.current, bucket: bucket(first_token) as u16 }
    }

    #[inline]
    pub(super) fn refresh(&self, stamp: Stamp) -> Option<Stamp> {
        let bucket = usize::from(stamp.bucket);
        let changed = self.wildcard.max(self.buckets[bucket / CHUNK][bucket % CHUNK]);
        // A stamp from a later version than this table says nothing about it.
        let current = changed <= stamp.version && stamp.version <= self.current;
        current.then_some(Stamp { version: self.current, ..stamp })
    }
}

impl Stamp {
    /// The version of the table that this stamp was made or last refreshed under.
    #[inline]
    pub fn version(self) -> u64 {
        self.version
    }
}

impl Default for Versions {
    fn default() -> Self {
        let chunk = Arc::new([0; CHUNK]);
        Self { current: 0, wildcard: 0, buckets: Arc::new(std::array::from_fn(|_| Arc::clone(&chunk))) }
    }
}

fn bucket(hash: u32) -> usize {
    hash as usize % BUCKETS
}
