//! Each rule at its edge.

use mesh_log::id::GroupId;
use mesh_wire::code::Code;
use raft::eraftpb::MessageType::*;

use super::subject::{OWN, Subject, entry, message};
use crate::{
    codec::CONTEXT_BYTES_MAX,
    door::{Admit, Facts, TERMS_AHEAD_MAX, check, check_beat, check_beat_reply},
    id::NodeNumber,
    manifest::NUMBER_MAX,
    members::Members,
    message::{Beat, Manifest, Offer, Raft},
};

fn judge(subject: &Subject, message: Raft) -> Option<Code> {
    match subject.check(&message) {
        Ok(admit) => {
            assert_eq!(admit, Admit::AsIs);
            None
        }
        Err(refusal) => {
            assert!(!refusal.to_string().is_empty());
            Some(refusal.code())
        }
    }
}

const MALFORMED: Option<Code> = Some(Code::ReplicaMalformed);

#[test]
fn messages_are_from_whom_they_say_and_for_whom_they_reach() {
    let subject = Subject::follower();
    let beat = || message(MsgHeartbeat);
    assert_eq!(judge(&subject, beat()), None);
    let sender = Some(Code::ReplicaSender);
    assert_eq!(judge(&subject, Raft { to: NodeNumber(2), ..beat() }), sender);
    assert_eq!(judge(&subject, Raft { from: NodeNumber(OWN), ..beat() }), sender);
    assert_eq!(judge(&subject, Raft { from: NodeNumber(0), ..beat() }), sender);
    let other = subject.look(|facts| check(facts, NodeNumber(3), &beat()));
    assert_eq!(other.unwrap_err().code(), Code::ReplicaSender);
    // A leader or a candidate may be a member that this replica has yet to hear of; who answers is not.
    for (kind, code) in [
        (MsgAppend, None),
        (MsgHeartbeat, None),
        (MsgRequestVote, None),
        (MsgRequestPreVote, None),
        (MsgAppendResponse, sender),
        (MsgHeartbeatResponse, sender),
        (MsgRequestVoteResponse, sender),
        (MsgRequestPreVoteResponse, sender),
    ] {
        assert_eq!(judge(&subject, Raft { from: NodeNumber(9), ..message(kind) }), code, "{kind:?}");
    }
}

#[test]
fn numbers_are_within_their_range() {
    let subject = Subject::follower();
    for (term, code) in [
        (0, MALFORMED),
        (1, None),
        (3 + TERMS_AHEAD_MAX, None),
        (4 + TERMS_AHEAD_MAX, MALFORMED),
        (u64::MAX, MALFORMED),
    ] {
        assert_eq!(judge(&subject, Raft { term, ..message(MsgAppend) }), code, "{term}");
    }
    let append = |index, commit| Raft { index, log_term: 3, commit, ..message(MsgAppend) };
    assert_eq!(judge(&subject, append(NUMBER_MAX, NUMBER_MAX)), None);
    assert_eq!(judge(&subject, append(NUMBER_MAX + 1, 0)), MALFORMED);
    assert_eq!(judge(&subject, append(8, NUMBER_MAX + 1)), MALFORMED);
    let last = Raft { entries: vec![entry(NUMBER_MAX + 1, 3)], ..append(NUMBER_MAX, 0) };
    assert_eq!(judge(&subject, last), MALFORMED);
    let reply = Raft { reject: true, reject_hint: NUMBER_MAX + 1, ..message(MsgAppendResponse) };
    assert_eq!(judge(&subject, reply), MALFORMED);
    let vote = |log_term, commit_term| Raft { index: 8, log_term, commit_term, ..message(MsgRequestVote) };
    assert_eq!(judge(&subject, vote(3, 3)), None);
    assert_eq!(judge(&subject, vote(4, 3)), MALFORMED);
    assert_eq!(judge(&subject, vote(3, 4)), MALFORMED);
}

#[test]
fn what_belongs_to_other_messages_is_refused() {
    let subject = Subject::follower();
    let with_entries = Raft { entries: vec![entry(1, 1)], ..message(MsgHeartbeat) };
    assert_eq!(judge(&subject, with_entries), MALFORMED);
    for (len, code) in [(CONTEXT_BYTES_MAX, None), (CONTEXT_BYTES_MAX + 1, MALFORMED)] {
        let context = vec![0; len].into();
        assert_eq!(judge(&subject, Raft { context, ..message(MsgHeartbeat) }), code);
    }
    assert_eq!(judge(&subject, Raft { request_snapshot: 1, ..message(MsgAppendResponse) }), MALFORMED);
    assert_eq!(judge(&subject, Raft { reject: true, ..message(MsgAppend) }), MALFORMED);
}

