//! What is left when the power goes.

use super::{
    SplitMix64,
    inode::{Change, Inode, apply},
};

/// How much of what was not durable is left, in parts of 1,000: often all or nothing, since what lies between finds less.
pub(super) fn share(random: &mut SplitMix64) -> u64 {
    match random.below(5) {
        0 => 0,
        1 => 1_000,
        _ => random.between(50, 950),
    }
}

/// Leaves of a file what was durable, and some of the rest.
pub(super) fn crash(inode: &mut Inode, share: u64, torn: u64, random: &mut SplitMix64) {
    let mut pending = std::mem::take(&mut inode.pending);
    let mut durable = std::mem::take(&mut inode.durable);
    // Lengths are kept by a journal: once one is lost, later ones are too. Writes between two of them go in any order.
    let mut sizes_are_kept = true;
    while !pending.is_empty() {
        let end = pending.iter().position(|change| matches!(change, Change::Size(_)));
        let mut writes: Vec<Change> = pending.drain(..end.unwrap_or(pending.len())).collect();
        random.shuffle(&mut writes);
        for change in writes {
            if let Some(change) = left_of(change, share, torn, random) {
                apply(&mut durable, change);
            }
        }
        if end.is_some() {
            let size = pending.remove(0);
            sizes_are_kept &= random.chance(share);
            if sizes_are_kept {
                apply(&mut durable, size);
            }
        }
    }
    inode.durable = durable;
    inode.fall_back();
}

fn left_of(change: Change, share: u64, torn: u64, random: &mut SplitMix64) -> Option<Change> {
    let Change::Write { offset, mut bytes } = change else { return Some(change) };
    if random.chance(torn) {
        bytes.truncate(random.index(bytes.len()));
        return (!bytes.is_empty()).then_some(Change::Write { offset, bytes });
    }
    random.chance(share).then_some(Change::Write { offset, bytes })
}
