//! The other nodes: who they are, what they are sent, what they say.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use mesh_core::peering::LinkNumber;
use mesh_replica::{
    codec::{Decoder, Encoder, Forward, Forwarded, Outgoing},
    id::NodeNumber,
    ident::{Ident, Join},
    message::Message,
};
use mesh_wire::{class::Class, name::Name};

use crate::peer::Sender;

/// Frames of one lane below this size are sent as one: a lane's queue counts batches.
const JOIN_BELOW_BYTES: usize = 256 * 1024;

/// The links with other nodes.
#[derive(Default)]
pub(super) struct Nodes {
    links: BTreeMap<LinkNumber, Link>,
    numbers: BTreeMap<NodeNumber, LinkNumber>,
}

/// A link with another node.
pub(super) struct Link {
    sender: Sender,
    pub(super) decoder: Decoder,
    /// Who it is in the cluster, once it has said so and was believed.
    pub(super) number: Option<NodeNumber>,
    /// What it said last of itself, and by which name it is known.
    pub(super) said: Option<(Name, Ident)>,
    encoder: Encoder,
    has_more: bool,
    /// Who this node is, until there was room to say so: nothing else that it sends is taken before.
    unsaid: Option<Ident>,
}

impl Nodes {
    /// A link is up.
    pub(super) fn up(&mut self, link: LinkNumber, sender: Sender) {
        let (decoder, encoder) = (Decoder::new(), Encoder::new());
        let link_of =
            Link { sender, decoder, number: None, said: None, encoder, has_more: false, unsaid: None };
        self.links.insert(link, link_of);
    }

    /// A link is over; whose it was, unless that node has another one.
    ///
    /// Two nodes that dialled each other have two links for a moment, and either says last who it is: the one that stays
    /// may well be the one that said so first.
    pub(super) fn down(&mut self, link: LinkNumber) -> Option<NodeNumber> {
        let number = self.links.remove(&link)?.number?;
        if self.numbers.get(&number) != Some(&link) {
            return None;
        }
        match self.links.iter().find(|(_, other)| other.number == Some(number)) {
            Some((other, _)) => {
                self.numbers.insert(number, *other);
                None
            }
            None => self.numbers.remove(&number).map(|_| number),
        }
    }

    /// The other side of a link is this node.
    pub(super) fn is(&mut self, link: LinkNumber, number: NodeNumber) {
        if let Some(entry) = self.links.get_mut(&link) {
            entry.number = Some(number);
            self.numbers.insert(number, link);
        }
    }

    pub(super) fn link(&mut self, link: LinkNumber) -> Option<&mut Link> {
        self.links.get_mut(&link)
    }

    /// All links.
    pub(super) fn links(&self) -> impl Iterator<Item = (LinkNumber, &Link)> {
        self.links.iter().map(|(number, link)| (*number, link))
    }

    /// Whether a node can be reached.
    pub(super) fn is_up(&self, node: NodeNumber) -> bool {
        self.numbers.contains_key(&node)
    }

    /// Nodes that can be reached.
    pub(super) fn reached(&self) -> impl Iterator<Item = NodeNumber> {
        self.numbers.keys().copied()
    }

    fn to(&mut self, node: NodeNumber) -> Option<&mut Link> {
        let link = self.numbers.get(&node)?;
        self.links.get_mut(link)
    }

    /// A message of a group. It is lost when the node can't be reached.
    pub(super) fn send(&mut self, to: NodeNumber, message: &Message) {
        let Some(link) = self.to(to) else { return };
        if let Err(error) = link.encoder.push(message) {
            tracing::error!(node = %to, %error, "a message can't be sent");
        }
        link.has_more = true;
    }

    /// A request for a group that the node leads; whether it is on its way.
    pub(super) fn forward(&mut self, to: NodeNumber, forward: &Forward) -> bool {
        let Some(link) = self.to(to) else { return false };
        link.has_more = true;
        link.encoder.push_forward(forward).is_ok()
    }

    /// The answer to one. It is lost when the node can't be reached any more.
    pub(super) fn answer(&mut self, to: NodeNumber, answer: &Forwarded) {
        let Some(link) = self.to(to) else { return };
        link.has_more = true;
        if let Err(error) = link.encoder.push_forwarded(answer) {
            tracing::error!(node = %to, %error, "an answer can't be sent");
        }
    }

    /// Who this node is. It is said with each [`Nodes::flush`] until there was room for it.
    pub(super) fn say(&mut self, link: LinkNumber, own: &Ident) {
        if let Some(link) = self.links.get_mut(&link) {
            link.unsaid = Some(own.clone());
            link.has_more = true;
        }
    }

    /// A request for a number, or its answer.
    pub(super) fn join(&mut self, link: LinkNumber, join: &Join) {
        if let Some(link) = self.links.get_mut(&link) {
            link.encoder.push_join(join);
            link.has_more = true;
        }
    }

    /// Whether anything was gathered.
    pub(super) fn has_more(&self) -> bool {
        self.links.values().any(|link| link.has_more)
    }

