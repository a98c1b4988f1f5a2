//! Snapshots: offered by a leader, and taken in the place of everything by a follower.
//!
//! ```text
//!   leader:   raft wants one ─► manifest of now ─► raft ─► Offer
//!   follower: Offer ─► records fetched ─► checkpoint durable ─► raft ─► cut durable ─► acknowledged
//! ```

use std::time::Duration;

use mesh_log::{
    bug::Bug,
    job::Job,
    record::{HardState, Record},
};
use raft::{
    ProgressState, SnapshotStatus,
    eraftpb::{self, MessageType, Snapshot, SnapshotMetadata},
};

use super::{Group, Phase, Saved};
use crate::{
    door,
    host::{Purpose, Work},
    id::NodeNumber,
    machine::Machine,
    message::{Manifest, Offer},
    output::Output,
};

/// A snapshot whose records are all here, and whose checkpoint is being written.
#[derive(Debug)]
pub(super) struct Install {
    offer: Offer,
    written: bool,
}

impl Install {
    /// Nothing else may be written of the group for now.
    pub(super) fn is_writing(&self) -> bool {
        !self.written
    }
}

impl<M: Machine> Group<M> {
    /// Raft wants to send a snapshot and had none: it gets one of now.
    pub(super) fn offer_wanted(&mut self, work: &mut Work<'_>) {
        if !self.raft.store().any_wanted() {
            return;
        }
        let wanted = self.raft.store().take_wanted();
        if self.lead.is_none() {
            return;
        }
        let manifest = self.manifest(work);
        if manifest.extents.iter().any(|extent| extent.bytes == 0) {
            // Records are missing here: they are fetched, and whoever has them had better lead. Else raft asks again.
            self.seek_missing(work);
            if self.raft.raft.lead_transferee.is_none() {
                self.step_down(work);
            }
            return;
        }
        let metadata = SnapshotMetadata {
            conf_state: Some(manifest.members.to_conf_state()),
            index: manifest.index,
            term: manifest.term,
        };
        self.saving.pin(manifest.index);
        self.raft.mut_store().set_offer(Some(metadata));
        self.offered = Some(manifest);
        for node in wanted {
            if self.raft.raft.prs().get(node.0).is_some() {
                self.raft.raft.send_append(node.0);
            }
        }
    }

    pub(super) fn send_offer(&mut self, work: &mut Work<'_>, to: NodeNumber, message: &eraftpb::Message) {
        let index = message.get_snapshot().get_metadata().index;
        let manifest = self.offered.as_ref().filter(|manifest| manifest.index == index);
        let offer = manifest.map(|manifest| Offer {
            group: self.id,
            from: self.own,
            to,
            term: message.term,
            loss: self.lead.as_ref().map_or(0, |lead| lead.lost.of(to)),
            manifest: manifest.clone(),
        });
        let (now, own) = (work.now.monotonic, self.own);
        match offer.filter(|offer| work.shared.pulls.leader.offer(now, own, offer)) {
            Some(offer) => {
                if let Some(lead) = &mut self.lead {
                    lead.offered.insert(to, now);
                }
                work.sends(to).other.push(crate::message::Message::Offer(offer));
            }
            None => self.raft.report_snapshot(to.0, SnapshotStatus::Failure),
        }
    }

    /// A follower asked for a part of what was offered: it is at work.
    pub(crate) fn heard_pull(&mut self, from: NodeNumber, now: Duration) {
        if let Some(heard) = self.lead.as_mut().and_then(|lead| lead.offered.get_mut(&from)) {
            *heard = now;
        }
    }

    /// What was offered came to nothing: raft tries again. Unless it is told it waits for ever.
    pub(crate) fn offer_failed(&mut self, to: NodeNumber) {
        if let Some(lead) = &mut self.lead {
            lead.offered.remove(&to);
        }
        self.raft.report_snapshot(to.0, SnapshotStatus::Failure);
    }

