//! Shows that every lane of a link works, and how long the way there and back takes in each class.
//!
//! One lane is asked at a time, in turn, so that a link costs one small frame per pace. What is not answered before the
//! turn comes round is asked again; whether a link is dead is for its carrier to say.

use std::time::{Duration, Instant};

use mesh_wire::class::Class;

/// One lane is asked each time that this has passed.
pub(super) const PACE: Duration = Duration::from_secs(1);

/// Inputs: [`Probe::handle_turn`], [`Probe::handle_pong`].
#[derive(Debug, Default)]
pub(super) struct Probe {
    turns: u64,
    asked: [Option<(u64, Instant)>; Class::COUNT],
}

impl Probe {
    /// The next lane to ask, and the id of its `PING`.
    pub(super) fn handle_turn(&mut self, now: Instant, classes: &[Class]) -> Option<(Class, u64)> {
        let count = classes.len() as u64;
        let class = *classes.get(self.turns.checked_rem(count)? as usize)?;
        self.turns += 1;
        self.asked[class.index()] = Some((self.turns, now));
        Some((class, self.turns))
    }

    /// A `PONG` has come on the lane of `class`; how long it took, if it is the one that was waited for.
    pub(super) fn handle_pong(&mut self, now: Instant, class: Class, id: u64) -> Option<Duration> {
        let (_, at) = self.asked[class.index()].take_if(|(asked, _)| *asked == id)?;
        Some(now.saturating_duration_since(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn lanes_are_asked_in_turn() {
        let (now, mut probe) = (Instant::now(), Probe::default());
        let asked: Vec<Class> = (0..=Class::COUNT)
            .filter_map(|_| probe.handle_turn(now, &Class::ALL))
            .map(|(class, _)| class)
            .collect();
        assert_eq!(asked, [&Class::ALL[..], &[Class::Control]].concat());
        assert_eq!(probe.handle_turn(now, &[]), None);
    }

    #[test]
    fn only_the_answer_that_is_waited_for_counts() {
        let (now, mut probe) = (Instant::now(), Probe::default());
        let one = [Class::Publish];
        let (class, first) = probe.handle_turn(now, &one).unwrap();
        assert_eq!(probe.handle_pong(now + MS, Class::Control, first), None);
        assert_eq!(probe.handle_pong(now + MS, class, first + 1), None);
        assert_eq!(probe.handle_pong(now + MS, class, first), Some(MS));
        assert_eq!(probe.handle_pong(now + MS, class, first), None, "a second time");
        let (_, second) = probe.handle_turn(now, &one).unwrap();
        let (_, third) = probe.handle_turn(now + MS, &one).unwrap();
        assert_eq!(probe.handle_pong(now + 2 * MS, class, second), None, "it was asked again");
        assert_eq!(probe.handle_pong(now + 3 * MS, class, third), Some(2 * MS));
    }
}
