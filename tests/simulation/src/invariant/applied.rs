//! Every replica applies the same commands in the same order, each of them once.
//!
//! The machine is wrapped in one that counts and folds what it applies, and that keeps both in its state: a replica that
//! goes on from a snapshot at the wrong place counts differently from all others.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use bytes::{BufMut as _, Bytes, BytesMut};
use mesh_log::id::GroupId;
use mesh_replica::machine::{At, Machine, Outcome, StateError, Wanted};

use super::Verdict;

/// Where a replica is in its group's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// Commands that are applied.
    pub count: u64,
    /// All of them as one number.
    pub digest: u64,
    /// The entry of the last one.
    pub index: u64,
    /// Its shard time.
    pub time_ms: u64,
}

/// A replica came to a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Came {
    /// The node.
    pub node: u64,
    /// The group.
    pub group: GroupId,
    /// Where it was before; `None` when it was put there by a state.
    pub from: Option<Place>,
    /// Where it is.
    pub to: Place,
}

/// Where machines tell what they do.
pub type Told = Rc<RefCell<Vec<Came>>>;

/// A machine that tells what it applies.
#[derive(Debug)]
pub struct Recorded<M> {
    inner: M,
    node: u64,
    group: GroupId,
    place: Place,
    told: Told,
}

const HEADER: usize = 32;

impl<M> Recorded<M> {
    /// Wraps an empty machine.
    pub fn new(inner: M, node: u64, group: GroupId, told: Told) -> Self {
        Self { inner, node, group, place: Place::default(), told }
    }

    /// The machine.
    pub fn inner(&self) -> &M {
        &self.inner
    }

    /// Where it is.
    pub fn place(&self) -> Place {
        self.place
    }

    fn tell(&self, from: Option<Place>) {
        let came = Came { node: self.node, group: self.group, from, to: self.place };
        self.told.borrow_mut().push(came);
    }
}

impl<M: Machine> Machine for Recorded<M> {
    fn apply(&mut self, at: At, command: &Bytes) -> Outcome {
        let before = self.place;
        let digest = (before.digest ^ u64::from(crc32c::crc32c(command)) ^ at.time_ms << 32)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29);
        self.place = Place { count: before.count + 1, digest, index: at.index, time_ms: at.time_ms };
        self.tell(Some(before));
        self.inner.apply(at, command)
    }

    fn state(&self) -> Bytes {
        let inner = self.inner.state();
        let mut state = BytesMut::with_capacity(HEADER + inner.len());
        let Place { count, digest, index, time_ms } = self.place;
        [count, digest, index, time_ms].into_iter().for_each(|number| state.put_u64_le(number));
        state.extend_from_slice(&inner);
        state.freeze()
    }

    fn restore(&mut self, state: &Bytes) -> Result<(), StateError> {
        if state.len() < HEADER {
            return Err(StateError("shorter than its header".into()));
        }
        self.inner.restore(&state.slice(HEADER..))?;
        let number = |at: usize| {
            state[at * 8..][..8].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
        };
        self.place = Place { count: number(0), digest: number(1), index: number(2), time_ms: number(3) };
        self.tell(None);
        Ok(())
    }

    fn wanted(&self) -> Vec<Wanted> {
        self.inner.wanted()
    }
}

/// The history of all groups.
#[derive(Debug, Default)]
pub struct AppliedOnce(BTreeMap<GroupId, Vec<Place>>);

impl AppliedOnce {
    /// A replica came to a place.
    ///
    /// # Errors
    /// When no other one was there, and it did not get there by the next command.
    pub fn came(&mut self, came: &Came) -> Verdict {
        let Came { node, group, from, to } = came;
        let history = self.0.entry(*group).or_insert_with(|| vec![Place::default()]);
        let place = |place: &Place| format!("{} commands up to entry {}", place.count, place.index);
        if let Some(from) = from
            && (to.index < from.index || to.time_ms < from.time_ms)
        {
            return Err(format!(
                "node {node}, group {group}: it had {}, and applied entry {}",
                place(from),
                to.index
            ));
        }
        match history.get(to.count as usize) {
            Some(known) if known == to => Ok(()),
            Some(known) => Err(format!(
                "node {node}, group {group}: it has {}, and others had {}",
                place(to),
                place(known)
            )),
            None if from.is_some() && history.len() as u64 == to.count => {
                history.push(*to);
                Ok(())
            }
            None => Err(format!("node {node}, group {group}: it has {}, and no other had", place(to))),
        }
    }

    /// How many commands a group has.
    #[must_use]
    pub fn count(&self, group: GroupId) -> u64 {
        self.0.get(&group).map_or(0, |history| history.len() as u64 - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Nothing;

    impl Machine for Nothing {
        fn apply(&mut self, _: At, _: &Bytes) -> Outcome {
            Outcome::default()
        }

        fn state(&self) -> Bytes {
            Bytes::from_static(b"nothing")
        }

        fn restore(&mut self, state: &Bytes) -> Result<(), StateError> {
            assert_eq!(state, "nothing");
            Ok(())
        }
    }

    fn run(orders: &[&[(u64, &'static str)]]) -> Verdict {
        let mut applied = AppliedOnce::default();
        let mut state = None;
        for (node, order) in (1..).zip(orders) {
            let told = Told::default();
            let mut machine = Recorded::new(Nothing, node, GroupId(1), told.clone());
            for (index, command) in *order {
                match (*command, &state) {
                    ("save", _) => state = Some(machine.state()),
                    ("load", Some(state)) => machine.restore(state).unwrap(),
                    _ => {
                        let at = At { group: GroupId(1), index: *index, term: 1, time_ms: *index };
                        machine.apply(at, &Bytes::from_static(command.as_bytes()));
                    }
                }
            }
            told.take().iter().try_for_each(|came| applied.came(came))?;
        }
        Ok(())
    }

    #[test]
    fn the_same_history_and_its_states_are_fine() {
        let first: &[_] = &[(1, "a"), (1, "b"), (0, "save"), (2, "c")];
        run(&[first, &[(1, "a"), (1, "b"), (2, "c")], &[(1, "a"), (0, "load"), (2, "c"), (3, "d")]]).unwrap();
    }

    #[test]
    fn twice_not_at_all_and_in_another_order_are_found() {
        let first: &[_] = &[(1, "a"), (2, "b"), (0, "save"), (3, "c")];
        let wrong: [&[_]; 5] = [
            &[(0, "load"), (2, "b")],
            &[(1, "a"), (1, "a")],
            &[(1, "a"), (3, "c")],
            &[(2, "b")],
            &[(0, "load"), (4, "d")],
        ];
        for second in wrong {
            assert!(run(&[first, second]).is_err(), "{second:?}");
        }
    }
}