    /// Sends what was gathered. Returns how many batches there was no room for: they are lost.
    pub(super) fn flush(&mut self) -> u64 {
        let mut lost = 0;
        for link in self.links.values_mut().filter(|link| link.has_more || link.unsaid.is_some()) {
            link.has_more = false;
            link.introduce();
            let frames = std::mem::take(&mut link.encoder).finish();
            for (class, batch) in batches(frames) {
                lost += u64::from(link.sender.try_send(class, batch).is_err());
            }
        }
        lost
    }
}

impl Link {
    /// Says who this node is, if that is to be said and there is room.
    fn introduce(&mut self) {
        let Some(own) = &self.unsaid else { return };
        let mut encoder = Encoder::new();
        encoder.push_ident(own);
        let mut batches = batches(encoder.finish()).into_iter();
        if batches.all(|(class, batch)| self.sender.try_send(class, batch).is_ok()) {
            self.unsaid = None;
        }
    }
}

/// Small frames of one lane together, in their order.
fn batches(frames: Vec<Outgoing>) -> Vec<(Class, Bytes)> {
    let mut done = Vec::new();
    let mut open: [Vec<Bytes>; Class::COUNT] = Default::default();
    let mut sizes = [0; Class::COUNT];
    for Outgoing { class, frame } in frames {
        let at = class.index();
        if sizes[at] + frame.len() > JOIN_BELOW_BYTES && !open[at].is_empty() {
            done.push((class, joined(std::mem::take(&mut open[at]), sizes[at])));
            sizes[at] = 0;
        }
        sizes[at] += frame.len();
        open[at].push(frame);
    }
    for class in Class::ALL {
        let frames = std::mem::take(&mut open[class.index()]);
        if !frames.is_empty() {
            done.push((class, joined(frames, sizes[class.index()])));
        }
    }
    done
}

fn joined(mut frames: Vec<Bytes>, size: usize) -> Bytes {
    match frames.pop() {
        Some(only) if frames.is_empty() => only,
        last => {
            let mut batch = BytesMut::with_capacity(size);
            frames.iter().chain(&last).for_each(|frame| batch.extend_from_slice(frame));
            batch.freeze()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(class: Class, byte: u8, len: usize) -> Outgoing {
        Outgoing { class, frame: vec![byte; len].into() }
    }

    #[test]
    fn a_node_is_there_as_long_as_one_of_its_links_is() {
        let mut nodes = Nodes::default();
        let (first, second, node) = (LinkNumber(7), LinkNumber(8), NodeNumber(3));
        let (sender, _queues) = crate::peer::frames::queues();
        for link in [first, second] {
            nodes.up(link, sender.clone());
            nodes.is(link, node);
        }
        assert_eq!(nodes.down(second), None);
        assert!(nodes.is_up(node));
        assert_eq!(nodes.down(first), Some(node));
        assert!(!nodes.is_up(node));
        assert_eq!(nodes.down(first), None);
    }

    fn ident(number: u64) -> Ident {
        let directory = mesh_log::directory::Uuid(7);
        Ident {
            cluster: None,
            directory,
            number: Some(NodeNumber(number)),
            level: 0,
            cluster_level: 0,
            founders: None,
        }
    }

    #[test]
    fn who_this_node_is_is_said_until_there_is_room_for_it() {
        let mut nodes = Nodes::default();
        let link = LinkNumber(7);
        let (sender, mut queues) = crate::peer::frames::queues();
        nodes.up(link, sender.clone());
        let mut expected = Encoder::new();
        expected.push_ident(&ident(4));
        let expected = batches(expected.finish());
        let [(class, expected)] = &expected[..] else { panic!("one frame") };
        while sender.try_send(*class, Bytes::from_static(b"full")).is_ok() {}
        // What it says last counts.
        for number in [3, 4] {
            nodes.say(link, &ident(number));
            assert!(nodes.has_more());
            assert_eq!(nodes.flush(), 0, "it is not lost");
            assert!(!nodes.has_more(), "nothing is held up by it");
        }
        let queue = &mut queues[class.index()];
        while let Ok(batch) = queue.try_recv() {
            assert_eq!(batch, "full");
        }
        assert_eq!(nodes.flush(), 0);
        assert_eq!(queue.try_recv().unwrap(), expected);
        nodes.flush();
        assert!(queue.try_recv().is_err(), "once");
    }

    #[test]
    fn frames_of_a_lane_keep_their_order_and_travel_together() {
        let half = JOIN_BELOW_BYTES / 2;
        let frames = vec![
            frame(Class::Raft, 1, half),
            frame(Class::Request, 2, 3),
            frame(Class::Raft, 3, half),
            frame(Class::Raft, 4, 1),
            frame(Class::Request, 5, 2),
            frame(Class::Raft, 6, 2 * JOIN_BELOW_BYTES),
        ];
        let batches = batches(frames);
        let sizes: Vec<_> = batches.iter().map(|(class, batch)| (*class, batch.len())).collect();
        assert_eq!(
            sizes,
            [
                (Class::Raft, JOIN_BELOW_BYTES),
                (Class::Raft, 1),
                (Class::Raft, 2 * JOIN_BELOW_BYTES),
                (Class::Request, 5),
            ]
        );
        assert_eq!(&batches[3].1[..], [2, 2, 2, 5, 5]);
        assert_eq!((batches[0].1[0], batches[0].1[half]), (1, 3));
    }
}
