//! Frame kinds and flags.

use std::fmt;

/// What a frame is. Numbers from 0x40 are for peers, from 0x50 for the durable plane, from 0x60 kept for gateways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// First frame of a client: `aux` = lowest version | highest version << 16, `id` = features, body `HelloV1`.
    Hello = 0x01,
    /// The node's answer: `aux` = version, `id` = features agreed, body `WelcomeV1`.
    Welcome = 0x02,
    /// A refusal: `aux` = code, `id` = what it refers to, body `ErrorV1`.
    Error = 0x03,
    /// Done: `aux` = kind that is acknowledged, `id` = its id.
    Ok = 0x04,
    /// Asks for a `Pong` with the same `id`, once everything before it was handled.
    Ping = 0x05,
    /// Answer to `Ping`.
    Pong = 0x06,
    /// The sender closes the link in good order: `aux` = code or 0.
    Goodbye = 0x07,
    /// The node is leaving: finish what you have, then go elsewhere.
    Draining = 0x08,
    /// `id` = subscription chosen by the client, subject = pattern, body `SubscribeV1`.
    Subscribe = 0x10,
    /// `id` = subscription.
    Unsubscribe = 0x11,
    /// `id` = subscription, `aux` = further messages that the client has room for.
    Credit = 0x12,
    /// `id` = subscription, `aux` = messages that were dropped for it.
    Dropped = 0x13,
    /// A message to a subject.
    Publish = 0x20,
    /// A message for a subscription: `id` = subscription.
    Deliver = 0x21,
    /// A further part of a chunked message: `id` = series; `MORE` on all but the last.
    Chunk = 0x22,
    /// `id` = request, `aux` = timeout in milliseconds.
    Request = 0x30,
    /// A request for a responder: `id` = subscription << 32 | call, `aux` = milliseconds left.
    Call = 0x31,
    /// `id` = call (to the node) or request (to the requester); `MORE` on all but the last of a series.
    Reply = 0x32,
    /// `id` = request or call, `aux` = further replies that the requester has room for.
    ReplyCredit = 0x33,
    /// `id` = request (to the node) or call (to the responder).
    Cancel = 0x34,
    /// The request is over: `id` = request, `aux` = code, or 0 when all replies were sent.
    End = 0x35,
    /// First frame of a node that dialled another: as `Hello`, body [`crate::peer::PeerHelloV1`].
    PeerHello = 0x40,
    /// The other node's answer: as `Welcome`, body [`crate::peer::PeerHelloV1`].
    PeerWelcome = 0x41,
    /// First on the durable plane of a link between nodes: which cluster, directory and node; tagged body.
    Ident = 0x42,
    /// Consensus of many groups; `MORE`, `aux` = offset and `id` = length and checksum of the whole when the body is in parts.
    Raft = 0x43,
    /// Heartbeats of many groups, or their answers.
    Beat = 0x44,
    /// The sender is there, for groups that rest.
    Alive = 0x45,
    /// A snapshot is there to be fetched; in parts as `Raft`.
    Offer = 0x46,
    /// Asks for parts of a snapshot.
    Pull = 0x47,
    /// Parts of a snapshot; in parts as `Raft`.
    Part = 0x48,
    /// A client's request for a group that the receiver leads; in parts as `Raft`.
    Forward = 0x49,
    /// The answer to `Forward`; in parts as `Raft`.
    Forwarded = 0x4A,
    /// Asks for a number in the cluster, or answers that; tagged body.
    Join = 0x4B,
    /// Makes sure that there is something to put to: `id` = request, `aux` = timeout in milliseconds, body
    /// [`crate::durable::DeclareV1`].
    Declare = 0x50,
    /// Answer to `Declare`: `id` = request, body [`crate::durable::DeclaredV1`].
    Declared = 0x51,
    /// Records to be kept: `id` = request, `aux` = timeout in milliseconds, ext `LANE`, body = a record batch.
    Put = 0x52,
    /// They are kept: `id` = request, body [`crate::durable::PutOk`].
    PutOk = 0x53,
    /// Asks for records: `id` = request, `aux` = timeout in milliseconds, body [`crate::durable::Fetch`].
    Fetch = 0x54,
    /// The records: `id` = request, body [`crate::durable::Fetched`].
    Fetched = 0x55,
}

/// One more than the highest number of a kind.
const KINDS_END: usize = 0x56;

/// The kinds by their number.
const BY_BYTE: [Option<Kind>; KINDS_END] = {
    let mut table = [None; KINDS_END];
    let mut i = 0;
    while i < Kind::ALL.len() {
        table[Kind::ALL[i] as usize] = Some(Kind::ALL[i]);
        i += 1;
    }
    table
};

impl Kind {
    /// Every kind of this version.
    pub const ALL: &'static [Self] = &[
        Self::Hello,
        Self::Welcome,
        Self::Error,
        Self::Ok,
        Self::Ping,
        Self::Pong,
        Self::Goodbye,
        Self::Draining,
        Self::Subscribe,
        Self::Unsubscribe,
        Self::Credit,
        Self::Dropped,
        Self::Publish,
        Self::Deliver,
        Self::Chunk,
        Self::Request,
        Self::Call,
        Self::Reply,
        Self::ReplyCredit,
        Self::Cancel,
        Self::End,
        Self::PeerHello,
        Self::PeerWelcome,
        Self::Ident,
        Self::Raft,
        Self::Beat,
        Self::Alive,
        Self::Offer,
        Self::Pull,
        Self::Part,
        Self::Forward,
        Self::Forwarded,
        Self::Join,
        Self::Declare,
        Self::Declared,
        Self::Put,
        Self::PutOk,
        Self::Fetch,
        Self::Fetched,
    ];

    /// The kind with this number.
    #[inline]
    pub fn from_byte(byte: u8) -> Option<Self> {
        BY_BYTE.get(byte as usize).copied().flatten()
    }
}

/// Marks on a frame. Unknown bits are carried unchanged.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(u8);

impl Flags {
    /// No mark.
    pub const NONE: Self = Self(0);
    /// A node has routed this frame: it is not forwarded, bound or counted again.
    pub const ROUTED: Self = Self(0x01);
    /// The series goes on.
    pub const MORE: Self = Self(0x02);
    /// The reply is an error of the application; `aux` is its own code.
    pub const FAILED: Self = Self(0x04);
    /// The call asks whether the responder is there; the client library answers by itself.
    pub const PROBE: Self = Self(0x08);
    /// This error closes the link.
    pub const FATAL: Self = Self(0x10);
    /// The request goes to all responders (one of each group).
    pub const GATHER: Self = Self(0x20);
    /// The request may be repeated.
    pub const IDEMPOTENT: Self = Self(0x40);

    /// The flags with these bits.
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// The bits.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether all of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These and `other`.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These without `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Flags({:#04x})", self.0)
    }
}
