//! What the runs of one row come to: medians, spread, ratios, and whether the goals are met.

use std::collections::BTreeMap;

use crate::measurement::{Cpu, Measurement};
use crate::race::Outcome;
use crate::row::{Goal, Row, Unit};

/// One row's result.
pub(crate) struct Summary {
    pub(crate) row: Row,
    pub(crate) runs: usize,
    /// By side, those that have at least one measurement.
    pub(crate) sides: BTreeMap<&'static str, Figures>,
    /// By side: what went wrong.
    pub(crate) failures: BTreeMap<&'static str, Vec<String>>,
}

/// One side's figures over all runs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Figures {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    /// Medians.
    pub(crate) cpu: Option<Cpu>,
    /// Medians, by name.
    pub(crate) details: BTreeMap<String, f64>,
}

/// A goal and what came of it; nothing where a side is missing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Judged {
    pub(crate) goal: Goal,
    pub(crate) met: Option<bool>,
}

impl Summary {
    pub(crate) fn of(outcome: Outcome, runs: usize) -> Self {
        let figures = outcome.measured.iter().filter_map(|(side, all)| Some((*side, Figures::of(all)?)));
        Self { row: outcome.row, runs, sides: figures.collect(), failures: outcome.failures }
    }

    pub(crate) fn unit(&self) -> Unit {
        self.row.work.unit()
    }

    /// A side's median.
    pub(crate) fn median(&self, side: &str) -> Option<f64> {
        self.sides.get(side).map(|figures| figures.median)
    }

    /// Every peer's name and figures.
    pub(crate) fn peers(&self) -> impl Iterator<Item = (&'static str, &Figures)> {
        self.sides.iter().filter(|(side, _)| !matches!(**side, "ours" | "floor")).map(|(side, f)| (*side, f))
    }

    /// How many times better ours is than `peer`, by medians.
    pub(crate) fn ratio(&self, peer: &str) -> Option<f64> {
        Some(self.unit().ratio(self.median("ours")?, self.median(peer)?))
    }

    /// The ratio to the best peer, which is the smallest.
    pub(crate) fn ratio_to_best(&self) -> Option<f64> {
        self.peers().filter_map(|(peer, _)| self.ratio(peer)).min_by(f64::total_cmp)
    }

    /// The row's goals.
    pub(crate) fn goals(&self) -> impl Iterator<Item = Judged> {
        self.row.goals.iter().map(|goal| Judged { goal: *goal, met: self.met(*goal) })
    }

    fn met(&self, goal: Goal) -> Option<bool> {
        match goal {
            Goal::TimesNats(times) => Some(self.ratio("nats")? >= times),
            Goal::TimesNatsTls(times) => Some(self.ratio("nats-tls")? >= times),
            Goal::OfFloor(times) => Some(self.median("ours")? >= times * self.median("floor")?),
            Goal::TimesFloor(times) => Some(self.median("ours")? <= times * self.median("floor")?),
            Goal::AtMost(value) => Some(self.median("ours")? <= value),
            Goal::AtLeast(value) => Some(self.median("ours")? >= value),
        }
    }
}

impl Figures {
    /// Nothing of no measurements.
    fn of(all: &[Measurement]) -> Option<Self> {
        let values: Vec<f64> = all.iter().map(|one| one.value).collect();
        let cpus: Vec<Cpu> = all.iter().filter_map(|one| one.cpu).collect();
        let names = all.iter().flat_map(|one| one.details.keys());
        let details = names.filter_map(|name| {
            let values: Vec<f64> = all.iter().filter_map(|one| one.details.get(name)).copied().collect();
            Some((name.clone(), median(&values)?))
        });
        Some(Self {
            median: median(&values)?,
            min: values.iter().copied().min_by(f64::total_cmp)?,
            max: values.iter().copied().max_by(f64::total_cmp)?,
            cpu: median_cpu(&cpus),
            details: details.collect(),
        })
    }
}

