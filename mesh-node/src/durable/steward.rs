//! What the node keeps for its cluster: who it is, and what it does by itself.

use std::time::Duration;

use mesh_core::meta;
use mesh_log::directory::{DataDir, Uuid};
use mesh_replica::id::NodeNumber;
use mesh_shard::{
    bootstrap::Plan,
    convert,
    founding::{Founder, Waits},
    reconcile::{Options, Reconciler},
};

/// How often a node without a number asks for one, and a founder looks for the others.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// How often a founder says whom it waits for.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// What it knows.
#[derive(Debug)]
pub(super) struct Steward {
    pub(super) directory: DataDir,
    /// What this node tells of itself.
    pub(super) about: meta::Join,
    /// What is to be done next; none before the node has a number.
    pub(super) reconciler: Option<Reconciler>,
    /// How the cluster begins, on one of its first nodes.
    pub(super) plan: Option<Plan>,
    /// When a number is asked for again.
    ask: Duration,
    /// Whom the founders wait for, as it was said last, and when it is said again.
    said: (Waits, Duration),
}

impl Steward {
    /// `plan` is how the cluster begins, on one of its first nodes.
    pub(super) fn new(directory: DataDir, about: meta::Join, plan: Option<Plan>) -> Self {
        let number = directory.number().map(NodeNumber);
        let said = (Waits::default(), Duration::ZERO);
        let mut this = Self { directory, about, reconciler: None, plan, ask: Duration::ZERO, said };
        if let Some(own) = number.filter(|_| !this.founds()) {
            this.begin(own);
        }
        this
    }

    /// Whether the node is one of several that are to begin a cluster, and have not all agreed yet.
    pub(super) fn founds(&self) -> bool {
        let begun = self.directory.founders().is_some_and(|founders| founders.begun);
        self.plan.is_some() && self.directory.number().is_some() && !begun
    }

    /// The node as a founder.
    pub(super) fn founder(&self) -> Option<Founder<'_>> {
        let (plan, directory) = (self.plan.as_ref()?, &self.directory);
        let (count, written) = (plan.nodes.len(), directory.founders());
        Some(Founder { own: plan.own, directory: directory.uuid(), count, written })
    }

    /// The directories of the founders, once they have agreed.
    pub(super) fn founders(&self) -> &[Uuid] {
        self.directory.founders().map_or(&[], |founders| &founders.directories)
    }

    /// Whether to say now whom this founder waits for.
    pub(super) fn says(&mut self, now: Duration, waits: &Waits) -> bool {
        let says = self.said.0 != *waits || now >= self.said.1;
        if says {
            self.said = (waits.clone(), now + SAY_EVERY);
        }
        says
    }

    /// The node has a number.
    pub(super) fn begin(&mut self, own: NodeNumber) {
        // Without random bytes the cluster has no name; another first node will have one.
        let cluster = Uuid::random().ok();
        let directories = self.founders().iter().copied().map(convert::core_uuid).collect();
        let found = self.plan.as_ref().and_then(|plan| Some(plan.found(core_uuid(cluster?), directories)));
        self.reconciler = Some(Reconciler::new(Options { own, about: self.about.clone(), found }));
    }

    /// The node has none any more, and is to join a cluster that is there.
    ///
    /// # Errors
    /// When that can't be written down.
    pub(super) fn resign(&mut self) -> Result<(), mesh_log::directory::Error> {
        self.directory.forget_number()?;
        (self.plan, self.reconciler) = (None, None);
        Ok(())
    }

    /// When it has something to do.
    pub(super) fn poll_timeout(&self) -> Duration {
        self.reconciler.as_ref().map_or(self.ask, Reconciler::poll_timeout)
    }

    /// Whether to ask for a number now.
    pub(super) fn asks(&mut self, now: Duration) -> bool {
        let looks = self.reconciler.is_none() && now >= self.ask;
        if looks {
            self.ask = now + ASK_EVERY;
        }
        looks && self.directory.number().is_none()
    }
}

/// The same UUID on both sides.
pub(super) fn core_uuid(uuid: Uuid) -> meta::Uuid {
    meta::Uuid(uuid.0.to_be_bytes())
}

/// The same UUID on both sides.
pub(super) fn log_uuid(uuid: meta::Uuid) -> Uuid {
    Uuid(u128::from_be_bytes(uuid.0))
}
