//! The cores as state machines of groups.

use bytes::Bytes;
use mesh_core::{meta::Meta, register::Registers};
use mesh_log::id::GroupId;
use mesh_replica::machine::{At, Keep, Machine, Outcome, StateError, Trim, Wanted};

use crate::convert;

/// What a group replicates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShardMachine {
    /// The meta group's.
    Meta(Box<Meta>),
    /// A shard's.
    Shard(Box<Registers>),
}

impl ShardMachine {
    /// That of a group, with nothing in it.
    #[must_use]
    pub fn new(group: GroupId) -> Self {
        if group == GroupId::META { Self::Meta(Box::default()) } else { Self::Shard(Box::default()) }
    }

    /// What the cluster knows of itself, if this is the meta group's.
    #[must_use]
    pub fn meta(&self) -> Option<&Meta> {
        match self {
            Self::Meta(meta) => Some(meta),
            Self::Shard(_) => None,
        }
    }

    /// The registers, if this is a shard's.
    #[must_use]
    pub fn registers(&self) -> Option<&Registers> {
        match self {
            Self::Meta(_) => None,
            Self::Shard(registers) => Some(registers),
        }
    }
}

impl Machine for ShardMachine {
    fn apply(&mut self, at: At, command: &Bytes) -> Outcome {
        match self {
            Self::Meta(meta) => {
                Outcome { reply: meta.apply_bytes(at.time_ms, command).encode(), ..Outcome::default() }
            }
            Self::Shard(registers) => {
                let applied = registers.apply(at.time_ms, command);
                let keep = applied.keep.map(|keep| Keep {
                    lane: convert::lane(keep.lane),
                    first: keep.first,
                    count: keep.count,
                    offset: keep.offset,
                    len: keep.len,
                });
                let trim = applied.trim.iter();
                let trim = trim.map(|trim| Trim { lane: convert::lane(trim.lane), below: trim.below });
                let trim = trim.collect();
                Outcome { reply: applied.reply.encode(), keep: Vec::from_iter(keep), trim }
            }
        }
    }

    fn state(&self) -> Bytes {
        match self {
            Self::Meta(meta) => meta.encode(),
            Self::Shard(registers) => registers.encode(),
        }
    }

    fn restore(&mut self, state: &Bytes) -> Result<(), StateError> {
        let unreadable = |error: mesh_core::meta::FormatError| StateError(error.to_string());
        match self {
            Self::Meta(meta) => **meta = Meta::decode(state).map_err(unreadable)?,
            Self::Shard(registers) => **registers = Registers::decode(state).map_err(unreadable)?,
        }
        Ok(())
    }

    fn wanted(&self) -> Vec<Wanted> {
        let lanes = self.registers().into_iter().flat_map(Registers::views);
        let wanted = lanes.map(|(lane, view)| Wanted {
            lane: convert::lane(lane),
            first: view.first,
            next: view.next,
        });
        wanted.collect()
    }
}
