//! The messages that travel between replicas.

/// A message of consensus that nodes send to each other, under the number that the crate `raft` gives it. Its other
/// messages are a node's own (ticks, proposals, reports), or are sent in another way (snapshots, reads).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum MessageKind {
    /// Entries, or where the log should match.
    Append = 3,
    /// They are there, or don't match.
    AppendResponse = 4,
    /// A candidate asks for a vote.
    RequestVote = 5,
    /// It is given, or not.
    RequestVoteResponse = 6,
    /// The leader is there.
    Heartbeat = 8,
    /// It was heard.
    HeartbeatResponse = 9,
    /// Stand for election at once: the leader hands over.
    TimeoutNow = 14,
    /// Would the vote be given?
    RequestPreVote = 17,
    /// It would, or not.
    RequestPreVoteResponse = 18,
}

impl MessageKind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Append,
        Self::AppendResponse,
        Self::RequestVote,
        Self::RequestVoteResponse,
        Self::Heartbeat,
        Self::HeartbeatResponse,
        Self::TimeoutNow,
        Self::RequestPreVote,
        Self::RequestPreVoteResponse,
    ];

    /// The kind with this number.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == byte)
    }

    /// Whether only a member, as known here, can say it. Leaders and candidates may be members that this replica has yet
    /// to hear of, and whom it must follow or elect to do so; whoever answers was asked as a member.
    pub(super) fn is_of_members_only(self) -> bool {
        matches!(
            self,
            Self::AppendResponse
                | Self::HeartbeatResponse
                | Self::RequestVoteResponse
                | Self::RequestPreVoteResponse
        )
    }
}
