//! A leaf of the hash trie: a few keys whose hashes begin with the same bits.

/// Most entries of a leaf, unless all 32 bits of their hashes are equal. Small, because a change copies a whole leaf.
pub(super) const LEAF_ENTRIES: usize = 16;

/// How many entries a full vector grows by: exact enough that a million leaves waste little.
const GROWTH: usize = 2;

#[derive(Clone)]
pub(super) struct Leaf<V> {
    /// How many leading bits the hashes here have in common by their place in the trie.
    bits: u8,
    /// Beside the entries and not in them: a search reads one or two cache lines.
    hashes: Vec<u32>,
    entries: Vec<(Box<str>, V)>,
}

impl<V> Leaf<V> {
    pub(super) fn bits(&self) -> u8 {
        self.bits
    }

    pub(super) fn len(&self) -> usize {
        self.hashes.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.len() >= LEAF_ENTRIES
    }

    #[inline]
    pub(super) fn get(&self, hash: u32, key: &str) -> Option<&V> {
        let at = self.position(hash, key)?;
        Some(&self.entries[at].1)
    }

    pub(super) fn get_mut(&mut self, hash: u32, key: &str) -> Option<&mut V> {
        let at = self.position(hash, key)?;
        Some(&mut self.entries[at].1)
    }

    pub(super) fn get_or_insert_with(&mut self, hash: u32, key: &str, value: impl FnOnce() -> V) -> &mut V {
        let at = match self.position(hash, key) {
            Some(at) => at,
            None => {
                if self.hashes.len() == self.hashes.capacity() {
                    self.hashes.reserve_exact(GROWTH);
                }
                if self.entries.len() == self.entries.capacity() {
                    self.entries.reserve_exact(GROWTH);
                }
                self.hashes.push(hash);
                self.entries.push((key.into(), value()));
                self.entries.len() - 1
            }
        };
        &mut self.entries[at].1
    }

    pub(super) fn remove(&mut self, hash: u32, key: &str) -> Option<V> {
        let at = self.position(hash, key)?;
        self.hashes.swap_remove(at);
        Some(self.entries.swap_remove(at).1)
    }

    /// Divides the entries by the first bit that they need not share: those with a 1 are given back.
    pub(super) fn split(&mut self) -> Self {
        let bit = 1 << (31 - self.bits);
        self.bits += 1;
        let count = self.hashes.iter().filter(|&hash| hash & bit != 0).count();
        let zeros = self.len() - count;
        let hashes = std::mem::replace(&mut self.hashes, Vec::with_capacity(zeros));
        let entries = std::mem::replace(&mut self.entries, Vec::with_capacity(zeros));
        let mut ones =
            Self { bits: self.bits, hashes: Vec::with_capacity(count), entries: Vec::with_capacity(count) };
        for (hash, entry) in hashes.into_iter().zip(entries) {
            let side = if hash & bit != 0 { &mut ones } else { &mut *self };
            side.hashes.push(hash);
            side.entries.push(entry);
        }
        ones
    }

    /// Undoes a split.
    pub(super) fn absorb(&mut self, other: Self) {
        self.bits -= 1;
        self.hashes.reserve_exact(other.len());
        self.entries.reserve_exact(other.len());
        self.hashes.extend(other.hashes);
        self.entries.extend(other.entries);
    }

    #[inline]
    fn position(&self, hash: u32, key: &str) -> Option<usize> {
        let mut same = self.hashes.iter().zip(&self.entries);
        same.position(|(&other, (other_key, _))| other == hash && **other_key == *key)
    }

    #[cfg(test)]
    pub(super) fn hashes(&self) -> &[u32] {
        &self.hashes
    }
}

impl<V> Default for Leaf<V> {
    fn default() -> Self {
        Self { bits: 0, hashes: Vec::new(), entries: Vec::new() }
    }
}
