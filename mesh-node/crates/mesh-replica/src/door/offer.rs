//! Snapshots.

use super::{Facts, Refusal, leader, sender, term};
use crate::{
    id::NodeNumber,
    manifest,
    message::{Manifest, Offer},
};

/// Judges an offered snapshot: when it comes, and again before it is taken for the group's state.
///
/// # Errors
/// As [`super::check`].
pub fn check_offer(facts: &Facts<'_>, link: NodeNumber, offer: &Offer) -> Result<(), Refusal> {
    sender(facts, link, offer.from)?;
    if offer.to != facts.own {
        return Err(Refusal::Receiver { to: offer.to });
    }
    term(facts, offer.term)?;
    manifest::check(&offer.manifest)?;
    let Manifest { index, term, ref members, .. } = offer.manifest;
    if index == 0 || term > offer.term {
        return Err(Refusal::Shape { what: "a snapshot of nothing, or of a later term than its leader's" });
    }
    if !members.contains(facts.own) {
        return Err(Refusal::NotMember { from: facts.own });
    }
    if offer.term < facts.term {
        return Err(Refusal::Stale { term: offer.term, own: facts.term });
    }
    leader(facts, offer.from, offer.term)?;
    // One that is older than what is here does no harm: raft answers with what is committed here.
    match facts.terms.term(index) {
        Some(own) if index <= facts.commit && own != term => {
            Err(Refusal::Conflict { index, own, theirs: term })
        }
        _ => Ok(()),
    }
}
