//! How the records of a snapshot, and those that were damaged, come from a peer.
//!
//! ```text
//!  leader                                              follower
//!   Leader: pins what it offers ── Offer (manifest) ──► Follower: which records are lacking?
//!                         ◄──────────── Pull lane, first, last    as many at once as the budget has room for
//!    reads, answers   ──── Part pieces ───────────────► checked, stored; the next Pull, or all is there: Install
//!   Repair: damaged here ── Pull (snapshot 0) ────────► any replica: Part; taken with the checksum that is known only
//! ```
//! Pure cores: commands and inputs with the time as their first argument, then `poll_output()` until it is empty, and
//! `poll_timeout()`. A manifest names numbers of records, not files, so it does not matter who answers, nor how often
//! the leader changes: what is there already is never asked for again.

mod budget;
mod fetch;
mod follower;
mod leader;
mod lie;
mod options;
mod repair;

pub use self::{
    follower::{Follower, FollowerOutput, GivenUp},
    leader::{Leader, LeaderOutput, Reading},
    lie::Lie,
    options::PullOptions,
    repair::{Repair, RepairOutput},
};

#[cfg(test)]
mod tests;
