//! With the door off raft panics, or breaks; with it on it is not reached.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use mesh_wire::code::Code;
use raft::eraftpb::MessageType;

use super::subject::{Subject, entry, message, to_raw};
use crate::message::Raft;

/// What it is, to whom, the message, and why it is not let in.
type Row = (&'static str, fn() -> Subject, Raft, Code);

/// Whether raft panics when it is given these, and then does what it wants done.
fn panics(subject: impl Fn() -> Subject, messages: &[Raft]) -> bool {
    let run = || {
        let mut subject = subject();
        for message in messages {
            drop(subject.raw.step(to_raw(message)));
        }
        subject.ready(true);
        // An election, for which the term has to have room.
        for _ in 0..40 {
            subject.raw.tick();
            subject.ready(true);
        }
        subject.raw.raft.become_follower(subject.raw.raft.term, 0);
        subject.raw.raft.become_candidate();
    };
    catch_unwind(AssertUnwindSafe(run)).is_err()
}

/// A follower whose last entry is not durable.
fn writing() -> Subject {
    let mut subject = Subject::follower();
    let append =
        Raft { index: 8, log_term: 3, entries: vec![entry(9, 3)], ..message(MessageType::MsgAppend) };
    subject.raw.step(to_raw(&append)).unwrap();
    subject.ready(false);
    subject.raw.raft.campaign(b"CampaignElection");
    subject
}

/// A leader that has committed in its term.
fn reading() -> Subject {
    let mut subject = Subject::leader();
    let index = subject.raw.raft.raft_log.last_index();
    let ack = Raft { term: 4, index, ..message(MessageType::MsgAppendResponse) };
    subject.raw.step(to_raw(&ack)).unwrap();
    subject.ready(true);
    subject
}

/// A replica in term 0 that others would have to be more important than.
fn low() -> Subject {
    let mut subject = Subject::fresh();
    subject.raw.raft.priority = 5;
    subject
}

#[test]
fn what_raft_panics_on_is_not_let_in() {
    use MessageType::*;
    let append = || message(MsgAppend);
    // Without the door they reach raft; each row names what it makes of them.
    let rows: Vec<Row> = vec![
        (
            "to_commit out of range",
            Subject::follower,
            Raft { commit: 9, ..message(MsgHeartbeat) },
            Code::LostTail,
        ),
        (
            "entries behind a gap, where no entry is taken for one of term 0",
            Subject::follower,
            Raft { index: 20, entries: vec![entry(21, 3)], ..append() },
            Code::ReplicaMalformed,
        ),
        (
            "entries with a gap, committed",
            Subject::follower,
            Raft { index: 8, log_term: 3, commit: 10, entries: vec![entry(10, 3)], ..append() },
            Code::ReplicaMalformed,
        ),
        (
            "entries that go back",
            Subject::follower,
            Raft { index: 8, log_term: 3, entries: vec![entry(7, 3)], ..append() },
            Code::ReplicaMalformed,
        ),
        (
            "entries in the place of committed ones",
            Subject::follower,
            Raft { index: 6, log_term: 2, entries: vec![entry(5, 3)], ..append() },
            Code::ReplicaMalformed,
        ),
        (
            "an empty proposal",
            Subject::leader,
            Raft { term: 0, ..message(MsgPropose) },
            Code::ReplicaMalformed,
        ),
        (
            "a read without a context",
            reading,
            Raft { term: 0, ..message(MsgReadIndex) },
            Code::ReplicaMalformed,
        ),
        (
            "a vote of term 0",
            Subject::follower,
            Raft { term: 0, index: 8, log_term: 3, ..message(MsgRequestVote) },
            Code::ReplicaMalformed,
        ),
        (
            "a term after which there is none",
            Subject::follower,
            Raft { term: u64::MAX, ..append() },
            Code::ReplicaMalformed,
        ),
        (
            "an acknowledgement at the end of the range",
            Subject::leader,
            Raft { term: 4, index: u64::MAX, ..message(MsgAppendResponse) },
            Code::ReplicaMalformed,
        ),
        (
            "a refusal at the end of the range",
            Subject::leader,
            Raft { term: 4, index: 8, reject: true, reject_hint: u64::MAX, ..message(MsgAppendResponse) },
            Code::ReplicaMalformed,
        ),
        (
            "a vote before all is durable",
            writing,
            Raft { term: 4, ..message(MsgRequestVoteResponse) },
            Code::ReplicaMalformed,
        ),
        (
            "a pre-vote that is refused in term 0",
            low,
            Raft { term: 1, ..message(MsgRequestPreVote) },
            Code::ReplicaStale,
        ),
        ("a snapshot beside the offers", Subject::follower, message(MsgSnapshot), Code::ReplicaMalformed),
    ];
    let mut silent = Vec::new();
    for (name, subject, message, code) in rows {
        let refusal = subject().check(&message).expect_err(name);
        assert_eq!(refusal.code(), code, "{name}: {refusal}");
        assert_eq!(refusal.proves_loss(), code == Code::LostTail, "{name}");
        assert!(!refusal.hint().is_empty() && !refusal.is_retryable());
        if !panics(subject, &[message]) {
            silent.push(name);
        }
    }
    assert_eq!(silent, ["a snapshot beside the offers"], "raft panics on all others");
}

#[test]
fn message_types_that_nodes_do_not_send_are_not_let_in() {
    let kinds: Vec<u8> = (0..=255)
        .filter(|kind| {
            let unknown = Raft { kind: *kind, ..message(MessageType::MsgHup) };
            match Subject::follower().check(&unknown) {
                Err(crate::door::Refusal::Kind { kind: refused }) => refused != *kind,
                _ => true,
            }
        })
        .collect();
    assert_eq!(kinds, [3, 4, 5, 6, 8, 9, 14, 17, 18]);
}

/// Does not panic, which is worse: what a follower never had counts as acknowledged.
#[test]
fn an_acknowledgement_of_more_than_there_is_would_be_counted() {
    let ack = Raft { term: 4, index: 50, ..message(MessageType::MsgAppendResponse) };
    let mut subject = Subject::leader();
    assert_eq!(subject.check(&ack).unwrap_err().code(), Code::AckBeyondLog);
    subject.raw.step(to_raw(&ack)).unwrap();
    assert_eq!(subject.raw.raft.prs().get(2).unwrap().matched, 50);
    let last = subject.raw.raft.raft_log.last_index();
    assert_eq!(Subject::leader().check(&Raft { index: last, ..ack.clone() }), Ok(crate::door::Admit::AsIs));
    assert_eq!(
        Subject::leader().check(&Raft { index: last + 1, ..ack }).unwrap_err().code(),
        Code::AckBeyondLog
    );
}

#[test]
fn a_replica_that_begins_anew_has_lost_nothing() {
    let late = Raft { commit: 9, context: Bytes::from_static(b"r"), ..message(MessageType::MsgHeartbeat) };
    let mut subject = Subject::fresh();
    let admit = subject.check(&late).unwrap();
    assert_eq!(admit, crate::door::Admit::WithCommit(0));
    subject.step(&late, admit);
    assert_eq!(subject.raw.raft.raft_log.committed, 0);
    subject.is_new = false;
    assert!(subject.check(&late).unwrap_err().proves_loss());
}
