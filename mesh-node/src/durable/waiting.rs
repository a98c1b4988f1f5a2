//! Who waits for what: each request is known to the host by a token.

use mesh_core::{peering::LinkNumber, routing::LinkId};
use mesh_log::id::LaneId;
use mesh_replica::id::{NodeNumber, Token};
use mesh_wire::frame::Kind;

/// Most requests under way.
pub(super) const WAITING_MAX: usize = 1 << 18;

/// Who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asker {
    /// A client of this node.
    Link(LinkId),
    /// Another node, for a client of its.
    Node(NodeNumber),
    /// A node that has no number yet.
    Joining(LinkNumber),
    /// The node's operator: by the number of the question.
    Operator,
    /// The node itself.
    Own,
}

/// What was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// A change of what the cluster knows of itself: a command of the meta group.
    Meta,
    /// To keep records: a command of a shard.
    Put(LaneId),
    /// Whether all that was acknowledged can be read.
    Readable(Fetch),
    /// Records.
    Fetch(Fetch),
    /// Other members for a group.
    Members,
    /// To forget lanes: a command of a shard.
    Forget,
}

impl What {
    /// The kind of frame that asks for such a thing.
    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Put(_) => Kind::Put,
            Self::Readable(_) | Self::Fetch(_) => Kind::Fetch,
            Self::Meta | Self::Members | Self::Forget => Kind::Declare,
        }
    }
}

/// Records that are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fetch {
    pub(super) lane: LaneId,
    pub(super) from: u64,
    pub(super) max_bytes: u32,
}

/// A request under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) asker: Asker,
    /// What the asker knows it by.
    pub(super) id: u64,
    pub(super) what: What,
}

/// All requests under way.
#[derive(Debug, Default)]
pub(super) struct Requests {
    places: Vec<Place>,
    /// Those that can be taken.
    free: Vec<u32>,
}

#[derive(Debug)]
struct Place {
    /// How often it was taken: part of the token, so that one is never taken for another.
    turn: u32,
    request: Option<Request>,
}

impl Requests {
    /// A token for a request; `None` when as many as may be are under way.
    pub(super) fn begin(&mut self, request: Request) -> Option<Token> {
        let index = match self.free.pop() {
            Some(index) => index,
            None if self.places.len() < WAITING_MAX => {
                self.places.push(Place { turn: 0, request: None });
                u32::try_from(self.places.len() - 1).ok()?
            }
            None => return None,
        };
        let place = &mut self.places[index as usize];
        place.turn = place.turn.wrapping_add(1);
        place.request = Some(request);
        Some(Token(u64::from(place.turn) << 32 | u64::from(index)))
    }

    /// The request is answered: who it was. `None` for one that was answered already.
    pub(super) fn end(&mut self, token: Token) -> Option<Request> {
        let (turn, index) = ((token.0 >> 32) as u32, token.0 as u32);
        let place = self.places.get_mut(index as usize).filter(|place| place.turn == turn)?;
        let request = place.request.take()?;
        self.free.push(index);
        Some(request)
    }

    /// Whether a request is under way.
    pub(super) fn is_open(&self, token: Token) -> bool {
        let (turn, index) = ((token.0 >> 32) as u32, token.0 as u32);
        self.places.get(index as usize).is_some_and(|place| place.turn == turn && place.request.is_some())
    }

    /// How many are under way.
    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(id: u64) -> Request {
        Request { asker: Asker::Own, id, what: What::Members }
    }

    #[test]
    fn each_is_answered_once_under_its_own_token() {
        let mut requests = Requests::default();
        let (a, b) = (requests.begin(request(1)).unwrap(), requests.begin(request(2)).unwrap());
        assert_eq!(requests.len(), 2);
        assert_eq!(requests.end(a), Some(request(1)));
        assert_eq!(requests.end(a), None);
        let c = requests.begin(request(3)).unwrap();
        assert_ne!(a, c, "the place of the first, and another token");
        assert_eq!(requests.end(a), None);
        assert_eq!((requests.end(b), requests.end(c)), (Some(request(2)), Some(request(3))));
        assert_eq!((requests.len(), requests.end(Token(u64::MAX))), (0, None));
    }

    #[test]
    fn as_many_as_may_be_and_not_one_more() {
        let mut requests = Requests::default();
        let mut last = None;
        for id in 0..WAITING_MAX as u64 {
            last = requests.begin(request(id));
            assert!(last.is_some());
        }
        assert_eq!(requests.begin(request(0)), None);
        assert!(requests.end(last.unwrap()).is_some());
        assert!(requests.begin(request(0)).is_some());
    }
}
