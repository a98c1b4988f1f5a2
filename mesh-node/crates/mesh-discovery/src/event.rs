//! What a node is told about the others.

use crate::{
    error::{Error, Trouble},
    peer::{Key, Peer},
};

/// What a node is told about the others.
///
/// The first of them that speaks of peers is a [`Event::Snapshot`]; whoever applies it and all that follow has what
/// [`crate::Discovery`] knows. What is not read in time is joined with what comes after it, so that nothing piles up.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// These are all, without this node itself.
    Snapshot(Vec<Peer>),
    /// One more.
    Joined(Peer),
    /// One says something else than before. With another `instance` it was started anew.
    Changed(Peer),
    /// One is not there any more.
    Left {
        /// Which.
        peer: Key,
        /// How sure that is.
        how: Left,
    },
    /// This node is found by others from here on. Told after the snapshot.
    Registered,
    /// This node is not found by others that don't know it yet, until it is registered again.
    LeaseLost,
    /// What is known of the others gets no younger for now. It is still the best that there is.
    Trouble(Trouble),
    /// That is over, and all that was missed has been told.
    Recovered,
    /// Something that is no node, and was left out.
    Ignored {
        /// Under which key.
        key: String,
        /// Why.
        why: Trouble,
    },
    /// The node must not go on like this. Nothing comes after it.
    Refused(Error),
}

/// How sure it is that a peer is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Left {
    /// It said so itself, or a person took it off a list.
    Meant,
    /// Its registration is gone, for whatever reason. A peer that still answers has not left.
    Hint,
}
