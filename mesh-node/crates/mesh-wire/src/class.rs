//! Classes of traffic: what goes first when a carrier has a lane for each.
//!
//! A carrier with streams (QUIC) gives each class a stream of its own, so that a small request is not held up by what
//! was published before it. Order holds within a lane only; a receiver takes any frame on any lane.

use crate::frame::Kind;

/// A class of traffic. Its number is the first byte of a stream that carries it; the smaller goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Class {
    /// The link itself, subscriptions, credit.
    Control = 0,
    /// Consensus between nodes.
    Raft = 1,
    /// Requests, replies, and what belongs to them.
    Request = 2,
    /// Messages to subjects.
    Publish = 3,
    /// What is large and in no order with anything else.
    Bulk = 4,
    /// Snapshots and repairs between nodes: they wait for everything else.
    Snapshot = 5,
}

impl Class {
    /// How many there are.
    pub const COUNT: usize = 6;
    /// All of them, the first to go first.
    pub const ALL: [Self; Self::COUNT] =
        [Self::Control, Self::Raft, Self::Request, Self::Publish, Self::Bulk, Self::Snapshot];

    /// The class with this number.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Control),
            1 => Some(Self::Raft),
            2 => Some(Self::Request),
            3 => Some(Self::Publish),
            4 => Some(Self::Bulk),
            5 => Some(Self::Snapshot),
            _ => None,
        }
    }

    /// Its place in [`Class::ALL`].
    #[inline]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The class of a message whose body needs chunks: they share a lane with what they are in order with.
    pub const fn of_large(kind: Kind) -> Self {
        match kind {
            // A request is in order with nothing: not even the next one.
            Kind::Request | Kind::Call => Self::Bulk,
            // Nor are records that were asked for. What is put is in order with all that its producer puts.
            Kind::Fetched => Self::Bulk,
            _ => kind.class(),
        }
    }

    /// Its name, as metrics and listings show it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Raft => "raft",
            Self::Request => "request",
            Self::Publish => "publish",
            Self::Bulk => "bulk",
            Self::Snapshot => "snapshot",
        }
    }
}

impl Kind {
    /// The class that frames of this kind travel in, unless they have to stay behind others.
    #[inline]
    pub const fn class(self) -> Class {
        match self {
            Self::Publish | Self::Deliver | Self::Chunk => Class::Publish,
            Self::Request | Self::Call | Self::Reply | Self::ReplyCredit | Self::Cancel | Self::End => {
                Class::Request
            }
            Self::Declare | Self::Declared | Self::Put | Self::PutOk | Self::Fetch | Self::Fetched => {
                Class::Request
            }
            Self::Raft | Self::Beat | Self::Alive => Class::Raft,
            Self::Forward | Self::Forwarded => Class::Request,
            Self::Offer | Self::Pull | Self::Part => Class::Snapshot,
            _ => Class::Control,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_classes_go_both_ways() {
        for (number, class) in (0u8..).zip(Class::ALL) {
            assert_eq!((class as u8, class.index()), (number, usize::from(number)));
            assert_eq!(Class::from_byte(number), Some(class));
        }
        assert_eq!(Class::from_byte(Class::COUNT as u8), None);
        assert!(Class::ALL.is_sorted());
    }

    #[test]
    fn what_must_stay_in_order_shares_a_lane() {
        for kind in [Kind::Publish, Kind::Deliver, Kind::Reply, Kind::Put] {
            assert_eq!(Class::of_large(kind), kind.class(), "{kind:?}");
        }
        assert_eq!(Class::of_large(Kind::Call), Class::Bulk);
        assert_eq!(Class::of_large(Kind::Fetched), Class::Bulk);
        assert_eq!(Kind::Call.class(), Kind::Cancel.class());
        assert_eq!(Kind::Reply.class(), Kind::End.class());
        // Parts of a body follow each other on one lane.
        for kind in [Kind::Raft, Kind::Offer, Kind::Part, Kind::Forward, Kind::Forwarded] {
            assert_eq!(Class::of_large(kind), kind.class(), "{kind:?}");
        }
    }
}
