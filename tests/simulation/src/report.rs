//! What a run, or many, came to.

use serde::Serialize;

use crate::invariant::{Invariant, Violation};

/// What happened in a run, by how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Entries that were committed.
    pub commits: u64,
    /// Records that were acknowledged.
    pub records: u64,
    /// Linearizable reads that were answered.
    pub reads: u64,
    /// Terms that had a leader.
    pub elections: u64,
    /// Times that the power of a node went.
    pub crashes: u64,
    /// Processes that were killed, or ended by themselves.
    pub ends: u64,
    /// Processes that stood still.
    pub pauses: u64,
    /// Times that the network was cut.
    pub cuts: u64,
    /// Messages between nodes.
    pub messages: u64,
    /// Messages that were lost.
    pub lost: u64,
    /// Snapshots that were offered.
    pub snapshots: u64,
    /// Checkpoints that were written.
    pub checkpoints: u64,
    /// Jobs on files, without reads.
    pub jobs: u64,
    /// Bits that flipped.
    pub flips: u64,
    /// Times that damage was found.
    pub damage: u64,
    /// Times that a replica that has lost something was to be taken out of the members.
    pub quarantines: u64,
    /// Writes and syncs that failed.
    pub io_errors: u64,
    /// Times that a disk was full.
    pub full: u64,
    /// Changes of members that were through.
    pub member_changes: u64,
    /// Leads that were asked to be handed over.
    pub transfers: u64,
    /// Nodes that wanted to join a cluster.
    pub joins: u64,
    /// Steps that reconcilers took.
    pub steps: u64,
    /// Events of all kinds.
    pub events: u64,
}

impl Counts {
    /// Adds those of another run.
    pub fn add(&mut self, other: &Self) {
        let Self {
            commits,
            records,
            reads,
            elections,
            crashes,
            ends,
            pauses,
            cuts,
            messages,
            lost,
            snapshots,
            checkpoints,
            jobs,
            flips,
            damage,
            quarantines,
            io_errors,
            full,
            member_changes,
            transfers,
            joins,
            steps,
            events,
        } = other;
        self.commits += commits;
        self.records += records;
        self.reads += reads;
        self.elections += elections;
        self.crashes += crashes;
        self.ends += ends;
        self.pauses += pauses;
        self.cuts += cuts;
        self.messages += messages;
        self.lost += lost;
        self.snapshots += snapshots;
        self.checkpoints += checkpoints;
        self.jobs += jobs;
        self.flips += flips;
        self.damage += damage;
        self.quarantines += quarantines;
        self.io_errors += io_errors;
        self.full += full;
        self.member_changes += member_changes;
        self.transfers += transfers;
        self.joins += joins;
        self.steps += steps;
        self.events += events;
    }
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Its seed.
    pub seed: u64,
    /// What happened, as a number.
    pub hash: u64,
    /// How often what happened.
    pub counts: Counts,
    /// What was wrong.
    pub violation: Option<Violation>,
}

/// What many runs came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// How many seeds were run.
    pub seeds: u64,
    /// How many of them failed.
    pub failed: u64,
    /// The first that did.
    pub first_failing_seed: Option<u64>,
    /// Which invariant did not hold there.
    pub first_failing_invariant: Option<Invariant>,
    /// What was seen there.
    pub first_failure: Option<String>,
    /// All traces folded into one number: the same seeds give the same.
    pub hash: String,
    /// Everything that happened.
    #[serde(flatten)]
    pub counts: Counts,
    /// How long it took.
    pub seconds: f64,
    /// Whether nothing was wrong.
    pub passed: bool,
}

impl Summary {
    /// Of reports in order of their seeds.
    #[must_use]
    pub fn of(reports: &[Report], seconds: f64) -> Self {
        let mut counts = Counts::default();
        let mut hash = 0_u64;
        for report in reports {
            counts.add(&report.counts);
            hash = (hash ^ report.hash).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        }
        let failing: Vec<&Report> = reports.iter().filter(|report| report.violation.is_some()).collect();
        let first = failing.first();
        let violation = first.and_then(|report| report.violation.as_ref());
        Self {
            seeds: reports.len() as u64,
            failed: failing.len() as u64,
            first_failing_seed: first.map(|report| report.seed),
            first_failing_invariant: violation.map(|violation| violation.invariant),
            first_failure: violation.map(ToString::to_string),
            hash: format!("{hash:016x}"),
            counts,
            seconds: (seconds * 1_000.0).round() / 1_000.0,
            passed: failing.is_empty(),
        }
    }
}
