//! Versions and features, agreed once per link.

/// A version of the protocol. Frame layout and body types are frozen within one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u16);

impl Version {
    /// The oldest version that this library speaks.
    pub const OLDEST: Self = Self(1);
    /// The newest version that this library speaks.
    pub const NEWEST: Self = Self(1);
}

/// A span of versions, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions {
    /// The oldest.
    pub oldest: Version,
    /// The newest.
    pub newest: Version,
}

impl Versions {
    /// What this library speaks.
    pub const OURS: Self = Self { oldest: Version::OLDEST, newest: Version::NEWEST };

    /// Reads the span from a `HELLO`'s `aux`.
    pub const fn from_aux(aux: u32) -> Self {
        Self { oldest: Version(aux as u16), newest: Version((aux >> 16) as u16) }
    }

    /// The span as a `HELLO`'s `aux`.
    pub const fn to_aux(self) -> u32 {
        self.oldest.0 as u32 | (self.newest.0 as u32) << 16
    }

    /// The newest version that both sides speak; `None` when the spans do not meet (or one is turned around).
    pub fn negotiate(self, other: Self) -> Option<Version> {
        let oldest = self.oldest.max(other.oldest);
        let newest = self.newest.min(other.newest);
        (oldest <= newest).then_some(newest)
    }
}

/// Optional parts of the protocol, as bits. A side uses only what both have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Features(u64);

impl Features {
    /// Bodies over one frame, in chunks.
    pub const CHUNKS: Self = Self(1);
    /// Replies in a series, with credit.
    pub const REPLY_SERIES: Self = Self(1 << 1);
    /// Requests to all responders.
    pub const GATHER: Self = Self(1 << 2);
    /// All that this library has on a link between a client and a node.
    pub const OURS: Self = Self(Self::CHUNKS.0 | Self::REPLY_SERIES.0 | Self::GATHER.0);
    /// Between nodes: a `PING` on any lane is answered by a `PONG` on the lane of the same class.
    pub const LANE_PINGS: Self = Self(1 << 32);
    /// All that this library has on a link between two nodes. Their bits begin at 2^32, so that neither sort of link
    /// can be taken for the other.
    pub const OURS_BETWEEN_NODES: Self = Self::LANE_PINGS;

    /// The features with these bits; unknown ones are kept, so that they can be shown.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The bits.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Whether all of `other` are there.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// What both sides have.
    #[must_use]
    pub const fn agree(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(oldest: u16, newest: u16) -> Versions {
        Versions { oldest: Version(oldest), newest: Version(newest) }
    }

    #[test]
    fn the_newest_common_version_wins() {
        let table = [
            (span(1, 1), span(1, 1), Some(1)),
            (span(1, 3), span(2, 5), Some(3)),
            (span(2, 5), span(1, 3), Some(3)),
            (span(1, 1), span(2, 2), None),
            (span(1, 9), span(4, 4), Some(4)),
            (span(3, 1), span(1, 3), None),
        ];
        for (ours, theirs, want) in table {
            assert_eq!(ours.negotiate(theirs), want.map(Version), "{ours:?} {theirs:?}");
        }
    }

    #[test]
    fn aux_round_trips() {
        assert_eq!(span(1, 2).to_aux(), 0x0002_0001);
        assert_eq!(Versions::from_aux(0x0002_0001), span(1, 2));
    }

    #[test]
    fn features_are_an_intersection() {
        let theirs = Features::from_bits(1 << 1 | 1 << 40);
        assert_eq!(Features::OURS.agree(theirs), Features::REPLY_SERIES);
        assert_eq!(Features::OURS.agree(Features::OURS_BETWEEN_NODES), Features::default());
        assert_eq!(Features::OURS_BETWEEN_NODES.bits(), 0x1_0000_0000);
    }
}