#[test]
fn entries_follow_each_other_in_terms_that_rise() {
    let subject = Subject::follower();
    let append = |index, log_term, entries: &[(u64, u64)]| {
        let entries = entries.iter().map(|(index, term)| entry(*index, *term)).collect();
        judge(&subject, Raft { index, log_term, entries, ..message(MsgAppend) })
    };
    assert_eq!(append(8, 3, &[(9, 3), (10, 3)]), None);
    assert_eq!(append(7, 2, &[(8, 2), (9, 3)]), None);
    // Beyond the log: raft asks for what is before.
    assert_eq!(append(90, 3, &[(91, 3)]), None);
    for entries in
        [&[(10, 3)][..], &[(8, 3)], &[(9, 3), (11, 3)], &[(9, 3), (9, 3)], &[(9, 2)], &[(9, 4)], &[(9, 0)]]
    {
        assert_eq!(append(8, 3, entries), MALFORMED, "{entries:?}");
    }
    assert_eq!(append(8, 0, &[]), MALFORMED);
    assert_eq!(append(0, 1, &[]), MALFORMED);
    assert_eq!(append(0, 0, &[]), None);
    assert_eq!(append(8, 4, &[]), MALFORMED);
}

#[test]
fn what_is_committed_stays() {
    let subject = Subject::follower();
    let conflict = Some(Code::LogConflict);
    let append = |index, log_term, entries: &[(u64, u64)]| {
        let entries = entries.iter().map(|(index, term)| entry(*index, *term)).collect();
        judge(&subject, Raft { index, log_term, entries, ..message(MsgAppend) })
    };
    // Entry 4 and 5 are of term 2 and committed, 6 is not.
    assert_eq!(append(4, 2, &[(5, 2), (6, 2)]), None);
    assert_eq!(append(4, 2, &[(5, 3)]), conflict);
    assert_eq!(append(5, 2, &[(6, 3)]), None);
    assert_eq!(append(5, 1, &[]), conflict);
    // The leader's entry 5 is of term 2 too, so what is behind it can't be of term 1.
    assert_eq!(append(6, 1, &[]), conflict);
    assert_eq!(append(6, 2, &[]), None);
    assert_eq!(append(90, 1, &[]), conflict);
    // What was compacted is not known any more.
    assert_eq!(append(1, 3, &[]), None);
    // An earlier term is only told of the later one.
    let old = Raft { index: 5, log_term: 1, term: 2, ..message(MsgAppend) };
    assert_eq!(judge(&subject, old), None);
}

#[test]
fn entries_that_can_not_be_applied_are_not_taken() {
    let subject = Subject::follower();
    let mut unreadable = entry(9, 3);
    unreadable.payload = mesh_log::payload::Payload::new("unreadable".into());
    let append = Raft { index: 8, log_term: 3, entries: vec![unreadable], ..message(MsgAppend) };
    assert_eq!(judge(&subject, append), Some(Code::EntryUnreadable));
}

#[test]
fn who_knows_no_members_does_not_vote() {
    let subject = Subject::follower();
    let judge = |kind, members: Members| {
        let message = Raft { index: 20, log_term: 3, ..message(kind) };
        subject.look(|facts| check(&Facts { members: &members, ..*facts }, message.from, &message))
    };
    for kind in [MsgRequestVote, MsgRequestPreVote] {
        let known = Members::of_voters([2, 3].map(NodeNumber));
        assert_eq!(judge(kind, known), Ok(Admit::AsIs), "also for others than it knows");
        assert_eq!(judge(kind, Members::default()).unwrap_err().code(), Code::ReplicaSender);
    }
}

#[test]
fn a_term_has_one_leader() {
    let two = Some(Code::TwoLeaders);
    for kind in [MsgAppend, MsgHeartbeat] {
        let mut subject = Subject::follower();
        subject.step(&message(MsgHeartbeat), Admit::AsIs);
        assert_eq!(judge(&subject, message(kind)), None);
        assert_eq!(judge(&subject, Raft { from: NodeNumber(3), ..message(kind) }), two);
        assert_eq!(judge(&subject, Raft { from: NodeNumber(3), term: 4, ..message(kind) }), None);
        assert_eq!(judge(&subject, Raft { from: NodeNumber(3), term: 2, ..message(kind) }), None);
        let leader = Subject::leader();
        assert_eq!(judge(&leader, Raft { term: 4, ..message(kind) }), two);
        assert_eq!(judge(&leader, Raft { term: 5, ..message(kind) }), None);
    }
}

#[test]
fn heartbeats_say_no_more_than_was_acknowledged() {
    let subject = Subject::follower();
    let beat = |term, commit| Beat { group: GroupId(1), term, commit, rests: false, lost: false, read: 0 };
    let judge =
        |beat: Beat| subject.look(|facts| check_beat(facts, NodeNumber(2), &beat)).map_err(|r| r.code());
    assert_eq!(judge(beat(3, 8)), Ok(Admit::AsIs));
    assert_eq!(judge(beat(3, 9)), Err(Code::LostTail));
    assert_eq!(judge(beat(4, 9)), Err(Code::LostTail));
    // That of an earlier leader proves nothing: what it knew may have been replaced since.
    assert_eq!(judge(beat(2, 9)), Ok(Admit::AsIs));
    assert_eq!(judge(beat(0, 0)), Err(Code::ReplicaMalformed));
    assert_eq!(judge(beat(3, NUMBER_MAX + 1)), Err(Code::ReplicaMalformed));
    let reply = |from, term| {
        subject.look(|facts| check_beat_reply(facts, NodeNumber(from), &beat(term, 0))).map_err(|r| r.code())
    };
    assert_eq!(reply(2, 3), Ok(Admit::AsIs));
    assert_eq!(reply(4, 3), Ok(Admit::AsIs));
    assert_eq!(reply(9, 3), Err(Code::ReplicaSender));
    assert_eq!(reply(2, 0), Err(Code::ReplicaMalformed));
    assert_eq!(reply(OWN, 3), Err(Code::ReplicaSender));
}

