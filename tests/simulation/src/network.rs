//! Links between nodes that lose, delay, double and reorder, and can be cut in each direction.

use std::{collections::BTreeSet, time::Duration};

use mesh_log::vfs::simulated::SplitMix64;

/// What links do to messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weather {
    /// The least that a message takes.
    pub least: Duration,
    /// The most that it takes, mostly; messages overtake each other within that.
    pub most: Duration,
    /// In how many of 1,000 cases one is lost.
    pub loss: u64,
    /// In how many of 1,000 cases one comes twice.
    pub doubles: u64,
    /// In how many of 1,000 cases one comes very late.
    pub late: u64,
}

impl Weather {
    /// Nothing goes wrong.
    pub const FAIR: Self = Self {
        least: Duration::from_micros(100),
        most: Duration::from_micros(400),
        loss: 0,
        doubles: 0,
        late: 0,
    };
}

/// How late a message that is very late may be.
const LATE_MAX: Duration = Duration::from_secs(2);

/// All links.
#[derive(Debug)]
pub struct Network {
    random: SplitMix64,
    weather: Weather,
    cut: BTreeSet<(u64, u64)>,
}

impl Network {
    /// A network without cuts.
    #[must_use]
    pub fn new(random: SplitMix64, weather: Weather) -> Self {
        Self { random, weather, cut: BTreeSet::new() }
    }

    /// Changes the weather.
    pub fn set_weather(&mut self, weather: Weather) {
        self.weather = weather;
    }

    /// After which times a message arrives: not at all, once, or twice.
    pub fn fates(&mut self, from: u64, to: u64) -> [Option<Duration>; 2] {
        if self.cut.contains(&(from, to)) || self.random.chance(self.weather.loss) {
            return [None, None];
        }
        let first = self.delay();
        let second = self.random.chance(self.weather.doubles).then(|| self.delay());
        [Some(first), second]
    }

    /// How long a message between a client and a node takes. Those are not lost: what is lost there looks to the
    /// client like a node that does not answer, of which there are enough.
    pub fn client_delay(&mut self) -> Duration {
        self.random.duration(self.weather.least, self.weather.most)
    }

    /// Cuts a direction.
    pub fn cut(&mut self, from: u64, to: u64) {
        self.cut.insert((from, to));
    }

    /// Cuts both directions.
    pub fn cut_both(&mut self, one: u64, other: u64) {
        self.cut(one, other);
        self.cut(other, one);
    }

    /// Joins both directions again.
    pub fn join_both(&mut self, one: u64, other: u64) {
        self.cut.remove(&(one, other));
        self.cut.remove(&(other, one));
    }

    /// Joins everything again.
    pub fn join_all(&mut self) {
        self.cut.clear();
    }

    /// Whether something can get there and back: what a link needs to live.
    #[must_use]
    pub fn is_whole(&self, one: u64, other: u64) -> bool {
        !self.cut.contains(&(one, other)) && !self.cut.contains(&(other, one))
    }

    fn delay(&mut self) -> Duration {
        if self.random.chance(self.weather.late) {
            return self.random.duration(self.weather.most, LATE_MAX);
        }
        self.random.duration(self.weather.least, self.weather.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_is_one_way_until_joined() {
        let mut network = Network::new(SplitMix64::new(1), Weather::FAIR);
        network.cut(1, 2);
        assert_eq!(network.fates(1, 2), [None, None]);
        assert!(network.fates(2, 1)[0].is_some() && !network.is_whole(2, 1));
        network.join_both(2, 1);
        assert!(network.fates(1, 2)[0].is_some() && network.is_whole(1, 2));
    }

    #[test]
    fn bad_weather_loses_doubles_and_reorders() {
        let weather = Weather { loss: 100, doubles: 100, late: 100, ..Weather::FAIR };
        let mut network = Network::new(SplitMix64::new(1), weather);
        let fates: Vec<_> = (0..1_000).map(|_| network.fates(1, 2)).collect();
        let count =
            |which: &dyn Fn(&[Option<Duration>; 2]) -> bool| fates.iter().filter(|f| which(f)).count();
        let (lost, doubled) = (count(&|f| f[0].is_none()), count(&|f| f[1].is_some()));
        let late = count(&|f| f[0].is_some_and(|delay| delay > weather.most));
        assert!([lost, doubled, late].iter().all(|n| (50..150).contains(n)), "{lost} {doubled} {late}");
    }
}
