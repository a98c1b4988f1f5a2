//! What was durable is recovered, unless its damage was found and said.

use mesh_log::id::GroupId;

use super::Verdict;
use crate::shadow::ShadowLog;

/// Compares a log as it was recovered with what of it was durable. More than that may have been kept.
///
/// # Errors
/// When something is missing, or another thing is in its place.
pub fn recovered(node: u64, group: GroupId, durable: &ShadowLog, found: Option<&ShadowLog>) -> Verdict {
    let none = ShadowLog::default();
    let found = found.unwrap_or(&none);
    let place = format!("node {node}, group {group}");
    let (was, is) = (durable.state(), found.state());
    if is.term < was.term || is.term == was.term && was.vote != 0 && is.vote != was.vote {
        return Err(format!(
            "{place}: term {} and vote {} were durable, {} and {} are there",
            was.term, was.vote, is.term, is.vote
        ));
    }
    // What began anew after a removal is another replica; the vote above is what has to stay.
    if found.is_removed() || durable.is_removed() {
        return Ok(());
    }
    if found.cut().0 < durable.cut().0 {
        return Err(format!("{place}: cut at {:?} was durable, {:?} is there", durable.cut(), found.cut()));
    }
    // A snapshot of a later term took the place of entries that nobody needs; its cut happens to be there.
    if durable.term(found.cut().0).is_some_and(|term| term < found.cut().1) {
        return Ok(());
    }
    // A later record that happens to be there may take the place of entries that were durable; it has a later term then.
    for index in found.cut().0 + 1..=durable.last() {
        match (durable.entry(index), found.entry(index)) {
            (was, is) if was == is => {}
            (Some((was, _)), Some((is, _))) if is > was => return Ok(()),
            (was, is) => {
                return Err(format!(
                    "{place}: at index {index} {was:?} was durable, {is:?} is there ({found})"
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use mesh_log::record::{HardState, Record};

    use super::*;
    use crate::shadow::tests::log;

    #[test]
    fn entries_are_compared() {
        let group = GroupId(1);
        let check = |durable: &[u64], found: &[u64]| recovered(1, group, &log(durable), Some(&log(found)));
        check(&[1, 1], &[1, 1, 1]).unwrap();
        check(&[1, 1], &[1, 2]).unwrap();
        assert!(check(&[1, 1], &[1]).is_err() && check(&[1, 2], &[1, 1]).is_err());
        assert!(recovered(1, group, &log(&[1]), None).is_err());
        recovered(1, group, &log(&[]), None).unwrap();
    }

    #[test]
    fn a_snapshot_of_a_later_term_takes_the_place_of_entries() {
        let group = GroupId(1);
        let cut = |index, term| {
            let mut log = log(&[1, 1, 1]);
            log.apply(&Record::Cut { group, index, term });
            log
        };
        recovered(1, group, &log(&[1, 1, 1]), Some(&cut(2, 2))).unwrap();
        recovered(1, group, &log(&[1, 1, 1]), Some(&cut(2, 1))).unwrap();
        let mut short = log(&[1, 1]);
        short.apply(&Record::Cut { group, index: 2, term: 1 });
        assert!(recovered(1, group, &log(&[1, 1, 1]), Some(&short)).is_err());
        assert!(recovered(1, group, &log(&[2, 2, 2]), Some(&cut(2, 1))).is_err());
    }

    #[test]
    fn a_vote_is_not_forgotten() {
        let group = GroupId(1);
        let voted = |term, vote| {
            let mut log = log(&[]);
            log.apply(&Record::State { group, state: HardState { term, vote, commit: 0 } });
            log
        };
        recovered(1, group, &voted(2, 1), Some(&voted(3, 0))).unwrap();
        recovered(1, group, &voted(2, 0), Some(&voted(2, 3))).unwrap();
        assert!(recovered(1, group, &voted(2, 1), Some(&voted(2, 0))).is_err());
        assert!(recovered(1, group, &voted(2, 1), Some(&voted(2, 3))).is_err());
        assert!(recovered(1, group, &voted(2, 1), Some(&voted(1, 1))).is_err());
    }
}
