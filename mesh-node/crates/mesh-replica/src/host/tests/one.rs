use mesh_log::{
    id::{FileId, GroupId},
    job::Job,
    lanes::Lanes,
    log::Sealed,
};

use super::cluster::*;
use crate::{
    clock::Now,
    host::{GroupStart, Host},
    id::Token,
    options::HostOptions,
    output::Output,
    refused::Refused,
    view::Role,
};

#[test]
fn a_single_voter_leads_at_once_and_commits_what_is_on_its_disk() {
    let mut cluster = Cluster::new(1);
    assert_eq!(cluster.view(node(1)).role, Role::Leader);
    let token = cluster.propose(node(1), "a");
    assert_eq!(cluster.answer(node(1), token), Some(&Answer::Applied("1".into())));
    assert_eq!(cluster.lines(node(1)), ["a"]);
}

#[test]
fn nothing_is_answered_before_it_is_durable() {
    let mut cluster = Cluster::new(1);
    cluster.slow_disk(node(1), 5);
    let token = cluster.propose(node(1), "a");
    cluster.run(4);
    assert_eq!(cluster.answer(node(1), token), None);
    cluster.run(1);
    assert!(cluster.applied(node(1), token));
}

#[test]
fn what_is_asked_for_together_is_one_entry_and_one_write() {
    let mut cluster = Cluster::new(1);
    let last = cluster.view(node(1)).last;
    for _ in 0..100 {
        cluster.queue(node(1), "a");
    }
    cluster.settle(node(1));
    assert_eq!(cluster.view(node(1)).last, last + 1);
    assert_eq!(cluster.lines(node(1)).len(), 100);
}

#[test]
fn what_was_acknowledged_is_there_after_a_restart() {
    let mut cluster = Cluster::new(1);
    for line in ["a", "b", "c"] {
        cluster.propose(node(1), line);
    }
    cluster.kill(node(1));
    cluster.start(node(1), None);
    cluster.elect();
    assert_eq!(cluster.lines(node(1)), ["a", "b", "c"]);
    cluster.propose(node(1), "d");
    let token = cluster.fetch(node(1), 1, 9);
    let lines = [(1, 1, "a".into()), (2, 1, "b".into()), (3, 1, "c".into()), (4, 1, "d".into())];
    assert_eq!(cluster.answer(node(1), token), Some(&Answer::Fetched(lines.to_vec())));
}

#[test]
fn entries_have_bounds() {
    fn options(own: crate::id::NodeNumber) -> HostOptions {
        let mut options = HostOptions::new(own, 1);
        options.bounds.entry_commands_max = 3;
        options.bounds.entry_bytes_max = 30;
        options.bounds.command_bytes_max = 40;
        options
    }
    // Each command takes 4 bytes more than it has.
    for (sizes, entries) in [
        (vec![1; 3], 1),
        (vec![1; 4], 2),
        (vec![11, 11], 1),
        (vec![11, 12], 2),
        (vec![40], 1),
        (vec![40, 1], 2),
    ] {
        let mut cluster = Cluster::with(1, options);
        let last = cluster.view(node(1)).last;
        for size in &sizes {
            cluster.queue(node(1), vec![b'x'; *size]);
        }
        cluster.settle(node(1));
        assert_eq!(cluster.view(node(1)).last - last, entries, "{sizes:?}");
    }
    let mut cluster = Cluster::with(1, options);
    let token = cluster.propose(node(1), vec![b'x'; 41]);
    let too_large = Refused::TooLarge { size: 41, max: 40 };
    assert_eq!(cluster.answer(node(1), token), Some(&Answer::Refused(too_large)));
}

