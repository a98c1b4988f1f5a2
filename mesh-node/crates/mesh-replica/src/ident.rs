//! Who a node is, as a replica among replicas: the first thing that is said on a link.
//!
//! ```text
//!  node A                                          node B
//!    IDENT cluster, directory, number, level  ⇄  IDENT …        both at once, neither waits
//!    known ─► messages about groups              not who it says ─► ERROR with its code, and none are taken
//!    without a number ─► JOIN ──────────────►    asks the meta group for one ─► JOIN with it
//! ```
//! A name can come back with another directory: disk gone, directory deleted. Such a node has forgotten what it voted for
//! and acknowledged, and must not come back as who it was. Who it is to a cluster, the meta group's state says; here is
//! what is said on the link.

mod fields;
mod verdict;

pub use self::{
    fields::{Ident, Join},
    verdict::{Known, Registry, Unfit, Verdict, judge},
};

#[cfg(test)]
mod tests;
