use bytes::Bytes;

use super::*;
use crate::record::EntryKind;

const GROUP: GroupId = GroupId(1);
const FILE: FileId = FileId(1);

#[derive(Debug, Clone, Copy)]
enum Say {
    /// An entry: index, term.
    Entry(u64, u64),
    /// An entry that is damaged.
    Damaged(u64, u64),
    Cut(u64, u64),
    Removed,
    /// The last entry where a file begins: index, term.
    Standing(u64, u64),
    Suspect(u64, u64),
    Blind,
    /// Cut and last entry where a file begins.
    Start((u64, u64), (u64, u64)),
}
use Say::*;

fn replay(said: &[Say]) -> (RecoveredGroup, bool) {
    let mut replay = Replay::default();
    replay.groups.insert(GROUP, Group::default());
    let payload = Payload::new(Bytes::from_static(b"x"));
    for say in said {
        let entry = |index, term| {
            let kind = EntryKind::Commands;
            Item::Entry { group: GROUP, term, index, kind, len: 1, crc: payload.crc() }
        };
        let standing = |index, term, suspect| Item::Standing {
            group: GROUP,
            last: (index, term),
            removed: false,
            suspect,
        };
        match *say {
            Entry(index, term) => replay.handle_item(FILE, &entry(index, term), 0, Some(&payload)),
            Damaged(index, term) => replay.handle_item(FILE, &entry(index, term), 0, None),
            Cut(index, term) => {
                replay.handle_item(FILE, &Item::Cut { group: GROUP, index, term }, 0, None);
            }
            Removed => replay.handle_item(FILE, &Item::Removed { group: GROUP }, 0, None),
            Standing(index, term) => replay.handle_start(FILE, [standing(index, term, false)].iter()),
            Suspect(index, term) => replay.handle_start(FILE, [standing(index, term, true)].iter()),
            Blind => replay.handle_damage(),
            Start(cut, last) => {
                let cut = Item::Cut { group: GROUP, index: cut.0, term: cut.1 };
                replay.handle_start(FILE, [cut, standing(last.0, last.1, false)].iter());
            }
        }
    }
    let (mut groups, _, blind) = replay.finish();
    (groups.remove(&GROUP).unwrap(), blind)
}

/// Cut, entries (index, term), whether something is missing.
type Left<'a> = ((u64, u64), &'a [(u64, u64)], bool);

fn check(said: &[Say], left: Left<'_>) {
    let (group, _) = replay(said);
    let entries: Vec<_> = group.entries.iter().map(|(entry, _)| (entry.index, entry.term)).collect();
    assert_eq!((group.cut, entries.as_slice(), group.suspect), left, "{said:?}");
}

#[test]
fn entries_follow_and_replace_each_other() {
    check(&[Entry(1, 1), Entry(2, 1)], ((0, 0), &[(1, 1), (2, 1)], false));
    check(&[Entry(1, 1), Entry(2, 1), Entry(3, 1), Entry(2, 2)], ((0, 0), &[(1, 1), (2, 2)], false));
    check(&[Entry(1, 1), Entry(1, 2)], ((0, 0), &[(1, 2)], false));
}

#[test]
fn cuts() {
    let entries = [Entry(1, 1), Entry(2, 1), Entry(3, 2)];
    let with = |cut| [&entries[..], &[cut]].concat();
    check(&with(Cut(1, 1)), ((1, 1), &[(2, 1), (3, 2)], false));
    check(&with(Cut(2, 1)), ((2, 1), &[(3, 2)], false));
    check(&with(Cut(3, 2)), ((3, 2), &[], false));
    check(&with(Cut(4, 2)), ((4, 2), &[], false));
    check(&with(Cut(2, 2)), ((2, 2), &[], false));
    check(&[with(Cut(2, 1)).as_slice(), &[Cut(1, 1)]].concat(), ((2, 1), &[(3, 2)], false));
    check(&[Cut(4, 2), Entry(5, 2)], ((4, 2), &[(5, 2)], false));
    check(&[Cut(4, 2), Entry(4, 2), Entry(5, 2)], ((4, 2), &[(5, 2)], false));
}

#[test]
fn a_hole_leaves_what_is_before_it_and_is_told() {
    check(&[Entry(1, 1), Entry(3, 1)], ((0, 0), &[(1, 1)], true));
    check(&[Entry(1, 1), Damaged(2, 1), Entry(3, 1)], ((0, 0), &[(1, 1)], true));
    check(&[Entry(1, 1), Damaged(2, 1)], ((0, 0), &[(1, 1)], true));
    check(&[Entry(1, 1), Entry(3, 1), Entry(5, 1)], ((0, 0), &[(1, 1)], true));
    check(&[Entry(3, 1)], ((0, 0), &[], true));
}

