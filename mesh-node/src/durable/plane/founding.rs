//! The beginning of a cluster: the shell of [`Founder`](mesh_shard::founding::Founder).

use std::collections::BTreeMap;

use mesh_log::directory::Founders;
use mesh_replica::{clock::Now, id::NodeNumber, options::HostOptions};
use mesh_shard::founding::{Heard, Next, Waits};
use mesh_wire::code::Code;

use super::{super::start, Plane, fatal};

impl Plane {
    /// Goes on with the beginning of the cluster, as far as what is heard of the other founders allows.
    pub(super) fn found(&mut self, now: Now) {
        while self.steward.founds() {
            let heard = self.heard();
            let Some(founder) = self.steward.founder() else { return };
            match founder.next(&heard) {
                Next::Write(founders) => self.agree(now, founders),
                Next::Resign => self.begin_anew(Code::NodeNumberTaken),
                Next::Wait(waits) => return self.tell_waits(now, &waits),
                Next::Nothing => return,
            }
        }
    }

    /// What the other founders say, each by its newest link.
    fn heard(&self) -> BTreeMap<NodeNumber, Heard> {
        let Some(plan) = &self.steward.plan else { return BTreeMap::new() };
        let named = |number: NodeNumber| plan.nodes.get(usize::try_from(number.0).ok()?.checked_sub(1)?);
        let said = self.nodes.links().filter_map(|(_, link)| {
            let (name, ident) = link.said.as_ref()?;
            let number = ident.number.filter(|number| named(*number) == Some(name))?;
            Some((number, Heard { directory: ident.directory, founders: ident.founders.clone() }))
        });
        said.collect()
    }

    fn agree(&mut self, now: Now, founders: Founders) {
        let begun = founders.begun;
        if let Err(error) = self.steward.directory.set_founders(founders) {
            fatal::end(error.code(), &error.to_string());
        }
        if begun {
            tracing::info!("all founders have agreed: the cluster begins");
            self.take_part(now);
        }
        self.say_again();
    }

    /// The cluster has begun: this node has its groups from now on.
    fn take_part(&mut self, now: Now) {
        let Some(plan) = &self.steward.plan else { return };
        let own = plan.own;
        let options = HostOptions { bugs: self.bugs, ..HostOptions::new(own, self.shared.seed) };
        let mut host = match start::founder(now, options, plan) {
            Ok(host) => host,
            Err(error) => fatal::end(error.code(), &error.to_string()),
        };
        for node in self.nodes.reached() {
            host.handle_peer(now, node, true);
        }
        self.changed.extend(host.groups());
        self.host = Some(host);
        self.steward.begin(own);
    }

    fn tell_waits(&mut self, now: Now, waits: &Waits) {
        if !self.steward.says(now.monotonic, waits) {
            return;
        }
        let code = Code::ClusterNotFounded;
        let names = |nodes: &[NodeNumber]| {
            let names: Vec<String> = nodes.iter().map(|node| self.founder_name(*node)).collect();
            names.join(", ")
        };
        if !waits.missing.is_empty() {
            let missing = names(&waits.missing);
            tracing::error!(%code, missing, "the cluster does not begin before all of `--bootstrap` are there");
        }
        if !waits.differing.is_empty() {
            let differing = names(&waits.differing);
            tracing::error!(
                %code,
                differing,
                "the cluster can't begin: these have another list of founders, or came back with an empty data \
                 directory while it began. Nothing was kept yet: remove the data directories of all founders, give all \
                 the same `--bootstrap`, and start them again"
            );
        }
    }

    fn founder_name(&self, node: NodeNumber) -> String {
        let founders = self.steward.plan.as_ref().map_or(&[][..], |plan| &plan.nodes);
        super::super::view::name_of(None, founders, node)
    }
}