#[test]
fn so_many_entries_are_under_way_and_so_many_commands_wait() {
    fn options(own: crate::id::NodeNumber) -> HostOptions {
        let mut options = HostOptions::new(own, 1);
        options.bounds.entry_commands_max = 1;
        options.bounds.waiting_commands_max = 3;
        options
    }
    let mut cluster = Cluster::with(1, options);
    cluster.slow_disk(node(1), 10);
    let last = cluster.view(node(1)).last;
    let tokens: Vec<_> = (0..6).map(|_| cluster.propose(node(1), "a")).collect();
    assert_eq!(cluster.view(node(1)).last - last, 2, "two entries under way");
    let busy = Some(&Answer::Refused(Refused::Busy));
    assert_eq!(cluster.answer(node(1), tokens[4]), None);
    assert_eq!(cluster.answer(node(1), tokens[5]), busy);
    cluster.run(50);
    assert_eq!(cluster.lines(node(1)).len(), 5);
}

#[test]
fn waiting_bytes_are_bounded() {
    fn options(own: crate::id::NodeNumber) -> HostOptions {
        let mut options = HostOptions::new(own, 1);
        options.bounds.entries_in_flight_max = 0;
        options.bounds.waiting_bytes_max = 28;
        options.bounds.host_waiting_bytes_max = 28;
        options
    }
    let mut cluster = Cluster::with(1, options);
    let (first, second) = (cluster.propose(node(1), vec![0; 10]), cluster.propose(node(1), vec![0; 10]));
    let third = cluster.propose(node(1), vec![0; 1]);
    assert_eq!((cluster.answer(node(1), first), cluster.answer(node(1), second)), (None, None));
    assert_eq!(cluster.answer(node(1), third), Some(&Answer::Refused(Refused::Busy)));
}

#[test]
fn a_full_disk_is_said_at_once_and_all_goes_on_afterwards() {
    let mut cluster = Cluster::new(1);
    cluster.slow_disk(node(1), 1_000);
    let under_way = cluster.propose(node(1), "a");
    cluster.call(node(1), |host, now| host.handle_full(now, true));
    assert_eq!(cluster.answer(node(1), under_way), Some(&Answer::Refused(Refused::Unknown)));
    let refused = cluster.propose(node(1), "b");
    assert_eq!(cluster.answer(node(1), refused), Some(&Answer::Refused(Refused::DiskFull)));
    cluster.run(1_000);
    cluster.call(node(1), |host, now| host.handle_full(now, false));
    cluster.slow_disk(node(1), 0);
    let token = cluster.propose(node(1), "c");
    assert!(cluster.applied(node(1), token));
    assert_eq!(cluster.lines(node(1)), ["a", "c"]);
}

#[test]
fn a_group_that_is_opened_while_the_disk_is_full_knows_it() {
    let mut cluster = Cluster::new(1);
    let other = GroupId(2);
    let start = || GroupStart {
        group: other,
        machine: Book::default(),
        members: Some(voters(&[1])),
        checkpoint: None,
        recovered: None,
    };
    cluster.call(node(1), |host, now| host.handle_full(now, true));
    cluster.call(node(1), |host, now| host.open_group(now, start()).unwrap());
    cluster.call(node(1), |host, now| host.propose(now, other, Token(901), "a".into()));
    assert_eq!(cluster.answer(node(1), Token(901)), Some(&Answer::Refused(Refused::DiskFull)));
    cluster.call(node(1), |host, now| host.handle_full(now, false));
    cluster.call(node(1), |host, now| host.propose(now, other, Token(902), "a".into()));
    assert!(cluster.applied(node(1), Token(902)));
}

#[test]
fn a_group_that_is_not_there_has_no_answer() {
    let mut host: crate::host::Host<Book> = crate::host::Host::new(options(node(1)));
    host.propose(crate::clock::Now::default(), GROUP, crate::id::Token(7), "a".into());
    let refused = Output::Refused { token: crate::id::Token(7), why: Refused::NoGroup };
    assert_eq!(host.poll_output(), Some(refused));
    assert_eq!((host.poll_output(), host.poll_timeout()), (None, None));
}

