//! The thread that makes files ready, so that the one that writes need not.

use std::{
    io,
    sync::mpsc::{Receiver, Sender, channel},
    thread,
};

use crate::log::{Work, Worked};

/// The thread that makes files ready. It ends with this.
#[derive(Debug)]
pub(super) struct Files {
    work: Sender<Work>,
    worked: Receiver<Worked>,
}

impl Files {
    pub(super) fn start() -> io::Result<Self> {
        let (work, to_do) = channel::<Work>();
        let (done, worked) = channel();
        thread::Builder::new().name("mesh-log-files".to_owned()).spawn(move || {
            // At most one is under way: the log gives the next one out when it has the last one back.
            while let Ok(work) = to_do.recv() {
                if done.send(work.run()).is_err() {
                    break;
                }
            }
        })?;
        Ok(Self { work, worked })
    }

    pub(super) fn begin(&self, work: Work) {
        // It ends only after us.
        self.work.send(work).ok();
    }

    /// What is done, if anything is.
    pub(super) fn poll(&self) -> Option<Worked> {
        self.worked.try_recv().ok()
    }

    /// Waits for what is under way.
    pub(super) fn wait(&self) -> Option<Worked> {
        self.worked.recv().ok()
    }
}
