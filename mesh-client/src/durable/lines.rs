//! All producers of a client.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use mesh_wire::code::Code;
use parking_lot::Mutex;

use super::line::Line;
use crate::error::Error;

/// Producers by their number.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    by_number: HashMap<u32, Arc<Line>, RandomState>,
    last: u32,
}

impl Lines {
    /// Adds one, made for a number that no other has.
    pub(crate) fn add(&mut self, make: impl FnOnce(u32) -> Line) -> Arc<Line> {
        loop {
            self.last = self.last.wrapping_add(1);
            if !self.by_number.contains_key(&self.last) {
                break;
            }
        }
        let line = Arc::new(make(self.last));
        self.by_number.insert(self.last, Arc::clone(&line));
        line
    }

    pub(crate) fn get(&self, number: u32) -> Option<Arc<Line>> {
        self.by_number.get(&number).cloned()
    }

    pub(crate) fn remove(&mut self, number: u32) {
        self.by_number.remove(&number);
    }

    fn all(&self) -> Vec<Arc<Line>> {
        self.by_number.values().cloned().collect()
    }
}

/// The link is gone, or (`closed`) there is none ever again.
pub(crate) fn handle_link(lines: &Mutex<Lines>, closed: bool) {
    let all = lines.lock().all();
    for line in all {
        match closed {
            true => line.handle_closed(&Error::of(Code::ClientClosed)),
            false => line.handle_lost(),
        }
    }
}

/// Whether the link owes none of them an answer.
pub(crate) fn are_quiet(lines: &Mutex<Lines>) -> bool {
    let all = lines.lock().all();
    all.iter().all(|line| line.is_quiet())
}
