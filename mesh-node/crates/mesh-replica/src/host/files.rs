//! Work on files: reads, checkpoints, the roll-over of the log.

use std::time::Duration;

use bytes::Bytes;
use mesh_log::{
    id::GroupId,
    job::{Done, Job},
    location::Piece,
    rollover::Action,
};

use super::{Fetch, Host, Purpose};
use crate::{group::Group, machine::Machine, output::Output, refused::Refused};

/// After so long, what failed on files is tried again.
const RETRY_EVERY: Duration = Duration::from_secs(1);

impl<M: Machine> Host<M> {
    pub(super) fn start_fetch(&mut self, fetch: Fetch) {
        let fetches_max = self.options.bounds.fetches_max;
        let Some(group) = self.groups.get_mut(&fetch.group) else {
            return self.refuse(fetch.token, None);
        };
        if !group.may_fetch(fetches_max, fetch.again) {
            return self.refuse(fetch.token, Some(Err(Refused::Busy)));
        }
        let sources = self.shared.lanes.find(fetch.group, fetch.lane, fetch.first, fetch.last);
        if sources.is_empty() {
            group.fetched();
            return self.refuse(fetch.token, Some(Err(Refused::NoRecords)));
        }
        let Fetch { group, lane, first, last, max_bytes, .. } = fetch;
        self.shared.job(Job::Read { group, lane, first, last, max_bytes, sources }, Purpose::Fetch(fetch));
    }

    pub(super) fn finish(&mut self, purpose: Purpose, done: Done) {
        match purpose {
            Purpose::Checkpoint(group) => {
                let saved = done == Done::Checkpointed;
                self.with(group, |group, work| if saved { group.saved(work) } else { group.not_saved() });
                if !saved {
                    self.retry_later();
                }
            }
            Purpose::Install(group) => {
                let saved = done == Done::Checkpointed;
                self.with(group, |group, work| group.install_saved(work, saved));
            }
            Purpose::Forget(group) => self.finish_forget(group, &done),
            Purpose::Fetch(fetch) => self.finish_fetch(fetch, done),
            Purpose::Rollover(work) => {
                let found = self.rollover.handle_done(work, &done, &mut self.shared.lanes);
                if found.failed.is_some() {
                    self.retry_later();
                }
                for (group, piece) in found.damaged {
                    self.damaged(group, piece);
                }
                self.roll();
            }
            Purpose::Serve(group, id) => self.finish_serve(group, id, done),
            Purpose::Store(group, id) => self.finish_store(group, id, done),
            Purpose::Repair(group, piece) => self.finish_repair(group, &piece, done),
        }
    }

    pub(super) fn retry_later(&mut self) {
        let at = self.now.monotonic + RETRY_EVERY;
        self.next_retry.get_or_insert(at);
    }

    fn finish_fetch(&mut self, fetch: Fetch, done: Done) {
        if let Some(group) = self.groups.get_mut(&fetch.group) {
            group.fetched();
        }
        let Done::Read(read) = done else {
            self.shared.outputs.push(Output::Refused { token: fetch.token, why: Refused::Damaged });
            return;
        };
        let (pieces, lost) = whole(read);
        if pieces.is_empty() {
            if !fetch.again {
                // It may have moved since the job was made.
                return self.start_fetch(Fetch { again: true, ..fetch });
            }
            let number = lost.map_or(fetch.first, |piece| piece.first.max(fetch.first));
            if let Some(piece) = lost {
                self.damaged(fetch.group, piece);
            }
            let is_lost = self.shared.pulls.repair.is_lost(fetch.group, fetch.lane, number);
            let why = if is_lost { Refused::Lost } else { Refused::Damaged };
            self.shared.outputs.push(Output::Refused { token: fetch.token, why });
            return;
        }
        let pieces = pieces.into_iter().map(|(piece, bytes)| (piece.first, piece.count, bytes)).collect();
        self.shared.outputs.push(Output::Fetched { token: fetch.token, pieces });
    }

    /// Says how far a group is, for the files of the log that wait for it.
    pub(super) fn progress(&mut self, id: GroupId) {
        if self.gone.is_waiting(id) {
            // What the log has is of its former life.
            return;
        }
        if let Some(progress) = self.groups.get(&id).and_then(Group::progress) {
            self.rollover.handle_progress(id, progress);
        }
    }

    /// Full files of the log are dealt with.
    pub(super) fn roll(&mut self) {
        while let Some(action) = self.rollover.poll(&self.shared.lanes) {
            match action {
                Action::Job { work, job } => self.shared.job(job, Purpose::Rollover(work)),
                Action::Checkpoint { group, index } => {
                    self.with(group, |group, work| group.want_saved(work, index));
                }
                Action::Release { file, kept } => self.shared.outputs.push(Output::Release { file, kept }),
            }
        }
    }
}

/// The pieces up to the first that is not what was written, and that one.
pub(super) fn whole(read: Vec<(Piece, Option<Bytes>)>) -> (Vec<(Piece, Bytes)>, Option<Piece>) {
    let mut pieces = Vec::new();
    for (piece, bytes) in read {
        match bytes {
            Some(bytes) => pieces.push((piece, bytes)),
            None => return (pieces, Some(piece)),
        }
    }
    (pieces, None)
}
