//! Who wants one pattern.

use std::sync::Arc;

use imbl::OrdSet;

use super::{LinkId, Mode, SubscriptionId, Target};

/// Most members that are kept in one sorted vector. A change copies the vector when a snapshot shares it, so a
/// pattern that is wanted by more keeps them in a persistent set.
const FEW_MEMBERS: usize = 64;

/// One subscription's part in a pattern. The order is the order in which routes are written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Member {
    pub(super) mode: Mode,
    pub(super) group: Option<Arc<str>>,
    pub(super) target: Target,
}

/// [`Member`], borrowed; ordered in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MemberRef<'a> {
    pub(super) mode: Mode,
    pub(super) group: Option<&'a Arc<str>>,
    pub(super) target: Target,
}

/// The members of one pattern. Most patterns have exactly one, without a group: it needs no memory of its own.
#[derive(Clone, Default)]
pub(super) enum Interest {
    #[default]
    Nobody,
    One {
        mode: Mode,
        subscription: SubscriptionId,
        link: LinkId,
    },
    /// Sorted. At least two, or one that is in a group.
    Few(Arc<Vec<Member>>),
    Many(Arc<OrdSet<Member>>),
}

/// A million subscriptions have a million of these.
const _: () = assert!(size_of::<Interest>() == 16);

impl Interest {
    pub(super) fn is_nobody(&self) -> bool {
        matches!(self, Self::Nobody)
    }

    /// Adds a member; false when it is there already.
    pub(super) fn insert(&mut self, member: Member) -> bool {
        match self {
            Self::Nobody => *self = Self::of(vec![member]),
            Self::One { .. } => {
                let mut members = self.to_vec();
                let Err(at) = members.binary_search(&member) else { return false };
                members.insert(at, member);
                *self = Self::of(members);
            }
            Self::Few(few) => {
                let Err(at) = few.binary_search(&member) else { return false };
                let few = Arc::make_mut(few);
                few.insert(at, member);
                if few.len() > FEW_MEMBERS {
                    *self = Self::Many(Arc::new(few.drain(..).collect()));
                }
            }
            Self::Many(many) => return Arc::make_mut(many).insert(member).is_none(),
        }
        true
    }

    /// Takes a member away; false when it was not there.
    pub(super) fn remove(&mut self, member: &Member) -> bool {
        match self {
            Self::Nobody => return false,
            Self::One { .. } => {
                if self.to_vec() != std::slice::from_ref(member) {
                    return false;
                }
                *self = Self::Nobody;
            }
            Self::Few(few) => {
                let Ok(at) = few.binary_search(member) else { return false };
                let few = Arc::make_mut(few);
                few.remove(at);
                if few.len() < 2 {
                    *self = Self::of(std::mem::take(few));
                }
            }
            Self::Many(many) => {
                if Arc::make_mut(many).remove(member).is_none() {
                    return false;
                }
                // Half, so that one member that comes and goes does not convert each time.
                if many.len() <= FEW_MEMBERS / 2 {
                    *self = Self::Few(Arc::new(many.iter().cloned().collect()));
                }
            }
        }
        true
    }

    /// Calls `each` with every member, in order.
    #[inline]
    pub(super) fn for_each<'a>(&'a self, mut each: impl FnMut(MemberRef<'a>)) {
        match self {
            Self::Nobody => {}
            Self::One { mode, subscription, link } => {
                each(MemberRef { mode: *mode, group: None, target: Target::new(*link, *subscription) });
            }
            Self::Few(few) => few.iter().map(Member::borrowed).for_each(each),
            Self::Many(many) => many.iter().map(Member::borrowed).for_each(each),
        }
    }

    /// The most compact form for fewer than [`FEW_MEMBERS`] sorted members.
    fn of(members: Vec<Member>) -> Self {
        match members.as_slice() {
            [] => Self::Nobody,
            [Member { mode, group: None, target }] => {
                Self::One { mode: *mode, subscription: target.subscription, link: target.link }
            }
            _ => Self::Few(Arc::new(members)),
        }
    }

    fn to_vec(&self) -> Vec<Member> {
        let mut members = Vec::with_capacity(2);
        self.for_each(|MemberRef { mode, group, target }| {
            members.push(Member { mode, group: group.cloned(), target });
        });
        members
    }
}

impl Member {
    #[inline]
    fn borrowed(&self) -> MemberRef<'_> {
        MemberRef { mode: self.mode, group: self.group.as_ref(), target: self.target }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn member() -> impl Strategy<Value = Member> {
        (any::<bool>(), proptest::option::of("[ab]"), 0..4u64, 0..20u32).prop_map(
            |(events, group, link, id)| Member {
                mode: if events { Mode::Events } else { Mode::Responder },
                group: group.map(Arc::from),
                target: Target::new(LinkId(link), SubscriptionId(id)),
            },
        )
    }

    fn target(id: usize) -> Target {
        Target::new(LinkId(1), SubscriptionId(id as u32))
    }

    #[test]
    fn changes_form_at_its_bounds() {
        let plain = |id| Member { mode: Mode::Events, group: None, target: target(id) };
        let mut interest = Interest::default();
        assert!(interest.insert(plain(0)));
        assert!(matches!(interest, Interest::One { .. }));
        for id in 1..FEW_MEMBERS {
            assert!(interest.insert(plain(id)));
        }
        assert!(matches!(interest, Interest::Few(_)));
        assert!(interest.insert(plain(FEW_MEMBERS)));
        assert!(matches!(interest, Interest::Many(_)));
        for id in (FEW_MEMBERS / 2 + 1..=FEW_MEMBERS).rev() {
            assert!(matches!(interest, Interest::Many(_)));
            assert!(interest.remove(&plain(id)));
        }
        assert!(interest.remove(&plain(FEW_MEMBERS / 2)));
        assert!(matches!(interest, Interest::Few(_)));
        for id in 1..FEW_MEMBERS / 2 {
            assert!(interest.remove(&plain(id)));
        }
        assert!(matches!(interest, Interest::One { .. }));
        assert!(interest.remove(&plain(0)));
        assert!(interest.is_nobody());
    }

    proptest! {
        #[test]
        fn is_a_sorted_set(changes in proptest::collection::vec((0..3u8, member()), 0..400)) {
            let mut interest = Interest::default();
            let mut model = BTreeSet::new();
            let snapshot = interest.clone();
            for (kind, member) in changes {
                if kind > 0 {
                    prop_assert_eq!(interest.insert(member.clone()), model.insert(member));
                } else {
                    prop_assert_eq!(interest.remove(&member), model.remove(&member));
                }
                prop_assert_eq!(interest.to_vec(), model.iter().cloned().collect::<Vec<_>>());
                prop_assert_eq!(interest.is_nobody(), model.is_empty());
            }
            prop_assert!(snapshot.is_nobody());
        }
    }
}
