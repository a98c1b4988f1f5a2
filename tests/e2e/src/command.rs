//! `mesh` against a node, to its end or while it runs.

use crate::{Finished, Process, RunningNode, mesh};

impl RunningNode {
    /// Starts `mesh` with these arguments.
    ///
    /// # Panics
    /// When it can't be started.
    pub fn start_mesh(&self, arguments: &[&str]) -> Process {
        Process::start(mesh(self).args(arguments))
    }

    /// Runs `mesh` with these arguments to its end.
    ///
    /// # Panics
    /// When it does not end.
    pub fn mesh(&self, arguments: &[&str]) -> Finished {
        self.start_mesh(arguments).finish()
    }
}
