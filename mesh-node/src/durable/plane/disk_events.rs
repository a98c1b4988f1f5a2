//! What the disk's threads tell.

use mesh_log::{keeper, writer};
use mesh_replica::{
    clock::Now,
    id::{JobId, WriteId},
};
use mesh_wire::code::Code;

use super::{Plane, fatal};
use crate::metrics::Counter;

impl Plane {
    /// Input: the log's thread.
    pub(crate) fn handle_writer(&mut self, event: writer::Event) {
        let now = self.clock.now();
        self.take_writer(now, event);
        self.settle(now);
    }

    fn take_writer(&mut self, now: Now, event: writer::Event) {
        self.disk.handle(&event);
        let (event, host) = match (event, &mut self.host) {
            (writer::Event::Fatal(why), _) => fatal::end(Code::LogWriteFailed, &why),
            (event, Some(host)) => (event, host),
            (_, None) => return,
        };
        match event {
            writer::Event::Written(written) => {
                self.counters.add(Counter::LogBatches, written.len() as u64);
                self.disk.written(written.len());
                for (id, locations) in written {
                    host.handle_written(now, WriteId(id), locations);
                }
            }
            writer::Event::Sealed(sealed) => {
                self.counters.add(Counter::LogSealed, sealed.len() as u64);
                host.handle_sealed(now, &sealed);
            }
            writer::Event::Full => {
                self.counters.add(Counter::LogFull, 1);
                let code = mesh_wire::code::Code::StorageFull;
                tracing::error!(%code, "the disk is full: what is to be kept is refused until there is room");
                host.handle_full(now, true);
            }
            writer::Event::Room => {
                tracing::info!("there is room on the disk again");
                host.handle_full(now, false);
            }
            writer::Event::Fatal(_) => {}
        }
    }

    /// Makes the write that the disk holds, or has it made; true when it is durable already. Before, everything has to be on
    /// its way that waits for nothing: `idle` says that there is nothing of the kind.
    pub(super) fn write_held(&mut self, now: Now, idle: bool) -> bool {
        if !self.disk.holds() {
            return false;
        }
        let messages = self.counters.messages();
        let may = self.direct.may(now.monotonic, self.source, messages);
        // Whoever follows a leader that the disk holds up takes it for gone.
        let followed = || self.nodes.reached().next().is_some() && self.leads.any_here();
        if !(may && idle && self.requests.len() <= 1) || followed() {
            self.disk.submit_held();
            return false;
        }
        let begun = self.clock.now();
        let event = self.disk.write_held();
        let after = self.clock.now();
        self.direct.took(after.monotonic, after.monotonic.saturating_sub(begun.monotonic));
        let Some(event) = event else { return false };
        self.take_writer(after, event);
        true
    }

    /// Input: the threads of segments and checkpoints.
    pub(crate) fn handle_keeper(&mut self, event: keeper::Event) {
        let now = self.clock.now();
        let Some(host) = &mut self.host else { return };
        match event {
            keeper::Event::Done(id, done) => {
                self.disk.done(1);
                host.handle_done(now, JobId(id), done);
            }
            keeper::Event::Damaged(pieces) => {
                self.counters.add(Counter::LogDamaged, pieces.len() as u64);
                tracing::warn!(pieces = pieces.len(), "damage was found on the disk");
                for found in pieces {
                    host.handle_damaged(now, found.group, vec![found.piece]);
                }
            }
        }
        self.settle(now);
    }
}
