//! A persistent map from text to a value, small enough to hold millions of short keys.
//!
//! Four bits of the hash choose one of 16 slots of a branch. Neighbouring slots may share one leaf, and a full leaf
//! splits in two by its next bit, so leaves stay between half and fully filled at every size of the map. A leaf knows
//! how many bits all its hashes share.
//!
//! ```text
//!  branch, level 0:  slots 0 0 0 0 0 0 0 0  1 1 1 1  2 3 4 4
//!                           │                  │     │ │  └─ leaf, 3 bits
//!                     leaf, 1 bit        leaf, 2 bits │ └─ branch, level 1
//!                                                     └─ leaf, 4 bits
//! ```
//!
//! Clones share everything; a change copies the branches and the leaf on its way, and only those that a clone still
//! shares.

mod leaf;

use std::sync::Arc;

use self::leaf::{LEAF_ENTRIES, Leaf};

/// Bits of the hash that one branch looks at.
const BRANCH_BITS: u8 = 4;
const SLOTS: usize = 1 << BRANCH_BITS;
/// Bits of a hash.
const HASH_BITS: u8 = 32;
/// Two neighbouring leaves with no more entries than this become one; half of a leaf, so that a key that comes and
/// goes does not split and merge each time.
const MERGE_ENTRIES: usize = LEAF_ENTRIES / 2;

/// See the module. The caller hashes; equal keys must come with equal hashes.
#[derive(Clone)]
pub(super) struct HashTrie<V> {
    root: Option<Node<V>>,
}

#[derive(Clone)]
enum Node<V> {
    Leaf(Arc<Leaf<V>>),
    Branch(Arc<Branch<V>>),
}

#[derive(Clone)]
struct Branch<V> {
    /// For each slot the position of its child; a child that is a branch has one slot, a leaf has 1, 2, 4 or 8.
    slots: [u8; SLOTS],
    children: Vec<Node<V>>,
}

impl<V> HashTrie<V> {
    pub(super) fn is_empty(&self) -> bool {
        self.root.is_none()
    }

    #[inline]
    pub(super) fn get(&self, hash: u32, key: &str) -> Option<&V> {
        let mut node = self.root.as_ref()?;
        let mut rest = hash;
        loop {
            match node {
                Node::Leaf(leaf) => return leaf.get(hash, key),
                Node::Branch(branch) => {
                    let slot = rest >> (HASH_BITS - BRANCH_BITS);
                    node = &branch.children[usize::from(branch.slots[slot as usize])];
                    rest <<= BRANCH_BITS;
                }
            }
        }
    }
}

impl<V: Clone> HashTrie<V> {
    /// The value of `key`, which is inserted first if it is missing.
    pub(super) fn get_or_insert_with(&mut self, hash: u32, key: &str, value: impl FnOnce() -> V) -> &mut V {
        self.leaf_mut(hash).get_or_insert_with(hash, key, value)
    }

    /// The value of `key`, to be changed. Copies what clones share, so ask [`HashTrie::get`] first when in doubt.
    pub(super) fn get_mut(&mut self, hash: u32, key: &str) -> Option<&mut V> {
        let mut node = self.root.as_mut()?;
        let mut level = 0;
        loop {
            match node {
                Node::Leaf(leaf) => return Arc::make_mut(leaf).get_mut(hash, key),
                Node::Branch(branch) => {
                    let branch = Arc::make_mut(branch);
                    node = &mut branch.children[usize::from(branch.slots[slot(hash, level)])];
                    level += 1;
                }
            }
        }
    }

    pub(super) fn remove(&mut self, hash: u32, key: &str) -> Option<V> {
        // Nothing is copied for a key that is not there.
        self.get(hash, key)?;
        let root = self.root.as_mut()?;
        let value = root.remove(hash, key, 0);
        if matches!(root, Node::Leaf(leaf) if leaf.is_empty()) {
            self.root = None;
        }
        value
    }

