use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// Checks the shape below `node` and gives the number of its entries.
fn check<V>(node: &Node<V>, prefix: u32, bits: u8, level: u8) -> usize {
    let agrees = |hash: u32, bits: u8| bits == 0 || (hash ^ prefix) >> (HASH_BITS - bits) == 0;
    match node {
        Node::Leaf(leaf) => {
            assert_eq!(leaf.bits(), bits);
            assert!(leaf.hashes().iter().all(|&hash| agrees(hash, bits)));
            leaf.len()
        }
        Node::Branch(branch) => {
            assert_eq!(bits, BRANCH_BITS * level);
            let mut entries = 0;
            for (at, child) in branch.children.iter().enumerate() {
                let slots: Vec<usize> =
                    (0..SLOTS).filter(|&slot| branch.slots[slot] as usize == at).collect();
                let run = slots.len();
                assert!(
                    run.is_power_of_two()
                        && slots[0].is_multiple_of(run)
                        && slots[run - 1] == slots[0] + run - 1
                );
                let below = BRANCH_BITS * (level + 1) - run.trailing_zeros() as u8;
                let prefix = prefix | (slots[0] as u32) << (HASH_BITS - BRANCH_BITS * (level + 1));
                entries += check(child, prefix, below, level + 1);
            }
            assert!(branch.children.len() > 1, "a branch of one child is its child");
            assert!(entries > MERGE_ENTRIES, "a nearly empty branch should have become a leaf");
            entries
        }
    }
}

fn entries<V>(trie: &HashTrie<V>) -> usize {
    trie.root.as_ref().map_or(0, |root| check(root, 0, 0, 0))
}

/// Hashes that are often close to each other or equal, so that deep branches and full leaves come about.
fn hash() -> impl Strategy<Value = u32> {
    prop_oneof![
        any::<u32>(),
        any::<u8>().prop_map(u32::from),
        any::<u8>().prop_map(|high| u32::from(high) << 24),
        Just(7),
    ]
}

#[test]
fn shares_with_its_clones() {
    let mut trie = HashTrie::default();
    for number in 0..1000u32 {
        *trie.get_or_insert_with(number.wrapping_mul(0x9e37_79b9), &number.to_string(), || 0) = number;
    }
    let before = trie.clone();
    trie.remove(5u32.wrapping_mul(0x9e37_79b9), "5");
    *trie.get_mut(6u32.wrapping_mul(0x9e37_79b9), "6").unwrap() = 66;
    assert_eq!(before.get(5u32.wrapping_mul(0x9e37_79b9), "5"), Some(&5));
    assert_eq!(before.get(6u32.wrapping_mul(0x9e37_79b9), "6"), Some(&6));
    assert_eq!(trie.get(5u32.wrapping_mul(0x9e37_79b9), "5"), None);
    assert_eq!(trie.get(6u32.wrapping_mul(0x9e37_79b9), "6"), Some(&66));
    let (Some(Node::Branch(old)), Some(Node::Branch(new))) = (&before.root, &trie.root) else { panic!() };
    let shared = |(old, new): (&Node<u32>, &Node<u32>)| match (old, new) {
        (Node::Leaf(old), Node::Leaf(new)) => Arc::ptr_eq(old, new),
        (Node::Branch(old), Node::Branch(new)) => Arc::ptr_eq(old, new),
        _ => false,
    };
    let copied = old.children.iter().zip(&new.children).filter(|pair| !shared(*pair)).count();
    assert!(copied <= 2, "two changes copied {copied} of {} children", old.children.len());
}

#[test]
fn equal_hashes_share_a_leaf_beyond_its_size() {
    let mut trie = HashTrie::default();
    for number in 0..100 {
        trie.get_or_insert_with(1, &number.to_string(), || number);
    }
    assert_eq!(trie.get(1, "99"), Some(&99));
    for number in 0..100 {
        assert_eq!(trie.remove(1, &number.to_string()), Some(number));
    }
    assert!(trie.is_empty());
}

proptest! {
    #[test]
    fn is_a_map(changes in proptest::collection::vec((any::<bool>(), hash(), 0..4u8, any::<u16>()), 1..800)) {
        let mut trie = HashTrie::default();
        let mut model = BTreeMap::new();
        let mut snapshots = Vec::new();
        for (at, (insert, hash, key, value)) in changes.into_iter().enumerate() {
            // A key has one hash.
            let key = format!("{hash}-{key}");
            if insert {
                *trie.get_or_insert_with(hash, &key, || 0) = value;
                model.insert((hash, key), value);
            } else {
                let victim = model.keys().next().cloned().unwrap_or((hash, key));
                prop_assert_eq!(trie.remove(victim.0, &victim.1), model.remove(&victim));
            }
            if at % 100 == 0 {
                snapshots.push((trie.clone(), model.clone()));
            }
        }
        snapshots.push((trie, model));
        for (trie, model) in &snapshots {
            prop_assert_eq!(entries(trie), model.len());
            for ((hash, key), value) in model {
                prop_assert_eq!(trie.get(*hash, key), Some(value));
            }
        }
        let (mut trie, model) = snapshots.pop().unwrap();
        for (at, (hash, key)) in model.keys().enumerate() {
            prop_assert!(trie.remove(*hash, key).is_some());
            if at.is_multiple_of(20) {
                prop_assert_eq!(entries(&trie), model.len() - at - 1);
            }
        }
        prop_assert!(trie.is_empty());
    }
}
