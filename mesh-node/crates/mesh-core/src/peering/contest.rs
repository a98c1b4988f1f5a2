//! Which of two links with the same node stays.
//!
//! Both sides see the same three facts of a link: the other side's start time, which of the two names sorts first, and
//! the number that the dialling side gave it. Neither asks what the other thinks, and the order in which the links came
//! plays no part: comparing is transitive and the same seen from both ends, so that of any number of links the same
//! one is left on both sides.

use std::cmp::Ordering;

use mesh_wire::code::Code;

/// What a link brings forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claim {
    /// Start time of the other node.
    pub(super) incarnation: u64,
    /// Whether it was dialled by the node whose name sorts first.
    pub(super) is_by_smaller: bool,
    /// Its number at the node that dialled it.
    pub(super) dial: u64,
    /// Whether this node dialled it; plays no part.
    pub(super) is_dialled: bool,
}

/// What becomes of a new link beside one that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It takes the place of the one that is there.
    Replaces,
    /// It is closed with this code.
    Loses(Code),
}

/// Compares a new link with the one that is there.
pub(super) fn hold(new: &Claim, held: &Claim) -> Verdict {
    match new.incarnation.cmp(&held.incarnation) {
        // The process behind the held link is gone, or is to give way.
        Ordering::Greater => Verdict::Replaces,
        Ordering::Less => Verdict::Loses(Code::PeerIdTaken),
        // Of one side's dials the last counts: it would not have dialled, had it held the one before.
        Ordering::Equal if (new.is_by_smaller, new.dial) > (held.is_by_smaller, held.dial) => {
            Verdict::Replaces
        }
        Ordering::Equal => Verdict::Loses(Code::PeerDuplicate),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn claim(incarnation: u64, is_by_smaller: bool, dial: u64) -> Claim {
        Claim { incarnation, is_by_smaller, dial, is_dialled: true }
    }

    #[test]
    fn who_stays() {
        use Verdict::{Loses, Replaces};
        let held = claim(5, false, 7);
        let table = [
            (claim(6, false, 1), Replaces, "a newer process"),
            (claim(4, true, 9), Loses(Code::PeerIdTaken), "an older process"),
            (claim(5, true, 1), Replaces, "dialled by the smaller name"),
            (claim(5, false, 8), Replaces, "the same side's later dial"),
            (claim(5, false, 7), Loses(Code::PeerDuplicate), "the same dial"),
            (claim(5, false, 6), Loses(Code::PeerDuplicate), "the same side's earlier dial"),
        ];
        for (new, want, what) in table {
            assert_eq!(hold(&new, &held), want, "{what}");
        }
        assert_eq!(hold(&held, &claim(5, true, 1)), Loses(Code::PeerDuplicate), "dialled by the larger name");
    }

    fn any_claim() -> impl Strategy<Value = Claim> {
        (0..3_u64, any::<bool>(), 0..4_u64).prop_map(|(incarnation, by, dial)| claim(incarnation, by, dial))
    }

    proptest! {
        #[test]
        fn the_same_link_is_left_in_any_order(
            claims in prop::collection::vec(any_claim(), 1..8),
            order in any::<prop::sample::Index>(),
        ) {
            let left = |claims: &[Claim]| claims.iter().copied().reduce(|held, new| match hold(&new, &held) {
                Verdict::Replaces => new,
                Verdict::Loses(_) => held,
            });
            let mut turned = claims.clone();
            turned.rotate_left(order.index(claims.len()));
            let mut back = turned.clone();
            back.reverse();
            prop_assert_eq!(left(&claims), left(&turned));
            prop_assert_eq!(left(&claims), left(&back));
        }
    }
}
