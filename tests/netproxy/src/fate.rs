//! What happens to one datagram.

use std::time::Duration;

use crate::{Direction, Faults};

/// What happens to one datagram: a function of the seed, the direction and its number, under given faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fate {
    /// It never arrives.
    pub lost: bool,
    /// It arrives twice.
    pub duplicated: bool,
    /// It arrives with bits flipped as [`corrupt`] does with this.
    pub corrupted: Option<u64>,
    /// It is held back longer than the delay.
    pub reordered: bool,
    /// How long it takes.
    pub delay: Duration,
}

impl Fate {
    /// The fate of datagram `number` of a direction.
    #[must_use]
    pub fn of(seed: u64, direction: Direction, number: u64, faults: &Faults) -> Self {
        let mut random = Random::of(seed, direction, number);
        // Always drawn, and in this order: to change one fault leaves the others where they were.
        let [loss, duplicate, corrupt, bits, reorder, delay] = std::array::from_fn(|_| random.next());
        Self {
            lost: faults.loss.hits(loss),
            duplicated: faults.duplicate.hits(duplicate),
            corrupted: faults.corrupt.hits(corrupt).then_some(bits),
            reordered: faults.reorder.hits(reorder),
            delay: faults.delay.pick(delay),
        }
    }
}

/// Flips one bit or three, by `random`. Whatever is not empty is changed.
pub fn corrupt(random: u64, datagram: &mut [u8]) {
    if datagram.is_empty() {
        return;
    }
    let mut random = Random(random);
    // An odd number: those that meet cancel out in pairs, one is left.
    let flips = if random.next().is_multiple_of(2) { 1 } else { 3 };
    for _ in 0..flips {
        let bits = datagram.len() as u64 * 8;
        let bit = random.next() % bits;
        datagram[(bit / 8) as usize] ^= 1 << (bit % 8);
    }
}

/// SplitMix64: small, the same on every machine, and good from any start.
struct Random(u64);

impl Random {
    fn of(seed: u64, direction: Direction, number: u64) -> Self {
        let direction = match direction {
            Direction::Up => 0,
            Direction::Down => 1,
        };
        let seed = Self(seed ^ direction).next();
        Self(Self(seed ^ number).next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Probability;

    const MS: Duration = Duration::from_millis(1);

    fn bad() -> Faults {
        Faults::NONE
            .loss(Probability::percent(5))
            .delay(2 * MS, 10 * MS)
            .reorder(Probability::percent(10))
            .duplicate(Probability::percent(2))
            .corrupt(Probability::percent(1))
    }

    fn fates(seed: u64, direction: Direction, faults: &Faults) -> Vec<Fate> {
        (0..20_000).map(|number| Fate::of(seed, direction, number, faults)).collect()
    }

    #[test]
    fn golden_fates_stay_what_they_are() {
        // Seeds in bug reports have to mean the same tomorrow.
        let lost = |direction| -> Vec<u64> {
            (0..200).filter(|number| Fate::of(42, direction, *number, &bad()).lost).collect()
        };
        assert_eq!(lost(Direction::Up), [2, 17, 23, 35, 56, 78, 105, 131, 133, 175, 186]);
        assert_eq!(lost(Direction::Down), [70, 86, 87, 128, 139, 155, 178, 184, 185, 188]);
    }

    #[test]
    fn rates_come_out_as_asked_and_independent_of_each_other() {
        for seed in 0..5 {
            for direction in Direction::ALL {
                let fates = fates(seed, direction, &bad());
                let part = |is: &dyn Fn(&Fate) -> bool| {
                    fates.iter().filter(|fate| is(fate)).count() as f64 / fates.len() as f64
                };
                // Five standard deviations of 20,000 draws.
                let near = |got: f64, asked: f64| {
                    let off = 5.0 * (asked * (1.0 - asked) / fates.len() as f64).sqrt();
                    assert!((got - asked).abs() < off, "{got} of {asked}, seed {seed}");
                };
                near(part(&|fate| fate.lost), 0.05);
                near(part(&|fate| fate.reordered), 0.1);
                near(part(&|fate| fate.duplicated), 0.02);
                near(part(&|fate| fate.corrupted.is_some()), 0.01);
                near(part(&|fate| fate.lost && fate.reordered), 0.005);
                near(part(&|fate| fate.delay < 6 * MS), 0.5);
            }
        }
    }

    #[test]
    fn no_faults_do_nothing_and_certain_ones_always_happen() {
        let nothing =
            Fate { lost: false, duplicated: false, corrupted: None, reordered: false, delay: Duration::ZERO };
        assert!(fates(1, Direction::Up, &Faults::NONE).iter().all(|fate| *fate == nothing));
        let always = Faults::NONE.loss(Probability::ALWAYS).corrupt(Probability::ALWAYS);
        assert!(fates(1, Direction::Up, &always).iter().all(|fate| fate.lost && fate.corrupted.is_some()));
    }

    #[test]
    fn directions_and_seeds_differ() {
        let up = fates(1, Direction::Up, &bad());
        assert_ne!(up, fates(1, Direction::Down, &bad()));
        assert_ne!(up, fates(2, Direction::Up, &bad()));
    }

    proptest! {
        #[test]
        fn the_same_seed_gives_the_same_fate(seed: u64, number: u64) {
            for direction in Direction::ALL {
                let fate = Fate::of(seed, direction, number, &bad());
                prop_assert_eq!(fate, Fate::of(seed, direction, number, &bad()));
                prop_assert!(fate.delay >= 2 * MS && fate.delay <= 10 * MS);
            }
        }

        #[test]
        fn one_fault_leaves_the_others_alone(seed: u64, number: u64) {
            let with = Fate::of(seed, Direction::Up, number, &bad());
            let without = Fate::of(seed, Direction::Up, number, &bad().loss(Probability::NEVER));
            prop_assert_eq!(Fate { lost: false, ..with }, without);
        }

        #[test]
        fn corruption_changes_one_bit_or_three(random: u64, datagram in prop::collection::vec(any::<u8>(), 1..100)) {
            let mut changed = datagram.clone();
            corrupt(random, &mut changed);
            let bits: u32 = datagram.iter().zip(&changed).map(|(a, b)| (a ^ b).count_ones()).sum();
            prop_assert!(bits == 1 || bits == 3, "{} bits", bits);
        }
    }
}
