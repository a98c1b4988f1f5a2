//! Every trial there is, by its number.

use std::time::Duration;

use crate::trial::{Body, Outcome, Trial};

mod bugs;
mod clock;
mod crash;
mod damage;
mod disk;
mod members;
mod network;
mod pause;

const MIB: u64 = 1 << 20;
const THREE: (usize, usize) = (3, 3);

const fn trial(number: u32, name: &'static str, passes: &'static str, body: Body) -> Trial {
    Trial { number, name, passes, nodes: THREE, gap_max: None, small_disk: None, body }
}

/// Of these, none may keep a register without an acknowledgement for longer.
const fn within(seconds: u64, trial: Trial) -> Trial {
    Trial { gap_max: Some(Duration::from_secs(seconds)), ..trial }
}

/// All of them, in order.
pub(crate) const ALL: &[Trial] = &[
    within(
        3,
        trial(1, "kill -9 of the leader", "a gap of at most 3 s each time", |a| Box::pin(crash::leader(a))),
    ),
    trial(2, "kill -9 of all nodes", "serving at most 10 s after they are started", |a| {
        Box::pin(crash::all(a))
    }),
    trial(3, "SIGSTOP of the leader", "no read is stale", |a| Box::pin(pause::leader(a))),
    trial(4, "a node forgets what was not synced", "logs are the same", |a| Box::pin(disk::forgets(a))),
    trial(5, "power loss on all, with a torn tail", "all start unattended", |a| {
        Box::pin(damage::torn_tails(a))
    }),
    trial(6, "partitions", "a minority refuses within 5 s", |a| Box::pin(network::partitions(a))),
    within(30, trial(7, "a link that flaps", "a commit at least each 30 s", |a| Box::pin(network::flaps(a)))),
    trial(8, "loss, delay, reordering, copies, corruption", "nothing corrupt is read", |a| {
        Box::pin(network::bad(a))
    }),
    Trial {
        nodes: (5, 3),
        ..trial(9, "members 3 to 5 to 3, with kills and cuts", "at most one leader of a term", |a| {
            Box::pin(members::three_five_three(a))
        })
    },
    trial(10, "a wiped node comes back", "refused as voter, joins as learner", |a| {
        Box::pin(members::wiped(a))
    }),
    trial(11, "a flipped bit in a segment", "found, never served, repaired", |a| {
        Box::pin(damage::segment(a))
    }),
    trial(12, "damage in the middle of the log", "neither votes nor truncates", |a| Box::pin(damage::log(a))),
    trial(13, "a damaged checkpoint", "nothing is deleted", |a| Box::pin(damage::checkpoint(a))),
    Trial {
        small_disk: Some((0, 96 * MIB)),
        ..trial(14, "disk full", "refused within 1 s, goes on within 10 s", |a| Box::pin(disk::full(a)))
    },
    trial(15, "fsync fails", "the process ends within 1 s, no later acknowledgement", |a| {
        Box::pin(disk::fails(a))
    }),
    trial(16, "fsync takes 500 ms on one node", "80 % throughput; a leader moves away within 30 s", |a| {
        Box::pin(disk::slow(a))
    }),
    trial(22, "an ambiguous acknowledgement, retried", "one copy", |a| Box::pin(crash::ambiguous(a))),
    trial(25, "a half-open link", "noticed within 5 s", |a| Box::pin(network::half_open(a))),
    trial(34, "a clock that is an hour off", "no election", |a| Box::pin(clock::off(a))),
];

/// A known bug, the schedule that brings it out, and how it shows.
pub(crate) struct Bug {
    /// What `MESH_FAULTS` calls it.
    pub(crate) name: &'static str,
    pub(crate) trial: Trial,
    /// Whether what came of the trial is the work of this bug.
    pub(crate) shows: fn(&Outcome) -> bool,
}

const fn bug(
    number: u32,
    name: &'static str,
    trial_name: &'static str,
    passes: &'static str,
    body: Body,
    shows: fn(&Outcome) -> bool,
) -> Bug {
    Bug { name, trial: trial(number, trial_name, passes, body), shows }
}

/// All bugs that can be brought back.
pub(crate) const BUGS: &[Bug] = &[
    bug(
        101,
        "ack-before-fsync",
        "the power of all nodes fails",
        "what was acknowledged is there",
        |a| Box::pin(bugs::power(a)),
        |outcome| outcome.verdict.lost > 0,
    ),
    bug(
        102,
        "ack-before-quorum",
        "the leader is alone with its clients",
        "it acknowledges nothing",
        |a| Box::pin(bugs::alone(a)),
        |outcome| outcome.verdict.lost + outcome.verdict.misplaced + outcome.verdict.diverged > 0,
    ),
    bug(
        103,
        "forget-vote",
        "power fails right after a vote",
        "one leader of a term",
        |a| Box::pin(bugs::votes(a)),
        |outcome| outcome.complaints.iter().any(|said| said.starts_with("two leaders of one term")),
    ),
    bug(
        104,
        "truncate-on-damage",
        "a damaged log is needed for a majority",
        "it does not vote",
        |a| Box::pin(bugs::damaged_majority(a)),
        |outcome| outcome.verdict.lost > 0,
    ),
    bug(
        105,
        "stale-read",
        "a leader sleeps while another one is elected",
        "it answers no reads",
        |a| Box::pin(bugs::asleep(a)),
        |outcome| outcome.verdict.stale > 0,
    ),
    bug(
        106,
        "apply-twice",
        "power fails right after a checkpoint",
        "every record is there once",
        |a| Box::pin(bugs::checkpoint(a)),
        |outcome| outcome.verdict.duplicated + outcome.verdict.misplaced > 0,
    ),
];

/// The trial of a number.
pub(crate) fn by_number(number: u32) -> Option<&'static Trial> {
    let of_bugs = BUGS.iter().map(|bug| &bug.trial);
    ALL.iter().chain(of_bugs).find(|trial| trial.number == number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise() {
        assert!(ALL.is_sorted_by(|a, b| a.number < b.number));
        assert_eq!(by_number(22).map(|trial| trial.number), Some(22));
        assert!(by_number(0).is_none());
        assert!(BUGS.is_sorted_by(|a, b| a.trial.number < b.trial.number));
        assert_eq!(by_number(103).map(|trial| trial.number), Some(103));
    }
}