#[test]
fn records_are_fetched_trimmed_and_said_to_be_damaged() {
    let mut cluster = Cluster::new(1);
    for line in ["a", "b", "trim 2"] {
        cluster.propose(node(1), line);
    }
    let none = cluster.fetch(node(1), 3, 3);
    assert_eq!(cluster.answer(node(1), none), Some(&Answer::Refused(Refused::NoRecords)));
    let rest = cluster.fetch(node(1), 2, 9);
    assert_eq!(cluster.answer(node(1), rest), Some(&Answer::Fetched(vec![(2, 1, "b".into())])));
    cluster.flip(node(1));
    let damaged = cluster.fetch(node(1), 2, 2);
    // There is nobody else who could have them.
    assert_eq!(cluster.answer(node(1), damaged), Some(&Answer::Refused(Refused::Lost)));
    assert_eq!((cluster.view(node(1)).damaged, cluster.view(node(1)).lost), (1, 1));
}

#[test]
fn a_log_that_has_grown_becomes_a_checkpoint() {
    fn options(own: crate::id::NodeNumber) -> HostOptions {
        let mut options = HostOptions::new(own, 1);
        options.bounds.log_bytes_max = 4_000;
        options
    }
    let mut cluster = Cluster::with(1, options);
    for _ in 0..50 {
        let token = cluster.propose(node(1), vec![b'x'; 100]);
        assert!(cluster.applied(node(1), token));
        assert!(cluster.view(node(1)).log_bytes <= 4_000);
    }
    let view = cluster.view(node(1));
    assert!(view.checkpoint > 1 && view.first > 2, "{view:?}");
    cluster.kill(node(1));
    cluster.start(node(1), None);
    cluster.elect();
    assert_eq!(cluster.lines(node(1)).len(), 50);
    let token = cluster.fetch(node(1), 1, 50);
    let Some(Answer::Fetched(pieces)) = cluster.answer(node(1), token) else { panic!() };
    assert_eq!(pieces.len(), 50);
}

/// The log has not let go of either of two files that were kept as segments, and of which nothing is wanted yet, since what
/// is in them is still to be applied.
#[test]
fn no_file_goes_that_the_log_is_found_with() {
    let files = [FileId(1), FileId(2)];
    let mut host: Host<Book> = Host::new(HostOptions::new(node(1), 1));
    let mut lanes = Lanes::default();
    files.iter().for_each(|file| lanes.kept(*file));
    assert_eq!(lanes.unwanted(), files);
    host.set_lanes(lanes);
    host.handle_sealed(
        Now::default(),
        &files.map(|file| Sealed { file, groups: vec![(GroupId(1), 5)], bytes: 100 }),
    );
    let dropped = std::iter::from_fn(|| host.poll_output())
        .filter(|output| matches!(output, Output::Job { job: Job::Drop { .. }, .. }))
        .count();
    assert_eq!(dropped, 0);
}

#[test]
fn a_checkpoint_that_can_not_be_written_is_tried_again_once_a_second() {
    fn small(own: crate::id::NodeNumber) -> HostOptions {
        let mut options = HostOptions::new(own, 1);
        options.bounds.log_bytes_max = 4_000;
        options
    }
    let mut cluster = Cluster::empty(small);
    cluster.no_room(node(1), true);
    cluster.start(node(1), Some(voters(&[1])));
    cluster.run(3_500);
    assert_eq!(cluster.view(node(1)).role, Role::Follower, "its first one is not durable");
    assert_eq!(cluster.no_room(node(1), false), 4, "at once, and after each second");
    cluster.elect();
    let before = cluster.view(node(1)).checkpoint;
    cluster.no_room(node(1), true);
    for _ in 0..30 {
        cluster.propose(node(1), vec![b'x'; 100]);
    }
    cluster.run(3_500);
    let tried = cluster.no_room(node(1), false);
    assert!((3..=5).contains(&tried), "tried {tried} times");
    assert_eq!(cluster.view(node(1)).checkpoint, before);
    cluster.run(1_500);
    assert!(cluster.view(node(1)).checkpoint > before);
}
