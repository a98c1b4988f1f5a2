//! Requests that other nodes are answering, and how long they may take.

use std::{collections::VecDeque, time::Duration};

use mesh_replica::id::{NodeNumber, Token};

use super::waiting::Requests;

/// How long another node may take.
const FORWARD_TIME: Duration = Duration::from_secs(5);
/// Most requests that wait for other nodes.
pub(super) const FORWARDS_MAX: usize = 65_536;

/// In the order in which they were sent on.
#[derive(Debug, Default)]
pub(super) struct Forwards(VecDeque<(Duration, NodeNumber, Token)>);

impl Forwards {
    /// Whether there is room for one more.
    pub(super) fn has_room(&self) -> bool {
        self.0.len() < FORWARDS_MAX
    }

    /// A request was sent on.
    pub(super) fn sent(&mut self, now: Duration, node: NodeNumber, token: Token) {
        self.0.push_back((now + FORWARD_TIME, node, token));
    }

    /// A request was answered: those in front that were too are forgotten.
    pub(super) fn tidy(&mut self, requests: &Requests) {
        while self.0.front().is_some_and(|(_, _, token)| !requests.is_open(*token)) {
            self.0.pop_front();
        }
    }

    /// A request whose time is up.
    pub(super) fn poll_expired(&mut self, now: Duration) -> Option<Token> {
        let (due, ..) = self.0.front()?;
        if *due > now {
            return None;
        }
        self.0.pop_front().map(|(_, _, token)| token)
    }

    /// The requests that a node was to answer that is gone.
    pub(super) fn lost(&mut self, node: NodeNumber) -> Vec<Token> {
        let lost = self.0.iter().filter(|(_, to, _)| *to == node).map(|(_, _, token)| *token).collect();
        self.0.retain(|(_, to, _)| *to != node);
        lost
    }

    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        self.0.front().map(|(due, ..)| *due)
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
            forwards.sent(AT, NodeNumber(node), token);
            token
        });
        assert_eq!(forwards.poll_timeout(), Some(AT + FORWARD_TIME));
        assert_eq!(forwards.poll_expired(AT + FORWARD_TIME - MS), None);
        assert_eq!(forwards.lost(NodeNumber(1)), [a, c]);
        assert_eq!(forwards.poll_expired(AT + FORWARD_TIME), Some(b));
        assert_eq!((forwards.poll_expired(AT + FORWARD_TIME), forwards.poll_timeout()), (None, None));
    }

    #[test]
    fn there_are_so_many_and_answered_ones_make_room() {
        let (mut forwards, mut requests) = (Forwards::default(), Requests::default());
        let first = token(&mut requests);
        forwards.sent(AT, NodeNumber(1), first);
        for _ in 1..FORWARDS_MAX {
            assert!(forwards.has_room());
            let token = token(&mut requests);
            forwards.sent(AT, NodeNumber(1), token);
        }
        assert!(!forwards.has_room());
        requests.end(first);
        forwards.tidy(&requests);
        assert!(forwards.has_room());
    }
}
