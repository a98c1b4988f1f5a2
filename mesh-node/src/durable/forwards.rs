//! Requests that other nodes are answering, and how long they may take.

use std::{collections::VecDeque, time::Duration};

use mesh_log::id::GroupId;
use mesh_replica::id::{NodeNumber, Token};

use super::waiting::Requests;

/// How long another node may take.
const FORWARD_TIME: Duration = Duration::from_secs(5);
/// Most requests that wait for other nodes.
pub(super) const FORWARDS_MAX: usize = 65_536;

/// In the order in which they were sent on.
#[derive(Debug, Default)]
pub(super) struct Forwards(VecDeque<Sent>);

/// A request that was sent on.
#[derive(Debug, Clone, Copy)]
struct Sent {
    due: Duration,
    group: GroupId,
    node: NodeNumber,
    token: Token,
}

impl Forwards {
    /// Whether there is room for one more.
    pub(super) fn has_room(&self) -> bool {
        self.0.len() < FORWARDS_MAX
    }

    /// A request was sent on.
    pub(super) fn sent(&mut self, now: Duration, group: GroupId, node: NodeNumber, token: Token) {
        self.0.push_back(Sent { due: now + FORWARD_TIME, group, node, token });
    }

    /// A request was answered: those in front that were too are forgotten.
    pub(super) fn tidy(&mut self, requests: &Requests) {
        while self.0.front().is_some_and(|sent| !requests.is_open(sent.token)) {
            self.0.pop_front();
        }
    }

    /// The group that a request was for.
    pub(super) fn group_of(&self, token: Token) -> Option<GroupId> {
        self.0.iter().find(|sent| sent.token == token).map(|sent| sent.group)
    }

    /// A request whose time is up.
    pub(super) fn poll_expired(&mut self, now: Duration) -> Option<Token> {
        if self.0.front()?.due > now {
            return None;
        }
        self.0.pop_front().map(|sent| sent.token)
    }

    /// The requests that a node was to answer that is gone.
    pub(super) fn lost(&mut self, node: NodeNumber) -> Vec<Token> {
        self.take(|sent| sent.node == node)
    }

    /// The requests of a group that were sent to whoever led it before `leader`.
    pub(super) fn outdated(&mut self, group: GroupId, leader: Option<NodeNumber>) -> Vec<Token> {
        self.take(|sent| sent.group == group && Some(sent.node) != leader)
    }

    fn take(&mut self, is_over: impl Fn(&Sent) -> bool) -> Vec<Token> {
        let over = self.0.iter().filter(|sent| is_over(sent)).map(|sent| sent.token).collect();
        self.0.retain(|sent| !is_over(sent));
        over
    }

    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        self.0.front().map(|sent| sent.due)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::waiting::{Asker, Request, What},
        *,
    };

    const AT: Duration = Duration::from_secs(100);
    const MS: Duration = Duration::from_millis(1);

    fn token(requests: &mut Requests) -> Token {
        requests.begin(Request { asker: Asker::Own, id: 0, what: What::Meta }).unwrap()
    }

    #[test]
    fn each_has_its_time_and_those_of_a_lost_node_are_given_back() {
        let (mut forwards, mut requests) = (Forwards::default(), Requests::default());
        let [a, b, c] = [1, 2, 1].map(|node| {
            let token = token(&mut requests);
            forwards.sent(AT, GroupId(node as u32), NodeNumber(node), token);
            token
        });
        assert_eq!(forwards.poll_timeout(), Some(AT + FORWARD_TIME));
        assert_eq!(forwards.poll_expired(AT + FORWARD_TIME - MS), None);
        assert_eq!(forwards.lost(NodeNumber(1)), [a, c]);
        assert_eq!(forwards.poll_expired(AT + FORWARD_TIME), Some(b));
        assert_eq!((forwards.poll_expired(AT + FORWARD_TIME), forwards.poll_timeout()), (None, None));
    }

    #[test]
    fn those_for_another_leader_are_given_back() {
        let (mut forwards, mut requests) = (Forwards::default(), Requests::default());
        let [a, b, c] = [(1, 1), (1, 2), (2, 1)].map(|(group, node)| {
            let token = token(&mut requests);
            forwards.sent(AT, GroupId(group), NodeNumber(node), token);
            token
        });
        assert_eq!(forwards.outdated(GroupId(1), Some(NodeNumber(2))), [a]);
        assert_eq!(forwards.outdated(GroupId(1), None), [b]);
        assert_eq!(forwards.lost(NodeNumber(1)), [c]);
    }

    #[test]
    fn there_are_so_many_and_answered_ones_make_room() {
        let (mut forwards, mut requests) = (Forwards::default(), Requests::default());
        let first = token(&mut requests);
        forwards.sent(AT, GroupId(1), NodeNumber(1), first);
        for _ in 1..FORWARDS_MAX {
            assert!(forwards.has_room());
            let token = token(&mut requests);
            forwards.sent(AT, GroupId(1), NodeNumber(1), token);
        }
        assert!(!forwards.has_room());
        requests.end(first);
        forwards.tidy(&requests);
        assert!(forwards.has_room());
    }
}