#[test]
fn a_cut_closes_holes_before_it() {
    check(&[Entry(1, 1), Entry(3, 1), Cut(1, 1)], ((1, 1), &[], true));
    check(&[Entry(1, 1), Entry(3, 1), Cut(2, 1)], ((2, 1), &[(3, 1)], false));
    check(&[Entry(1, 1), Entry(3, 1), Entry(4, 1), Cut(3, 1)], ((3, 1), &[(4, 1)], false));
    check(&[Entry(1, 1), Damaged(2, 1), Entry(3, 1), Cut(2, 1)], ((2, 1), &[(3, 1)], false));
    check(&[Entry(1, 1), Damaged(2, 1), Entry(3, 1), Cut(9, 1)], ((9, 1), &[], false));
    check(&[Entry(1, 1), Entry(2, 1), Entry(4, 1), Cut(1, 1)], ((1, 1), &[(2, 1)], true));
}

#[test]
fn an_entry_that_goes_back_behind_a_hole_closes_it() {
    check(&[Entry(1, 1), Entry(3, 1), Entry(2, 2)], ((0, 0), &[(1, 1), (2, 2)], false));
    check(&[Entry(1, 1), Entry(3, 1), Entry(1, 2)], ((0, 0), &[(1, 2)], false));
    check(&[Entry(1, 1), Entry(5, 1), Entry(3, 2)], ((0, 0), &[(1, 1)], true));
    check(&[Entry(1, 1), Damaged(2, 1), Entry(2, 2)], ((0, 0), &[(1, 1), (2, 2)], false));
}

#[test]
fn where_a_file_begins_what_should_be_there_is_known() {
    check(&[Entry(1, 1), Standing(1, 1), Entry(2, 1)], ((0, 0), &[(1, 1), (2, 1)], false));
    // The files before are gone.
    check(&[Standing(7, 1), Entry(8, 1)], ((0, 0), &[], true));
    check(&[Standing(7, 1), Entry(8, 1), Cut(7, 1)], ((7, 1), &[(8, 1)], false));
    check(&[Cut(5, 1), Standing(7, 1), Entry(8, 1), Cut(8, 1)], ((8, 1), &[], false));
    // Entries were lost before it.
    check(&[Entry(1, 1), Standing(2, 1), Entry(3, 1)], ((0, 0), &[(1, 1)], true));
    // It was begun when less was there: what is behind was given up.
    check(&[Entry(1, 1), Entry(2, 1), Standing(1, 1), Entry(2, 2)], ((0, 0), &[(1, 1), (2, 2)], false));
    check(&[Entry(1, 1), Entry(3, 1), Standing(1, 1), Entry(2, 2)], ((0, 0), &[(1, 1), (2, 2)], false));
    // Another history.
    check(&[Entry(1, 1), Standing(1, 2), Entry(2, 2)], ((0, 0), &[(1, 1)], true));
}

#[test]
fn what_was_lost_once_stays_lost_until_a_snapshot() {
    check(&[Entry(1, 1), Suspect(1, 1), Entry(2, 1)], ((0, 0), &[(1, 1), (2, 1)], true));
    check(&[Entry(1, 1), Suspect(1, 1), Entry(2, 1), Cut(2, 1)], ((2, 1), &[], true));
    check(&[Entry(1, 1), Suspect(1, 1), Entry(2, 1), Cut(5, 2)], ((5, 2), &[], false));
    check(&[Entry(1, 1), Suspect(1, 1), Removed], ((0, 0), &[], false));
}

#[test]
fn after_damage_nothing_is_sure_until_a_file_says_it_all() {
    check(&[Entry(1, 1), Blind, Entry(2, 1)], ((0, 0), &[(1, 1), (2, 1)], true));
    check(&[Entry(1, 1), Blind, Standing(1, 1)], ((0, 0), &[(1, 1)], false));
    check(&[Entry(1, 1), Blind, Standing(2, 1)], ((0, 0), &[(1, 1)], true));
    check(&[Entry(1, 1), Blind, Standing(2, 1), Cut(2, 1)], ((2, 1), &[], false));
}

#[test]
fn what_was_cut_off_does_not_come_back_with_its_file() {
    // The file that cut it off is gone, a later one says how it really is.
    check(&[Entry(1, 1), Cut(9, 2), Start((0, 0), (0, 0)), Entry(1, 3)], ((0, 0), &[(1, 3)], false));
    check(&[Entry(1, 1), Cut(9, 2), Start((3, 1), (3, 1)), Entry(4, 1)], ((3, 1), &[(4, 1)], false));
    check(&[Entry(1, 1), Cut(9, 2), Start((3, 1), (5, 1)), Entry(6, 1)], ((3, 1), &[], true));
    check(
        &[Entry(1, 1), Cut(9, 2), Start((3, 1), (5, 1)), Entry(6, 1), Cut(5, 1)],
        ((5, 1), &[(6, 1)], false),
    );
}
