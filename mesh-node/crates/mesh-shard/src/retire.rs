//! What is declared no more frees its records: found by the node that leads the group, and said to the group.
//!
//! ```text
//!   lanes with records, and not declared ─► Forget{first, last}: as wide as nothing between is declared for the group
//! ```
//! A lane is never used again, so one that was given out before what is known here and is not declared here is declared no
//! more, however old that knowledge is. One that is not known here yet is left alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use mesh_core::{
    meta::{LaneId, Meta},
    register::{Command, Registers},
};
use mesh_log::id::GroupId;

use crate::{convert, reconcile::AGAIN};

/// Most commands that are made of one look at a group.
pub const AT_ONCE_MAX: usize = 64;

/// What to forget, as far as it was not looked at before.
#[derive(Debug, Default)]
pub struct Retire {
    groups: BTreeMap<GroupId, Looked>,
}

/// What a group was like when it was looked at last.
#[derive(Debug)]
struct Looked {
    term: u64,
    lanes: usize,
    declarations: usize,
    next: LaneId,
    /// Something was to be done: when it is looked for again.
    again: Option<Duration>,
}

impl Retire {
    /// What a group that is led here in this term is to forget; each again after a while if nothing came of it.
    pub fn handle(
        &mut self,
        now: Duration,
        meta: &Meta,
        (group, term): (GroupId, u64),
        registers: &Registers,
    ) -> Vec<Command> {
        let (lanes, declarations) = (registers.views().count(), meta.declarations().len());
        let next = meta.next_lane();
        if self.groups.get(&group).is_some_and(|looked| {
            let is_same = (looked.term, looked.lanes, looked.declarations, looked.next)
                == (term, lanes, declarations, next);
            is_same && looked.again.is_none_or(|again| now < again)
        }) {
            return Vec::new();
        }
        let commands = undeclared(meta, group, registers);
        let again = (!commands.is_empty()).then_some(now + AGAIN);
        self.groups.insert(group, Looked { term, lanes, declarations, next, again });
        commands
    }
}

