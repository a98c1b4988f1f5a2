//! What operators ask and change.

use bytes::Bytes;
use mesh_core::meta::{self, Command};
use mesh_log::id::GroupId;
use mesh_replica::id::NodeNumber;
use mesh_wire::code::Code;
use tokio::sync::oneshot;

use super::{
    super::{
        answer::Refusal,
        leads::Lead,
        routes,
        view::{self, GroupInfo},
        waiting::{Asker, Request, What},
    },
    Plane,
};
use crate::durable::Change;

impl Plane {
    /// The groups that this node has a replica of.
    pub(in crate::durable) fn list(&self) -> Vec<GroupInfo> {
        let Some(host) = &self.host else { return Vec::new() };
        let meta = routes::meta(Some(host));
        let founders = self.steward.plan.as_ref().map_or(&[][..], |plan| &plan.nodes);
        let name = |node| view::name_of(meta, founders, node);
        host.groups().filter_map(|group| Some(view::describe(group, &host.group(group)?, name))).collect()
    }

    /// Changes something for an operator; the answer comes when it is through.
    pub(in crate::durable) fn change(
        &mut self,
        change: &Change,
    ) -> Result<oneshot::Receiver<Result<Bytes, Refusal>>, Refusal> {
        let now = self.clock.now();
        let (id, answer) = self.operators.begin();
        let command = match change {
            Change::Transfer { group, node } => {
                self.transfer(*group, node)?;
                self.operators.end(id, Ok(meta::Reply::Done.encode()));
                self.settle(now);
                return Ok(answer);
            }
            Change::Replicas(replicas) => Command::SetReplicas { replicas: *replicas },
            Change::Remove { node } => Command::Leave { node: meta::NodeNumber(self.numbered(node)?.0) },
        };
        let request = Request { asker: Asker::Operator, id, what: What::Meta };
        let asked = self.propose(now, GroupId::META, request, command.encode(), 0);
        self.settle(now);
        asked.map(|()| answer)
    }

    fn transfer(&mut self, group: u32, node: &str) -> Result<(), Refusal> {
        let (now, group, to) = (self.clock.now(), GroupId(group), self.numbered(node)?);
        match (self.lead(group), &mut self.host) {
            (Lead::Here, Some(host)) => {
                let is_voter = host.group(group).is_some_and(|view| view.members.voters.contains(&to));
                if !is_voter {
                    let why = format!("`{node}` is no voter of group {group}");
                    return Err(Refusal::new(Code::MetaCommandInvalid, why));
                }
                host.transfer(now, group, to);
                Ok(())
            }
            (Lead::There(leader), _) => {
                let why = format!("group {group} is led by {}: ask that node", self.name_of(leader));
                Err(Refusal::new(Code::NoLeader, why))
            }
            _ => Err(Refusal::of(Code::NoLeader)),
        }
    }

    fn name_of(&self, node: NodeNumber) -> String {
        let founders = self.steward.plan.as_ref().map_or(&[][..], |plan| &plan.nodes);
        view::name_of(routes::meta(self.host.as_ref()), founders, node)
    }

    /// The node of this name or number.
    fn numbered(&self, node: &str) -> Result<NodeNumber, Refusal> {
        let meta = routes::meta(self.host.as_ref()).ok_or_else(|| Refusal::of(Code::ClusterNotFounded))?;
        let by_number = || meta.node(meta::NodeNumber(node.trim_start_matches('#').parse().ok()?));
        let found = meta.node_named(node).or_else(by_number);
        let unknown = || Refusal::new(Code::NodeNumberUnknown, format!("the cluster has no node `{node}`"));
        found.map(|node| NodeNumber(node.number.0)).ok_or_else(unknown)
    }

    /// Hands the leads of groups over to other nodes, where there are others that can be reached.
    pub(in crate::durable) fn hand_over(&mut self) {
        let now = self.clock.now();
        if let Some(host) = &mut self.host {
            host.step_down_all(now);
        }
        self.settle(now);
    }

    /// How many groups with other members this node leads.
    pub(in crate::durable) fn leads_others(&self) -> usize {
        let Some(host) = &self.host else { return 0 };
        let views = host.groups().filter_map(|group| host.group(group));
        let led = views.filter(|view| view.role == mesh_replica::view::Role::Leader);
        led.filter(|view| view.members.voters.iter().any(|node| self.nodes.is_up(*node))).count()
    }
}