#[test]
fn votes_count_when_they_were_asked_for() {
    let stale = Some(Code::ReplicaStale);
    let grant = |term| Raft { term, ..message(MsgRequestVoteResponse) };
    let pre_grant = |term| Raft { term, ..message(MsgRequestPreVoteResponse) };
    for (subject, message, code) in [
        (Subject::candidate(), grant(4), None),
        (Subject::candidate(), grant(3), stale),
        (Subject::candidate(), grant(5), MALFORMED),
        (Subject::follower(), grant(3), MALFORMED),
        (Subject::leader(), grant(4), MALFORMED),
        (Subject::pre_candidate(), pre_grant(4), None),
        (Subject::pre_candidate(), pre_grant(3), stale),
        (Subject::pre_candidate(), pre_grant(5), MALFORMED),
        (Subject::pre_candidate(), grant(3), MALFORMED),
        (Subject::candidate(), pre_grant(4), stale),
        // A refusal may tell of any later term.
        (Subject::candidate(), Raft { reject: true, ..grant(9) }, None),
    ] {
        assert_eq!(judge(&subject, message.clone()), code, "{message:?}");
    }
    let vote = |index, log_term| Raft { index, log_term, ..message(MsgRequestVote) };
    for (message, code) in
        [(vote(0, 0), None), (vote(8, 3), None), (vote(8, 0), MALFORMED), (vote(0, 3), MALFORMED)]
    {
        assert_eq!(judge(&Subject::follower(), message), code);
    }
}

#[test]
fn only_the_leader_hands_over() {
    let mut subject = Subject::follower();
    assert_eq!(judge(&subject, message(MsgTimeoutNow)), MALFORMED);
    subject.step(&message(MsgHeartbeat), Admit::AsIs);
    for (from, term, code) in
        [(2, 3, None), (3, 3, MALFORMED), (2, 4, MALFORMED), (2, 2, Some(Code::ReplicaStale))]
    {
        let from = NodeNumber(from);
        assert_eq!(judge(&subject, Raft { from, term, ..message(MsgTimeoutNow) }), code);
    }
}

#[test]
fn a_refusal_points_to_what_it_refuses_or_before() {
    let leader = Subject::leader();
    for (reject_hint, code) in [(8, None), (9, MALFORMED)] {
        let reply = Raft { term: 4, index: 8, reject: true, reject_hint, ..message(MsgAppendResponse) };
        assert_eq!(judge(&leader, reply), code);
    }
}

fn offer() -> Offer {
    let members = Members::of_voters([1, 2, 3].map(NodeNumber));
    let manifest =
        Manifest { index: 20, term: 3, time_ms: 0, members, state: Default::default(), extents: Vec::new() };
    Offer { group: GroupId(1), from: NodeNumber(2), to: NodeNumber(OWN), term: 3, loss: 0, manifest }
}

#[test]
fn offers_are_judged_as_what_they_will_be() {
    let of = |change: fn(&mut Offer)| {
        let mut offer = offer();
        change(&mut offer);
        Subject::follower().offer(&offer).map_err(|refusal| refusal.code())
    };
    assert_eq!(of(|_| ()), Ok(()));
    for (code, change) in [
        (Code::ReplicaSender, (|offer| offer.to = NodeNumber(2)) as fn(&mut Offer)),
        (Code::ReplicaSender, |offer| offer.from = NodeNumber(OWN)),
        (Code::ReplicaSender, |offer| offer.manifest.members = Members::of_voters([NodeNumber(2)])),
        (Code::ReplicaMalformed, |offer| offer.term = 0),
        (Code::ReplicaMalformed, |offer| offer.manifest.term = 4),
        (Code::ReplicaMalformed, |offer| (offer.manifest.index, offer.manifest.term) = (0, 0)),
        (Code::ReplicaStale, |offer| (offer.term, offer.manifest.term) = (2, 2)),
        (Code::ManifestMalformed, |offer| offer.manifest.members.learners = [NodeNumber(1)].into()),
        (Code::ManifestMalformed, |offer| offer.manifest.index = NUMBER_MAX + 1),
        (Code::LogConflict, |offer| (offer.manifest.index, offer.manifest.term) = (5, 3)),
    ] {
        assert_eq!(of(change), Err(code));
    }
    // Raft answers an old one with what is committed here.
    assert_eq!(of(|offer| (offer.manifest.index, offer.manifest.term) = (5, 2)), Ok(()));
    assert_eq!(Subject::leader().offer(&Offer { term: 4, ..offer() }).unwrap_err().code(), Code::TwoLeaders);
}