fn undeclared(meta: &Meta, group: GroupId, registers: &Registers) -> Vec<Command> {
    let of_group = meta.declarations().filter(|found| convert::group(found.group) == group);
    let declared: BTreeSet<LaneId> = of_group.map(|found| found.lane).collect();
    let mut commands = Vec::new();
    let mut done = LaneId(0);
    for (lane, _) in registers.views() {
        if lane <= done || lane >= meta.next_lane() || declared.contains(&lane) {
            continue;
        }
        let before = declared.range(..lane).next_back().map_or(0, |lane| lane.0);
        let behind = declared.range(lane..).next().copied().unwrap_or(meta.next_lane());
        let (first, last) = (LaneId(before + 1), LaneId(behind.0 - 1));
        commands.push(Command::Forget { first, last });
        if commands.len() >= AT_ONCE_MAX {
            break;
        }
        done = last;
    }
    commands
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use mesh_core::{
        meta::{Command as MetaCommand, Fields, Kind},
        register::Reply,
    };
    use mesh_replica::machine::{At, Machine as _, Trim};
    use mesh_wire::{
        batch::{BatchBuilder, Producer, Record},
        name::Name,
    };

    use super::*;
    use crate::{ShardMachine, bootstrap};

    const GROUP: GroupId = GroupId(1);

    /// A cluster with one shard and so many registers: `0`, `1`, …, lanes 1, 2, ….
    fn cluster(registers: u64) -> Meta {
        let options = bootstrap::Options { shards: 1, replicas: 1 };
        let plan = bootstrap::standalone(name("a"), options).unwrap();
        let mut meta = Meta::new();
        meta.apply(0, plan.found(mesh_core::meta::Uuid([7; 16]), Vec::new()));
        for number in 0..registers {
            declare(&mut meta, number);
        }
        meta
    }

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn declare(meta: &mut Meta, number: u64) {
        let (kind, name) = (Kind::REGISTER, name(&number.to_string()));
        meta.apply(1, MetaCommand::Declare { kind, name, options: Fields::new() });
    }

    fn undeclare(meta: &mut Meta, number: u64) {
        meta.apply(1, MetaCommand::Undeclare { kind: Kind::REGISTER, name: name(&number.to_string()) });
    }

    fn put(machine: &mut ShardMachine, lane: u64) -> (Reply, Vec<Trim>) {
        let mut batch = BatchBuilder::new(Producer { id: 5, epoch: 0, base_sequence: 0 });
        batch.push(&Record { value: Some(b"x"), ..Record::default() }).unwrap();
        let batch = Bytes::from(batch.build().unwrap().to_vec());
        say(machine, &Command::Append { lane: LaneId(lane), batch })
    }

    fn say(machine: &mut ShardMachine, command: &Command) -> (Reply, Vec<Trim>) {
        let at = At { group: GROUP, index: 1, term: 1, time_ms: 7 };
        let outcome = machine.apply(at, &command.encode());
        (Reply::decode(&outcome.reply).unwrap(), outcome.trim)
    }

    fn forget(first: u64, last: u64) -> Command {
        Command::Forget { first: LaneId(first), last: LaneId(last) }
    }

    #[test]
    fn what_is_undeclared_frees_its_records_for_good() {
        let mut meta = cluster(6);
        let mut machine = ShardMachine::new(GROUP);
        for lane in 1..=6 {
            put(&mut machine, lane);
        }
        let mut retire = Retire::default();
        let mut look = |now, meta: &Meta, machine: &ShardMachine| {
            retire.handle(Duration::from_secs(now), meta, (GROUP, 1), machine.registers().unwrap())
        };
        assert_eq!(look(0, &meta, &machine), []);
        for number in [1, 2, 5] {
            undeclare(&mut meta, number);
        }
        let found = look(0, &meta, &machine);
        assert_eq!(found, [forget(2, 3), forget(6, 6)]);
        assert_eq!(look(1, &meta, &machine), [], "it is under way");
        assert_eq!(look(4, &meta, &machine), found, "nothing came of it");
        let trim = |lane| Trim { lane: mesh_log::id::LaneId(lane), below: 2 };
        assert_eq!(say(&mut machine, &found[0]), (Reply::Forgotten, vec![trim(2), trim(3)]));
        assert_eq!(say(&mut machine, &found[1]), (Reply::Forgotten, vec![trim(6)]));
        let lanes =
            |machine: &ShardMachine| machine.wanted().iter().map(|found| found.lane.0).collect::<Vec<_>>();
        assert_eq!(lanes(&machine), [1, 4, 5]);
        assert_eq!(look(5, &meta, &machine), []);
        // What comes late does not bring it back, also after a restart.
        let mut again = ShardMachine::new(GROUP);
        again.restore(&machine.state()).unwrap();
        assert_eq!(again, machine);
        for lane in [2, 3, 6] {
            assert_eq!(put(&mut again, lane).0, Reply::Refused(mesh_core::register::Refusal::Undeclared));
        }
        assert!(
            matches!(put(&mut again, 1).0, Reply::Appended { duplicate: true, .. }),
            "others are as they were"
        );
    }

    #[test]
    fn what_is_not_known_here_yet_is_left_alone() {
        let (mut meta, mut machine) = (cluster(2), ShardMachine::new(GROUP));
        put(&mut machine, 3);
        let mut retire = Retire::default();
        let mut look = |meta: &Meta, machine: &ShardMachine, term| {
            retire.handle(Duration::ZERO, meta, (GROUP, term), machine.registers().unwrap())
        };
        assert_eq!(look(&meta, &machine, 1), []);
        declare(&mut meta, 2);
        assert_eq!(look(&meta, &machine, 1), [], "it is declared");
        undeclare(&mut meta, 2);
        assert_eq!(look(&meta, &machine, 1), [forget(3, 3)]);
        assert_eq!(look(&meta, &machine, 2), [forget(3, 3)], "in another term it is asked for again");
        // The same name has another lane.
        declare(&mut meta, 2);
        put(&mut machine, 4);
        assert_eq!(look(&meta, &machine, 2), [forget(3, 3)]);
    }

    #[test]
    fn only_so_many_at_once() {
        let count = 2 * AT_ONCE_MAX as u64 + 2;
        let (mut meta, mut machine) = (cluster(count), ShardMachine::new(GROUP));
        for lane in 1..=count {
            put(&mut machine, lane);
        }
        (0..count).step_by(2).for_each(|number| undeclare(&mut meta, number));
        let mut retire = Retire::default();
        let mut sizes = Vec::new();
        loop {
            let found = retire.handle(Duration::ZERO, &meta, (GROUP, 1), machine.registers().unwrap());
            if found.is_empty() {
                break;
            }
            sizes.push(found.len());
            found.iter().for_each(|command| drop(say(&mut machine, command)));
        }
        assert_eq!(sizes, [AT_ONCE_MAX, 1]);
    }
}
