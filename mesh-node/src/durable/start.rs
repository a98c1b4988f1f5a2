//! Puts the plane together, on the first data thread.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::Arc,
};

use actix::{Addr, AsyncContext, Context, Message};
use bytes::Bytes;
use mesh_log::{
    directory::DataDir,
    id::GroupId,
    keeper,
    lanes::Lanes,
    log,
    writer::{self, Writer},
};
use mesh_replica::{
    clock::Now,
    host::{GroupStart, Host},
    members::Members,
    options::HostOptions,
};
use mesh_shard::{ShardMachine, bootstrap::Plan};
use tokio::sync::Notify;

use super::{
    Durable, Error, Plane,
    clock::Clock,
    disk::Disk,
    open::{self, Opened},
    shell::{FromKeeper, FromWriter},
    steward::Steward,
};
use crate::{seats::Seat, shared::Shared};

/// What is in a data directory is open: run it.
#[derive(Message)]
#[rtype(result = "Result<Addr<Durable>, Error>")]
pub(crate) struct StartDurable(pub(crate) Box<Opened>);

/// Opens a data directory and runs what is in it on the first data thread.
///
/// # Errors
/// See [`Error`].
pub(crate) async fn open(
    shared: &Arc<Shared>,
    directory: DataDir,
    seats: &[Seat],
) -> Result<Addr<Durable>, Error> {
    let opened = open::open(shared, directory)?;
    let first = seats.first().ok_or(Error::Ended)?;
    first.thread.send(StartDurable(Box::new(opened))).await.map_err(|_| Error::Ended)?
}

/// The actor, and what those call who live on its thread.
pub(crate) fn start(
    shared: &Arc<Shared>,
    opened: Opened,
) -> Result<(Addr<Durable>, Rc<RefCell<Plane>>), Error> {
    let clock = Clock::start();
    let now = clock.now();
    let context = Context::<Durable>::new();
    let Opened { directory, log, keeper, lanes, checkpoints, recovered, damaged, number, plan, about, bugs } =
        opened;
    let address = context.address();
    let writer =
        Writer::spawn(log, writer::Options::default(), move |event| address.do_send(FromWriter(event)))?;
    let address = context.address();
    let keeper = keeper::spawn(keeper, keeper::ShellOptions::default(), move |event| {
        address.do_send(FromKeeper(event))
    })?;
    let steward = Steward::new(directory, about, plan);
    // A founder has no groups before all founders have agreed.
    let host = number.filter(|_| !steward.founds()).map(|own| {
        let found = Found { checkpoints, recovered, damaged, plan: steward.plan.as_ref() };
        groups(now, HostOptions { bugs, ..HostOptions::new(own, shared.seed) }, lanes, found)
    });
    let rearm = Rc::new(Notify::new());
    let disk = Disk::new(writer, keeper);
    let mut plane =
        Plane::new(Arc::clone(shared), clock, host.transpose()?, disk, steward, bugs, Rc::clone(&rearm));
    plane.begin();
    let plane = Rc::new(RefCell::new(plane));
    let address = context.run(Durable::new(Rc::clone(&plane), rearm));
    Ok((address, plane))
}

/// What is there of groups.
struct Found<'a> {
    checkpoints: BTreeMap<GroupId, Bytes>,
    recovered: log::Recovered,
    damaged: Vec<GroupId>,
    plan: Option<&'a Plan>,
}

/// A host with the groups that a new cluster begins with.
pub(super) fn founder(now: Now, options: HostOptions, plan: &Plan) -> Result<Host<ShardMachine>, Error> {
    let mut host = Host::new(options);
    for (group, members) in plan.own_groups().cloned() {
        let (machine, members) = (ShardMachine::new(group), Some(members));
        host.open_group(now, GroupStart { group, machine, members, checkpoint: None, recovered: None })?;
    }
    Ok(host)
}

/// A host with all groups that were here before, and those that a new cluster begins with.
fn groups(
    now: Now,
    options: HostOptions,
    mut lanes: Lanes,
    found: Found<'_>,
) -> Result<Host<ShardMachine>, Error> {
    let mut host = Host::new(options);
    let Found { mut checkpoints, recovered, damaged, plan } = found;
    let mut members: BTreeMap<GroupId, Members> =
        plan.iter().flat_map(|plan| plan.own_groups()).cloned().collect();
    let log::Recovered { mut groups, sealed, damage, .. } = recovered;
    // Where it can't be said who has lost something, that may be all of what was said of a group.
    let is_blind = damage.iter().any(|damage| damage.groups.is_none());
    let doubted = checkpoints.keys().chain(members.keys()).copied().filter(|_| is_blind);
    for group in damaged.into_iter().chain(doubted.collect::<Vec<_>>()) {
        groups.entry(group).or_default().suspect = true;
    }
    // Whoever has a number has the meta group, also when it ended before that was on its disk: everything else follows from it.
    let all = checkpoints.keys().chain(groups.keys()).chain(members.keys()).chain(&[GroupId::META]);
    let all: BTreeSet<GroupId> = all.copied().collect();
    // What is left of groups that have no replica here any more is not wanted.
    let is_here =
        |group: &GroupId| all.contains(group) && !groups.get(group).is_some_and(|found| found.removed);
    let gone: Vec<_> = lanes.groups().filter(|group| !is_here(group)).collect();
    gone.into_iter().for_each(|group| lanes.forget(group));
    host.set_lanes(lanes);
    for group in all {
        let (checkpoint, recovered) = (checkpoints.remove(&group), groups.remove(&group));
        if let Some(removed) = recovered.as_ref().filter(|found| found.removed) {
            host.note_removed(group, removed);
            continue;
        }
        let is_new = checkpoint.is_none() && recovered.is_none();
        let (members, machine) = (members.remove(&group).filter(|_| is_new), ShardMachine::new(group));
        host.open_group(now, GroupStart { group, machine, members, checkpoint, recovered })?;
    }
    host.handle_sealed(now, &sealed);
    Ok(host)
}

#[cfg(test)]
mod tests {
    use mesh_replica::id::NodeNumber;

    use super::*;

    #[test]
    fn a_node_that_ended_right_after_it_joined_has_the_meta_group() {
        let found = Found {
            checkpoints: BTreeMap::new(),
            recovered: log::Recovered::default(),
            damaged: Vec::new(),
            plan: None,
        };
        let options = HostOptions::new(NodeNumber(4), 1);
        let host = groups(Now::default(), options, Lanes::default(), found).unwrap();
        assert_eq!(host.groups().collect::<Vec<_>>(), [GroupId::META]);
        assert_eq!(host.group(GroupId::META).unwrap().members, Members::default());
    }
}