fn median_cpu(all: &[Cpu]) -> Option<Cpu> {
    let server: Vec<f64> = all.iter().map(|cpu| cpu.server).collect();
    let clients: Vec<f64> = all.iter().map(|cpu| cpu.clients).collect();
    Some(Cpu { server: median(&server)?, clients: median(&clients)? })
}

/// The middle one, or the mean of the two in the middle.
fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    Some(if sorted.len() % 2 == 1 { upper } else { (sorted[middle - 1] + upper) / 2.0 })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::row::ROWS;

    /// A summary of the row `name` with these values per side.
    pub(crate) fn summary(name: &str, sides: &[(&'static str, &[f64])]) -> Summary {
        let row = *ROWS.iter().find(|row| row.name == name).unwrap();
        let one = |value: &f64| Measurement {
            value: *value,
            cpu: Some(Cpu { server: value / 10.0, clients: value / 5.0 }),
            details: BTreeMap::from([("p99_us".to_owned(), value * 2.0)]),
        };
        let measured = sides.iter().map(|(side, values)| (*side, values.iter().map(one).collect())).collect();
        let outcome = Outcome { row, measured, failures: BTreeMap::new() };
        Summary::of(outcome, sides.first().map_or(0, |(_, values)| values.len()))
    }

    #[test]
    fn medians_of_odd_even_and_none() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn figures_have_median_spread_and_details() {
        let summary = summary("request-1", &[("ours", &[30.0, 10.0, 20.0])]);
        let ours = &summary.sides["ours"];
        assert_eq!((ours.median, ours.min, ours.max), (20.0, 10.0, 30.0));
        assert_eq!(ours.cpu, Some(Cpu { server: 2.0, clients: 4.0 }));
        assert_eq!(ours.details["p99_us"], 40.0);
    }

    #[test]
    fn the_ratio_is_to_the_best_peer() {
        let latency = summary("request-1", &[("ours", &[10.0]), ("nats", &[30.0]), ("tonic", &[15.0])]);
        assert_eq!(latency.ratio("nats"), Some(3.0));
        assert_eq!(latency.ratio_to_best(), Some(1.5));
        let rate = summary("request-64", &[("ours", &[10.0]), ("nats", &[5.0]), ("tonic", &[2.0])]);
        assert_eq!(rate.ratio_to_best(), Some(2.0));
    }

    #[test]
    fn the_floor_is_no_peer() {
        let summary = summary("request-1", &[("ours", &[10.0]), ("floor", &[9.0])]);
        assert_eq!(summary.peers().count(), 0);
        assert_eq!(summary.ratio_to_best(), None);
    }

    #[test]
    fn goals_are_met_missed_or_unknown() {
        let met = |ours: f64| {
            let summary = summary("request-1", &[("ours", &[ours]), ("nats", &[40.0]), ("floor", &[20.0])]);
            summary.goals().map(|judged| judged.met).collect::<Vec<_>>()
        };
        assert_eq!(met(23.0), [Some(true), Some(true)]);
        assert_eq!(met(24.0), [Some(true), Some(false)]);
        assert_eq!(met(41.0), [Some(false), Some(false)]);
        let bulk = |ours: f64| {
            let summary = summary("quic-bulk", &[("ours", &[ours]), ("floor", &[100.0])]);
            summary.goals().map(|judged| judged.met).collect::<Vec<_>>()
        };
        assert_eq!((bulk(69.0), bulk(71.0)), (vec![Some(false)], vec![Some(true)]));
        let sides: &[(&str, &[f64])] = &[("ours", &[30.0]), ("nats", &[10.0]), ("nats-tls", &[16.0])];
        let both = summary("quic-pubsub-128-1to1", sides);
        assert_eq!(both.goals().map(|judged| judged.met).collect::<Vec<_>>(), [Some(true), Some(false)]);
        let alone = summary("request-1", &[("ours", &[1.0])]);
        assert!(alone.goals().all(|judged| judged.met.is_none()));
    }
}
