//! Checkpoints: what a replica goes on from after a restart, and the log behind which goes.
//!
//! ```text
//!   installed u8 │ length u32 │ manifest │ n u32 │ n × piece      little-endian
//! ```
//! The manifest is that of a snapshot. The pieces are those that stand in files of the log, which is not read again below
//! the checkpoint; segments know what they have. `installed` is 1 when the manifest came from a peer: then what the log has
//! behind it is of use only if the log says so itself, by a cut.

use bytes::{BufMut, Bytes, BytesMut};
use mesh_log::{id::GroupId, job::Job, location::Piece, payload::Payload, record::Record};

use super::{Group, Phase};
use crate::{
    host::{Purpose, Work},
    machine::{Machine, Wanted},
    manifest::{self, ManifestError},
    members::Members,
    message::{Extent, Manifest},
    output::Output,
};

/// The checkpoints of a group.
#[derive(Debug)]
pub(super) struct Saving {
    /// The index of the last one that is durable.
    durable: u64,
    /// The one that is being written: index and term.
    under_way: Option<(u64, u64)>,
    /// Another one is wanted, up to this index at least.
    wanted: Option<u64>,
    /// The index of a snapshot that is being fetched by followers: what comes behind it is kept for them.
    pinned: Option<u64>,
    /// Bytes of a snapshot that were fetched and are named by no checkpoint.
    unnamed_bytes: u64,
    /// The last one could not be written: none is before it is time to try again.
    held: bool,
}

impl Saving {
    pub(super) fn new(durable: u64) -> Self {
        Self { durable, under_way: None, wanted: None, pinned: None, unnamed_bytes: 0, held: false }
    }

    pub(super) fn durable(&self) -> u64 {
        self.durable
    }

    pub(super) fn pin(&mut self, index: u64) {
        self.pinned = Some(index);
    }

    pub(super) fn unpin(&mut self) {
        self.pinned = None;
    }

    /// A snapshot took the place of everything.
    pub(super) fn installed(&mut self, index: u64) {
        *self = Self::new(index);
    }
}

/// A checkpoint as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Saved {
    pub(crate) index: u64,
    pub(crate) term: u64,
    pub(crate) time_ms: u64,
    pub(crate) members: Members,
    pub(crate) state: Bytes,
    pub(crate) extents: Vec<Extent>,
    pub(crate) pieces: Vec<Piece>,
    pub(crate) installed: bool,
}

/// Why a checkpoint can't be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SavedError {
    #[error("it ends early or late")]
    Length,
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

impl Saved {
    pub(crate) fn encode(manifest: &Manifest, pieces: &[Piece], installed: bool) -> Bytes {
        let manifest = manifest::encode(manifest);
        let mut into = BytesMut::with_capacity(9 + manifest.len() + pieces.len() * Piece::ENCODED);
        into.put_u8(u8::from(installed));
        into.put_u32_le(u32::try_from(manifest.len()).unwrap_or(u32::MAX));
        into.put_slice(&manifest);
        into.put_u32_le(u32::try_from(pieces.len()).unwrap_or(u32::MAX));
        for piece in pieces {
            into.put_slice(&piece.encode());
        }
        into.freeze()
    }

    pub(crate) fn decode(bytes: &Bytes) -> Result<Self, SavedError> {
        let (&[installed], rest) = bytes.split_first_chunk::<1>().ok_or(SavedError::Length)?;
        if installed > 1 {
            return Err(SavedError::Length);
        }
        let (len, rest) = length(rest)?;
        let (found, rest) = rest.split_at_checked(len).ok_or(SavedError::Length)?;
        let Manifest { index, term, time_ms, members, state, extents } =
            manifest::decode(&bytes.slice_ref(found))?;
        let (count, rest) = length(rest)?;
        if rest.len() != count.checked_mul(Piece::ENCODED).ok_or(SavedError::Length)? {
            return Err(SavedError::Length);
        }
        let pieces =
            rest.chunks_exact(Piece::ENCODED).map(|chunk| chunk.first_chunk().and_then(Piece::decode));
        let pieces = pieces.collect::<Option<_>>().ok_or(SavedError::Length)?;
        let (state, installed) = (state.bytes().clone(), installed == 1);
        Ok(Self { index, term, time_ms, members, state, extents, pieces, installed })
    }

