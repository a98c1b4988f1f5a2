//! What the disk's threads tell.

use mesh_log::{keeper, writer};
use mesh_replica::id::{JobId, WriteId};
use mesh_wire::code::Code;

use super::{Plane, fatal};
use crate::metrics::Counter;

impl Plane {
    /// Input: the log's thread.
    pub(crate) fn handle_writer(&mut self, event: writer::Event) {
        let now = self.clock.now();
        self.disk.handle(&event);
        let (event, host) = match (event, &mut self.host) {
            (writer::Event::Fatal(why), _) => fatal::end(Code::LogWriteFailed, &why),
            (event, Some(host)) => (event, host),
            (_, None) => return,
        };
        match event {
            writer::Event::Written(written) => {
                self.counters.add(Counter::LogBatches, written.len() as u64);
                self.disk.done(written.len());
                for (id, locations) in written {
                    host.handle_written(now, WriteId(id), locations);
                }
            }
            writer::Event::Sealed(sealed) => {
                self.counters.add(Counter::LogSealed, sealed.len() as u64);
                sealed.iter().for_each(|sealed| host.handle_sealed(now, sealed));
            }
            writer::Event::Full => {
                self.counters.add(Counter::LogFull, 1);
                host.handle_full(now, true);
            }
            writer::Event::Room => host.handle_full(now, false),
            writer::Event::Fatal(_) => {}
        }
        self.settle(now);
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
