//! Replicas that are opened again: after a removal, and after an end in the midst of something.

use mesh_log::{
    id::FileId,
    job::{Done, Job},
    log::{RecoveredGroup, Sealed},
    record::{HardState, Record},
};

use super::{cluster::*, hostile};
use crate::{
    clock::Now,
    door::MessageKind,
    host::{GroupStart, Host},
    id::{JobId, WriteId},
    message::Message,
    options::HostOptions,
    output::Output,
};

#[test]
fn a_snapshot_whose_cut_was_lost_is_where_the_log_goes_on() {
    fn small(own: crate::id::NodeNumber) -> HostOptions {
        let mut options = HostOptions::new(own, 7);
        options.bounds.log_bytes_max = 4_000;
        options
    }
    let mut cluster = Cluster::with(3, small);
    let leader = cluster.elect();
    let behind = node(leader.0 % 3 + 1);
    cluster.kill(behind);
    for _ in 0..60 {
        let token = cluster.propose(leader, vec![b'x'; 100]);
        cluster.run_until("a commit", |cluster| cluster.applied(leader, token));
    }
    cluster.start(behind, None);
    cluster.run_until("it has all", |cluster| cluster.lines(behind).len() == 60);
    cluster.kill(behind);
    cluster.lose_records(behind, |record| matches!(record, Record::Cut { .. }));
    for line in ["b", "c"] {
        cluster.start(behind, None);
        cluster.commit(line);
        assert!(!cluster.view(behind).quarantined, "{line}");
        cluster.kill(behind);
    }
    cluster.start(behind, None);
    cluster.commit("d");
    let leader = cluster.elect();
    assert_eq!(cluster.lines(behind), cluster.lines(leader));
}

#[test]
fn a_removed_replica_comes_back_without_its_checkpoint_and_with_its_term() {
    let mut cluster = Cluster::new(3);
    let leader = cluster.elect();
    cluster.commit("a");
    let gone = node(leader.0 % 3 + 1);
    let (term, left_over) = (cluster.view(gone).term, cluster.checkpoint(gone).unwrap());
    cluster.call(gone, |host, now| host.remove_group(now, GROUP));
    cluster.kill(gone);
    // Its power went before the file was deleted.
    cluster.put_checkpoint(gone, left_over);
    cluster.cut = [(leader, gone), (gone, leader)].into();
    cluster.start(gone, None);
    let view = cluster.view(gone);
    assert_eq!((view.term, view.applied, view.members), (term, 0, voters(&[])));
    assert_eq!(cluster.checkpoint(gone), None);
    cluster.call(gone, |host, now| host.remove_group(now, GROUP));
    cluster.call(gone, |host, now| host.open_group(now, start(None)).unwrap());
    assert_eq!(cluster.view(gone).term, term, "also without a restart");
}

#[test]
fn a_replica_that_begins_anew_waits_until_the_files_of_before_are_deleted() {
    let mut host = Host::new(HostOptions::new(node(1), 1));
    let state = HardState { term: 3, vote: 2, commit: 9 };
    let removed = RecoveredGroup { state, removed: true, ..RecoveredGroup::default() };
    host.open_group(Now::default(), start(Some(removed))).unwrap();
    let forgets = |host: &mut Host<Book>| -> Option<JobId> {
        std::iter::from_fn(|| host.poll_output()).find_map(|output| match output {
            Output::Job { id, job: Job::Forget { .. } } => Some(id),
            _ => None,
        })
    };
    let answers = |host: &mut Host<Book>, term| -> bool {
        let append = Message::Raft(hostile::raft(MessageKind::Append, node(2), node(1), term));
        host.handle_message(Now::default(), node(2), append);
        std::iter::from_fn(|| host.poll_output()).fold(false, |any, output| match output {
            Output::Write { .. } => true,
            Output::Job { .. } => panic!("{output:?}"),
            _ => any,
        })
    };
    let job = forgets(&mut host).unwrap();
    assert!(!answers(&mut host, 4));
    host.handle_done(Now::default(), job, Done::Failed("no".into()));
    assert!(!answers(&mut host, 5));
    let later = Now::new(host.poll_timeout().unwrap() + std::time::Duration::from_secs(2), 0);
    host.handle_timeout(later);
    let again = forgets(&mut host).expect("it is tried again");
    host.handle_done(later, again, Done::Forgotten);
    assert!(answers(&mut host, 6));
}

/// Else it would be found after a power loss as if it had never had what it acknowledged.
#[test]
fn the_log_of_a_replica_stays_until_its_removal_is_durable() {
    fn released(host: &mut Host<Book>) -> (Vec<u64>, Option<WriteId>) {
        let (mut files, mut write) = (Vec::new(), None);
        while let Some(output) = host.poll_output() {
            match output {
                Output::Release { file, .. } => files.push(file.0),
                Output::Write { id, .. } => write = Some(id),
                _ => {}
            }
        }
        (files, write)
    }
    let mut cluster = Cluster::new(1);
    cluster.elect();
    cluster.commit("a");
    let last = cluster.view(node(1)).last;
    cluster.call(node(1), |host, now| {
        // Each file goes as soon as it may.
        host.handle_full(now, true);
        let sealed = |file| Sealed { file: FileId(file), groups: vec![(GROUP, last)], bytes: 4_096 };
        host.handle_sealed(now, &[sealed(77)]);
        assert_eq!(released(host).0, []);
        host.remove_group(now, GROUP);
        let (files, removal) = released(host);
        assert_eq!(files, []);
        host.handle_sealed(now, &[sealed(78)]);
        // What begins anew has nothing in them.
        host.open_group(now, start(None)).unwrap();
        assert_eq!(released(host), (Vec::new(), None));
        host.handle_written(now, removal.unwrap(), Vec::new());
        assert_eq!(released(host).0, [77, 78]);
    });
}

fn start(recovered: Option<RecoveredGroup>) -> GroupStart<Book> {
    GroupStart { group: GROUP, machine: Book::default(), members: None, checkpoint: None, recovered }
}