    /// What the checkpoint says that there is, and nothing else of what segments have.
    pub(crate) fn restore_lanes(&self, work: &mut Work<'_>, group: GroupId) {
        let ranges: Vec<_> =
            self.extents.iter().map(|extent| (extent.lane, extent.first, extent.last)).collect();
        work.lanes.restrict(group, &ranges);
        for piece in &self.pieces {
            work.lanes.put(group, *piece);
        }
        // What a disk lost is found as damage, and not passed over.
        work.lanes.miss(group, &ranges);
    }
}

fn length(bytes: &[u8]) -> Result<(usize, &[u8]), SavedError> {
    let (len, rest) = bytes.split_first_chunk().ok_or(SavedError::Length)?;
    Ok((usize::try_from(u32::from_le_bytes(*len)).map_err(|_| SavedError::Length)?, rest))
}

impl<M: Machine> Group<M> {
    /// What the machine was put to names its records: what is before them is given up here too, and what is missing of
    /// them is known to be.
    pub(super) fn check_lanes(&self, work: &mut Work<'_>) {
        for Wanted { lane, first, next } in self.machine.wanted() {
            let below = work.shared.pulls.trim(self.id, lane, first);
            work.lanes.trim(self.id, lane, below);
            if first < next {
                work.lanes.miss(self.id, &[(lane, first, next - 1)]);
            }
        }
        self.seek_missing(work);
    }

    /// What is known to be missing is fetched from whoever has it.
    pub(super) fn seek_missing(&self, work: &mut Work<'_>) {
        let now = work.now.monotonic;
        for piece in work.lanes.missing(self.id) {
            work.shared.pulls.repair.handle_damaged(now, self.id, piece);
        }
    }

    /// The point in history that this replica is at.
    pub(super) fn manifest(&self, work: &Work<'_>) -> Manifest {
        // What was trimmed and is kept for a follower's older snapshot is no part of this one: else each one would keep it
        // for the next, and a follower would ask for what nobody repairs any more.
        let runs =
            work.lanes.runs_from(self.id, |lane| work.shared.pulls.held_below(self.id, lane)).into_iter();
        Manifest {
            index: self.applied.0,
            term: self.applied.1,
            time_ms: self.clock.last_ms(),
            members: self.members.clone(),
            state: Payload::new(self.machine.state()),
            extents: runs
                .map(|run| Extent {
                    lane: run.lane,
                    first: run.first,
                    last: run.last,
                    bytes: run.bytes,
                    digest: run.digest,
                })
                .collect(),
        }
    }

    /// Writes a checkpoint of what is applied now. One at a time.
    pub(crate) fn save(&mut self, work: &mut Work<'_>) {
        let writing = self.install.as_ref().is_some_and(super::Install::is_writing);
        if self.saving.under_way.is_some() || self.saving.held || writing {
            return;
        }
        self.saving.wanted = None;
        self.saving.unnamed_bytes = 0;
        self.saving.under_way = Some(self.applied);
        let mut manifest = self.manifest(work);
        // Records that are missing have no bytes here; they have to stay known as such.
        manifest.extents.iter_mut().for_each(|extent| extent.bytes = extent.bytes.max(1));
        let bytes = Saved::encode(&manifest, &work.lanes.in_log(self.id), false);
        work.job(Job::Checkpoint { group: self.id, bytes }, Purpose::Checkpoint(self.id));
    }

