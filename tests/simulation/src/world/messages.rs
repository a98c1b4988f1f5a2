//! What nodes say to each other: as the bytes that nodes send, made and read by the codec of nodes.

use bytes::Bytes;
use mesh_replica::{
    codec::{self, Decoder, Encoder, Received},
    id::NodeNumber,
    message::Message,
};

use super::{Event, World};
use crate::invariant::Invariant;

impl World {
    /// A node says something to another one.
    pub(super) fn send(&mut self, from: u64, to: u64, message: &Message) {
        self.counts.messages += 1;
        if matches!(message, Message::Offer(_)) {
            self.counts.snapshots += 1;
        }
        let frames: Vec<Bytes> = match codec::encode(std::slice::from_ref(message)) {
            Ok(frames) => frames.into_iter().map(|outgoing| outgoing.frame).collect(),
            Err(error) => {
                let what = Err(format!("node {from} can't say something to node {to}: {error}"));
                return self.checks.judge(Invariant::MessagesAreRead, what);
            }
        };
        self.carry(from, to, frames);
    }

    /// A node says something that is not about a group.
    pub(super) fn say(&mut self, from: u64, to: u64, push: impl FnOnce(&mut Encoder)) {
        let mut encoder = Encoder::new();
        push(&mut encoder);
        let frames = encoder.finish().into_iter().map(|outgoing| outgoing.frame).collect();
        self.counts.messages += 1;
        self.carry(from, to, frames);
    }

    fn carry(&mut self, from: u64, to: u64, frames: Vec<Bytes>) {
        let [first, second] = self.network.fates(from, to);
        if to == 0 || to as usize > self.nodes.len() {
            return;
        }
        if let Some(delay) = second {
            self.queue.push(self.now + delay, Event::Message { from, to, frames: frames.clone() });
        }
        match first {
            Some(delay) => self.queue.push(self.now + delay, Event::Message { from, to, frames }),
            None => self.counts.lost += 1,
        }
    }

    /// The frames of a message arrive.
    pub(super) fn arrives(&mut self, from: u64, to: u64, frames: &[Bytes]) {
        let waits = self.node(to).home.as_ref().is_some_and(|home| !home.numbered);
        if self.node(to).process.is_none() && !waits {
            return;
        }
        // What is said in several frames travels together here, and overtakes others: a decoder of its own.
        let mut decoder = Decoder::new();
        for frame in frames {
            match decoder.decode(frame) {
                Ok(Received::Messages(messages)) => {
                    messages.into_iter().for_each(|message| self.heard(from, to, message));
                }
                Ok(Received::Nothing) => {}
                Ok(Received::Forward(forward)) => self.forwarded_here(to, from, forward),
                Ok(Received::Forwarded(answer)) => self.forwarded_back(to, answer),
                Ok(Received::Join(join)) => self.joining(to, from, join),
                Ok(other) => self.unread(from, to, &format!("it reads {other:?}")),
                Err(error) => self.unread(from, to, &error.to_string()),
            }
        }
        if decoder.held_bytes() > 0 {
            self.unread(from, to, "the end of it is missing");
        }
    }

    fn unread(&mut self, from: u64, to: u64, why: &str) {
        let what = Err(format!("node {to} can't read what node {from} said: {why}"));
        self.checks.judge(Invariant::MessagesAreRead, what);
    }

    fn heard(&mut self, from: u64, to: u64, message: Message) {
        let (what, numbers) = describe(&message);
        self.trace.event(
            self.now,
            to,
            what,
            &[("from", from), numbers[0], numbers[1], numbers[2], numbers[3]],
        );
        self.tell(to, |host, now| host.handle_message(now, NodeNumber(from), message));
    }
}

/// A message in a word and four numbers.
fn describe(message: &Message) -> (&'static str, [(&'static str, u64); 4]) {
    const NONE: (&str, u64) = ("", 0);
    match message {
        Message::Raft(raft) => (
            kind(raft.kind),
            [
                ("group", u64::from(raft.group.0)),
                ("term", raft.term),
                ("index", raft.index),
                (if raft.reject { "rejects" } else { "entries" }, raft.entries.len() as u64),
            ],
        ),
        Message::Beat(beats) => ("beat", [("groups", beats.len() as u64), NONE, NONE, NONE]),
        Message::BeatReply(beats) => ("beat answer", [("groups", beats.len() as u64), NONE, NONE, NONE]),
        Message::Alive => ("alive", [NONE; 4]),
        Message::Offer(offer) => (
            "offer",
            [
                ("group", u64::from(offer.group.0)),
                ("term", offer.term),
                ("index", offer.manifest.index),
                ("extents", offer.manifest.extents.len() as u64),
            ],
        ),
        Message::Pull(pull) => (
            "pull",
            [
                ("group", u64::from(pull.group.0)),
                ("lane", pull.lane.0),
                ("first", pull.first),
                ("last", pull.last),
            ],
        ),
        Message::Part(part) => (
            "part",
            [
                ("group", u64::from(part.group.0)),
                ("lane", part.lane.0),
                ("pieces", part.pieces.len() as u64),
                ("gone", u64::from(part.gone)),
            ],
        ),
    }
}

/// The names of the crate's message types.
fn kind(number: u8) -> &'static str {
    match number {
        3 => "append",
        4 => "append answer",
        5 => "vote?",
        6 => "vote",
        7 => "snapshot",
        8 => "heartbeat",
        9 => "heartbeat answer",
        14 => "lead now",
        15 => "read index",
        16 => "read index answer",
        17 => "pre-vote?",
        18 => "pre-vote",
        _ => "raft",
    }
}