    /// Offers that nobody seems to have heard are made again; those that were taken are forgotten.
    pub(super) fn tick_offers(&mut self, work: &mut Work<'_>) {
        let snapshots =
            self.raft.raft.prs().iter().any(|(_, progress)| progress.state == ProgressState::Snapshot);
        let Some(lead) = &mut self.lead else { return };
        if lead.offered.is_empty() {
            if !snapshots && self.offered.take().is_some() {
                self.saving.unpin();
                self.raft.mut_store().set_offer(None);
            }
            return;
        }
        let silence = work.options.alive_silence * 2;
        let mut over = Vec::new();
        for (node, heard) in &lead.offered {
            let state = self.raft.raft.prs().get(node.0).map(|progress| progress.state);
            if state != Some(ProgressState::Snapshot) {
                over.push((*node, false));
            } else if work.now.monotonic.saturating_sub(*heard) >= silence {
                over.push((*node, true));
            }
        }
        for (node, failed) in over {
            lead.offered.remove(&node);
            if failed {
                self.raft.report_snapshot(node.0, SnapshotStatus::Failure);
            }
        }
    }

    /// A leader offers a snapshot.
    pub(crate) fn handle_offer(&mut self, work: &mut Work<'_>, offer: Offer) {
        if !matches!(self.phase, Phase::Running | Phase::Quarantined) || self.install.is_some() {
            return;
        }
        if let Err(refusal) = self.judge(&offer) {
            work.refused(self.id, offer.from, refusal);
            return;
        }
        self.wake(work);
        if self.has_all_of(&offer) {
            // Nothing has to be fetched: it is all in the log.
            self.step_snapshot(&offer);
            return;
        }
        let ranges = offer.manifest.extents.iter().map(|extent| (extent.lane, extent.first, extent.last));
        let lacking = work.lanes.lacking(self.id, &ranges.collect::<Vec<_>>());
        let now = work.now.monotonic;
        work.shared.pulls.follower.handle_offer(now, offer, &lacking);
    }

    /// Every record of a snapshot is here: its checkpoint is written before raft hears of it.
    pub(crate) fn install(&mut self, work: &mut Work<'_>, offer: Offer) {
        if !matches!(self.phase, Phase::Running | Phase::Quarantined) || self.install.is_some() {
            return;
        }
        if self.has_all_of(&offer) || self.judge(&offer).is_err() {
            return;
        }
        let within = |piece: &mesh_log::location::Piece| {
            offer.manifest.extents.iter().any(|extent| {
                extent.lane == piece.lane && extent.first <= piece.first && piece.last() <= extent.last
            })
        };
        let pieces: Vec<_> = work.lanes.in_log(self.id).into_iter().filter(within).collect();
        let bytes = Saved::encode(&offer.manifest, &pieces, true);
        work.job(Job::Checkpoint { group: self.id, bytes }, Purpose::Install(self.id));
        self.install = Some(Install { offer, written: false });
    }

    /// The checkpoint of a snapshot is durable, or could not be written.
    pub(crate) fn install_saved(&mut self, work: &mut Work<'_>, saved: bool) {
        let Some(install) = self.install.as_mut().filter(|_| saved) else {
            self.install = None;
            return;
        };
        install.written = true;
        let offer = install.offer.clone();
        if self.phase == Phase::Quarantined {
            self.install = None;
            if self.judge(&offer).is_ok() {
                self.rejoin(work, offer);
            }
            return;
        }
        self.step_snapshot(&offer);
        // Raft may have found that it needs none: then it says so, and the checkpoint is one like any other.
        if self.raft.raft.snap().is_none() {
            self.install = None;
        }
    }

    /// Whether an offered snapshot may come in. A replica that has lost something looks at it twice.
    fn judge(&self, offer: &Offer) -> Result<(), door::Refusal> {
        self.with_facts(|facts| door::check_offer(facts, offer.from, offer))?;
        if self.phase == Phase::Quarantined { self.makes_good(offer) } else { Ok(()) }
    }