    /// Records of a snapshot are stored. A checkpoint of where the replica is names them now and then, so that they are not
    /// fetched again after a restart. One that has applied nothing has no checkpoint, and keeps what its segments have.
    pub(crate) fn note_fetched(&mut self, work: &mut Work<'_>, bytes: u64) {
        self.saving.unnamed_bytes += bytes;
        let is_due = self.saving.unnamed_bytes >= work.options.pull.unnamed_bytes_max;
        if is_due && self.phase == Phase::Running && self.applied.0 > 0 {
            self.save(work);
        }
    }

    /// The log on disk is to go on without what this group has in it up to an index.
    pub(crate) fn want_saved(&mut self, work: &mut Work<'_>, index: u64) {
        if self.phase == Phase::Quarantined {
            // A cut would say that nothing is missing.
            return;
        }
        self.saving.wanted = self.saving.wanted.max(Some(index));
        if index <= self.saving.durable && index > self.cut {
            // There is one, of which the log has not heard.
            let (index, term) = self.raft.store().cut();
            if index <= self.saving.durable && index > self.cut {
                work.record(Record::Cut { group: self.id, index, term });
                work.note_cut(self.id, index);
            }
        }
    }

    /// A checkpoint when one is wanted, or the log in memory has grown.
    pub(super) fn save_when_due(&mut self, work: &mut Work<'_>) {
        let bounds = &work.options.bounds;
        let grown = self.raft.store().bytes() > bounds.log_bytes_max / 2
            || (work.log_bytes > bounds.host_log_bytes_max / 2
                && self.raft.store().bytes() > bounds.entry_bytes_max);
        let wanted = self.saving.wanted.is_some_and(|index| index <= self.applied.0);
        if (wanted || grown) && self.applied.0 > self.saving.durable {
            self.save(work);
        } else if grown {
            self.compact(work);
        }
    }

    /// A checkpoint is durable: the log on disk and in memory goes up to it.
    pub(crate) fn saved(&mut self, work: &mut Work<'_>) {
        let Some((index, term)) = self.saving.under_way.take() else { return };
        self.saving.durable = index;
        if self.phase == Phase::Opening {
            self.begin(work);
            work.outputs.push(Output::Changed(self.id));
            return;
        }
        if self.phase != Phase::Running {
            return;
        }
        work.record(Record::Cut { group: self.id, index, term });
        work.note_cut(self.id, index);
        self.compact(work);
    }

    /// It could not be written. A full disk would be asked again and again without a pause.
    pub(crate) fn not_saved(&mut self) {
        if let Some((index, _)) = self.saving.under_way.take() {
            self.saving.wanted = self.saving.wanted.max(Some(index));
            self.saving.held = true;
        }
    }

    /// It is time to try again: at once for a first one, which nothing else would bring about.
    pub(crate) fn save_again(&mut self, work: &mut Work<'_>) {
        if std::mem::take(&mut self.saving.held) && self.phase == Phase::Opening {
            self.save(work);
        }
    }

    /// Whether a checkpoint could not be written, and is to be tried again.
    pub(crate) fn is_held(&self) -> bool {
        self.saving.held
    }

    /// Forgets entries that a durable checkpoint has. Those that a follower lacks are kept for it while there is room:
    /// sending them is cheaper than a snapshot.
    fn compact(&mut self, work: &Work<'_>) {
        let mut upto = self.saving.durable.min(self.raft.raft.raft_log.applied);
        let room = self.raft.store().bytes() <= work.options.bounds.log_bytes_max / 4 * 3
            && work.log_bytes <= work.options.bounds.host_log_bytes_max / 4 * 3;
        if self.lead.is_some() && room {
            let matched = self.raft.raft.prs().iter().map(|(_, progress)| progress.matched);
            let pinned = self.saving.pinned.unwrap_or(u64::MAX);
            let slowest = matched.filter(|matched| *matched > 0).min().unwrap_or(u64::MAX);
            upto = upto.min(slowest).min(pinned);
        }
        self.raft.mut_store().compact(upto);
    }
}