    /// The leaf where `hash` belongs, with room for one more entry unless all its hashes are equal.
    fn leaf_mut(&mut self, hash: u32) -> &mut Leaf<V> {
        let mut node = self.root.get_or_insert_with(|| Node::Leaf(Arc::default()));
        let mut level = 0;
        loop {
            // A full leaf met here has one slot of its parent for itself, so only a branch can divide it further.
            if let Node::Leaf(leaf) = node
                && leaf.is_full()
                && leaf.bits() < HASH_BITS
            {
                let leaf = Arc::clone(leaf);
                *node =
                    Node::Branch(Arc::new(Branch { slots: [0; SLOTS], children: vec![Node::Leaf(leaf)] }));
            }
            match node {
                Node::Leaf(leaf) => return Arc::make_mut(leaf),
                Node::Branch(branch) => {
                    node = Arc::make_mut(branch).child_mut(hash, level);
                    level += 1;
                }
            }
        }
    }
}

impl<V> Default for HashTrie<V> {
    fn default() -> Self {
        Self { root: None }
    }
}

impl<V: Clone> Node<V> {
    fn remove(&mut self, hash: u32, key: &str, level: u8) -> Option<V> {
        let branch = match self {
            Node::Leaf(leaf) => return Arc::make_mut(leaf).remove(hash, key),
            Node::Branch(branch) => Arc::make_mut(branch),
        };
        let slot = slot(hash, level);
        let value = branch.children[usize::from(branch.slots[slot])].remove(hash, key, level + 1);
        branch.merge(slot, level);
        if let [Node::Leaf(leaf)] = branch.children.as_slice() {
            let leaf = Arc::clone(leaf);
            *self = Node::Leaf(leaf);
        }
        value
    }
}

impl<V: Clone> Branch<V> {
    /// The child for `hash`; a full leaf is split until it has room or only this slot.
    fn child_mut(&mut self, hash: u32, level: u8) -> &mut Node<V> {
        let slot = slot(hash, level);
        while let at = self.slots[slot]
            && let Node::Leaf(leaf) = &mut self.children[usize::from(at)]
            && leaf.is_full()
            && leaf.bits() < BRANCH_BITS * (level + 1)
        {
            let divides = 1 << (BRANCH_BITS * (level + 1) - leaf.bits() - 1);
            let ones = Arc::make_mut(leaf).split();
            let added = self.children.len() as u8;
            for (slot, child) in self.slots.iter_mut().enumerate() {
                if *child == at && slot & divides != 0 {
                    *child = added;
                }
            }
            self.children.push(Node::Leaf(Arc::new(ones)));
        }
        &mut self.children[usize::from(self.slots[slot])]
    }

    /// Joins the leaf at `slot` with the one it was split from, as long as both are small.
    fn merge(&mut self, slot: usize, level: u8) {
        loop {
            let at = self.slots[slot];
            let Node::Leaf(leaf) = &self.children[usize::from(at)] else { return };
            if leaf.bits() == BRANCH_BITS * level {
                return;
            }
            let divides = 1 << (BRANCH_BITS * (level + 1) - leaf.bits());
            let other_at = self.slots[slot ^ divides];
            let Node::Leaf(other) = &self.children[usize::from(other_at)] else { return };
            if other.bits() != leaf.bits() || leaf.len() + other.len() > MERGE_ENTRIES {
                return;
            }
            self.redirect(other_at, at);
            let other = self.children.swap_remove(usize::from(other_at));
            self.redirect(self.children.len() as u8, other_at);
            let at = usize::from(self.slots[slot]);
            if let (Node::Leaf(leaf), Node::Leaf(other)) = (&mut self.children[at], other) {
                Arc::make_mut(leaf).absorb(Arc::unwrap_or_clone(other));
            }
        }
    }

    fn redirect(&mut self, from: u8, to: u8) {
        for child in &mut self.slots {
            if *child == from {
                *child = to;
            }
        }
    }
}

/// The slot of `hash` in a branch at `level`, counted from the highest bits down.
fn slot(hash: u32, level: u8) -> usize {
    ((hash << (BRANCH_BITS * level)) >> (HASH_BITS - BRANCH_BITS)) as usize
}

#[cfg(test)]
mod tests;