    /// Whether everything of a snapshot is in the log. Nothing is, of a log that has lost something.
    fn has_all_of(&self, offer: &Offer) -> bool {
        let Manifest { index, term, .. } = offer.manifest;
        let log = &self.raft.raft.raft_log;
        self.phase == Phase::Running && (index <= log.committed || log.match_term(index, term))
    }

    fn step_snapshot(&mut self, offer: &Offer) {
        let mut message = eraftpb::Message {
            from: offer.from.0,
            to: self.own.0,
            term: offer.term,
            ..eraftpb::Message::default()
        };
        message.set_msg_type(MessageType::MsgSnapshot);
        message.snapshot = Some(Snapshot {
            metadata: Some(SnapshotMetadata {
                conf_state: Some(offer.manifest.members.to_conf_state()),
                index: offer.manifest.index,
                term: offer.manifest.term,
            }),
            ..Snapshot::default()
        });
        // What raft refuses changes nothing.
        _ = self.raft.step(message);
    }

    /// Raft took a snapshot: everything is as it says. `false` when there is none.
    pub(super) fn take_snapshot(&mut self, work: &mut Work<'_>, snapshot: &Snapshot) -> bool {
        if snapshot.get_metadata().index == 0 {
            return false;
        }
        let Some(install) = self.install.take() else {
            work.outputs.push(Output::Fatal(format!("group {}: a snapshot from nowhere", self.id)));
            return false;
        };
        let manifest = install.offer.manifest;
        let (index, term) = (manifest.index, manifest.term);
        let twice = self.applied_twice(work, index);
        if let Err(why) = self.machine.restore(manifest.state.bytes()) {
            // The leader's state is of another version. Nothing can be applied here any more.
            work.outputs.push(Output::Fatal(format!("group {}: the state of a snapshot: {why}", self.id)));
            return false;
        }
        self.raft.mut_store().reset((index, term));
        let ranges: Vec<_> =
            manifest.extents.iter().map(|extent| (extent.lane, extent.first, extent.last)).collect();
        work.lanes.restrict(self.id, &ranges);
        self.check_lanes(work);
        self.members = manifest.members;
        self.applied = (index, term);
        self.clock.applied(manifest.time_ms);
        self.saving.installed(index);
        self.replay(work, twice);
        let raft = &mut self.raft.raft;
        if std::mem::take(&mut self.is_new) && raft.vote == raft::INVALID_ID {
            // A replica that begins anew may have forgotten a vote in this term; who leads it is certain.
            raft.vote = raft.leader_id;
        }
        self.state = HardState { term: raft.term, vote: raft.vote, commit: index };
        self.record_cut(work);
        work.record(Record::State { group: self.id, state: self.state });
        work.outputs.push(Output::Changed(self.id));
        true
    }

    /// The known bug: what the log still has of a snapshot is applied once more.
    fn applied_twice(
        &self,
        work: &Work<'_>,
        upto: u64,
    ) -> Vec<(mesh_log::record::Entry, mesh_log::location::Location)> {
        if !work.options.bugs.has(Bug::ApplyTwice) {
            return Vec::new();
        }
        let store = self.raft.store();
        let held = (store.cut().0 + 1..=upto.min(store.last())).filter_map(|index| store.get(index));
        held.filter_map(|held| Some((held.entry.clone(), held.location?))).collect()
    }

    /// A peer can be reached again. It may have lost something, which it says when it is asked.
    pub(crate) fn handle_back(&mut self, work: &mut Work<'_>) {
        if self.rests() && self.leads() {
            self.wake(work);
        }
    }

    /// A peer can't be reached, or was not heard for long.
    pub(crate) fn handle_gone(&mut self, work: &mut Work<'_>, peer: NodeNumber) {
        if self.phase != Phase::Running {
            return;
        }
        if self.rests() {
            // A leader that rests goes on resting: who was gone asks for it when it comes back.
            if self.leader() == Some(peer) {
                self.wake(work);
            }
            return;
        }
        if self.leads() {
            self.raft.report_unreachable(peer.0);
            if self.lead.as_ref().is_some_and(|lead| lead.offered.contains_key(&peer)) {
                self.offer_failed(peer);
            }
        }
    }
}
