//! What the node does by itself for its cluster: the shell of [`Reconciler`](mesh_shard::reconcile::Reconciler).

use mesh_core::{meta, peering::LinkNumber};
use mesh_log::{directory::Uuid, id::GroupId};
use mesh_replica::{
    clock::Now,
    host::{GroupStart, Host},
    id::NodeNumber,
    options::HostOptions,
    view::Role,
};
use mesh_shard::{ShardMachine, join, reconcile::Step};
use mesh_wire::code::Code;

use super::{
    super::{
        open, routes, steward,
        waiting::{Asker, Request, What},
    },
    Plane, fatal,
};

impl Plane {
    /// Does what is due for the cluster. Returns whether the host was given something to do.
    pub(super) fn tend(&mut self, now: Now) -> bool {
        if self.steward.asks(now.monotonic) {
            let links: Vec<LinkNumber> = self.nodes.links().map(|(link, _)| link).collect();
            links.into_iter().for_each(|link| self.ask_for_number(link));
        }
        self.found(now);
        self.learn_cluster();
        self.seen.look(now.monotonic, self.host.as_mut());
        let Some(meta) = routes::meta(self.host.as_ref()) else { return false };
        let Some(reconciler) = &mut self.steward.reconciler else { return false };
        if !self.seen.has_changed_since(&mut self.tended) && reconciler.passes(now.monotonic) {
            return false;
        }
        let steps = reconciler.handle(now.monotonic, meta, self.seen.views());
        let is_busy = !steps.is_empty();
        steps.into_iter().for_each(|step| self.step(now, step));
        self.retire(now) || is_busy
    }

    /// Has the groups that are led here forget what is declared no more. Whether there was anything.
    fn retire(&mut self, now: Now) -> bool {
        let (Some(host), Some(meta)) = (&self.host, routes::meta(self.host.as_ref())) else { return false };
        let led = self.seen.views().iter().filter(|(_, view)| view.role == Role::Leader);
        let mut forget = Vec::new();
        for (group, view) in led {
            let Some(registers) = host.machine(*group).and_then(ShardMachine::registers) else { continue };
            let commands = self.retire.handle(now.monotonic, meta, (*group, view.term), registers);
            forget.extend(commands.into_iter().map(|command| (*group, command)));
        }
        let is_busy = !forget.is_empty();
        for (group, command) in forget {
            tracing::info!(%group, ?command, "what is declared no more is forgotten");
            let request = Request { asker: Asker::Own, id: 0, what: What::Forget };
            if let Err(refusal) = self.propose(now, group, request, command.encode(), 0) {
                tracing::debug!(code = %refusal.code, cause = refusal.cause, "a group can't be told yet");
            }
        }
        is_busy
    }

    fn step(&mut self, now: Now, step: Step) {
        tracing::debug!(?step, "for the cluster");
        match step {
            Step::Propose(command) => {
                let request = Request { asker: Asker::Own, id: 0, what: What::Meta };
                if let Err(refusal) = self.propose(now, GroupId::META, request, command.encode(), 0) {
                    tracing::debug!(code = %refusal.code, cause = refusal.cause, "the cluster can't be told yet");
                }
            }
            Step::SetMembers { group, target } => {
                let request = Request { asker: Asker::Own, id: 0, what: What::Members };
                if let (Some(token), Some(host)) = (self.requests.begin(request), &mut self.host) {
                    tracing::info!(%group, ?target, "a group is to have other members");
                    host.set_members(now, group, token, target);
                }
            }
            Step::Transfer { group, to } => {
                if let Some(host) = &mut self.host {
                    tracing::info!(%group, %to, "another node is to lead a group");
                    host.transfer(now, group, to);
                }
            }
            Step::Open(group) => self.open(now, group),
            Step::Close(group) => {
                if let Some(host) = &mut self.host {
                    tracing::info!(%group, "a replica is given up here");
                    host.remove_group(now, group);
                    self.changed.insert(group);
                }
            }
        }
    }

    /// Writes down which cluster this is, as soon as that is known.
    fn learn_cluster(&mut self) {
        if self.steward.directory.cluster().is_some() {
            return;
        }
        let Some(cluster) = routes::meta(self.host.as_ref()).and_then(meta::Meta::cluster) else { return };
        self.write_down(steward::log_uuid(cluster), None);
        tracing::info!(%cluster, "the cluster is known");
        self.say_again();
    }

    fn write_down(&mut self, cluster: Uuid, number: Option<NodeNumber>) {
        let directory = &mut self.steward.directory;
        let number = number.map_or(Ok(()), |number| directory.set_number(number.0));
        if let Err(error) = number.and_then(|()| directory.set_cluster(cluster)) {
            fatal::end(error.code(), &error.to_string());
        }
    }

    fn open(&mut self, now: Now, group: GroupId) {
        let Some(host) = &mut self.host else { return };
        let machine = ShardMachine::new(group);
        let start = GroupStart { group, machine, members: None, checkpoint: None, recovered: None };
        match host.open_group(now, start) {
            Ok(()) => tracing::info!(%group, "a replica begins here"),
            Err(error) => tracing::error!(%group, %error, "a replica can't begin"),
        }
        self.changed.insert(group);
    }

    /// Asks the other side of a link for a number in its cluster.
    pub(super) fn ask_for_number(&mut self, link: LinkNumber) {
        self.nodes.join(link, &join::ask(self.steward.about.clone()));
    }

    /// A peer does not take this node for who it says it is.
    pub(super) fn refused_as_member(&mut self, code: Code) {
        match join::refused(&open::about(&self.steward.directory), code) {
            Some(join::Refused::BeginAnew) if self.steward.founds() => self.begin_anew(code),
            Some(join::Refused::Stop) => {
                tracing::error!(%code, "the cluster does not know this directory: it takes no part in it");
            }
            _ => {}
        }
    }

    /// This node was to begin a cluster which is there already, with somebody else under its number: it forgets that, and
    /// joins.
    pub(super) fn begin_anew(&mut self, code: Code) {
        tracing::warn!(%code, "the cluster knows another directory under this node's number: it asks for a new one");
        if let Err(error) = self.steward.resign() {
            fatal::end(error.code(), &error.to_string());
        }
        self.say_again();
    }

    /// This node has a number from now on.
    pub(super) fn joined(&mut self, now: Now, cluster: Uuid, number: NodeNumber) {
        if self.host.is_some() {
            return;
        }
        tracing::info!(%cluster, node = %number, "joined the cluster");
        self.write_down(cluster, Some(number));
        self.steward.begin(number);
        let mut host =
            Host::new(HostOptions { bugs: self.bugs, ..HostOptions::new(number, self.shared.seed) });
        for node in self.nodes.reached() {
            host.handle_peer(now, node, true);
        }
        // It was not there to hear it.
        host.handle_full(now, self.disk.is_full());
        self.host = Some(host);
        self.open(now, GroupId::META);
        self.say_again();
    }
}
