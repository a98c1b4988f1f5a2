//! One node by itself on a real directory: log, keeper, host and machines together.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use mesh_core::{
    meta::{self, Command, Fields, Kind, Reply, Uuid},
    register,
};
use mesh_log::{
    id::{GroupId, LaneId},
    keeper::{self, Keeper},
    log::{self, Log},
    vfs::real::Real,
};
use mesh_replica::{
    clock::Now,
    host::{GroupStart, Host},
    id::{NodeNumber, Token},
    options::HostOptions,
    output::Output,
    refused::Refused,
};
use mesh_shard::{
    ShardMachine, bootstrap,
    reconcile::{Options, Reconciler, Step, Views},
};
use mesh_wire::{
    batch::{BatchBuilder, BatchRef, Producer, Record},
    name::Name,
};

const OWN: NodeNumber = NodeNumber(1);
const CLUSTER: Uuid = Uuid([0xcc; 16]);
/// More than a group needs for anything here.
const TURNS: usize = 10_000;

struct Node {
    host: Host<ShardMachine>,
    log: Log,
    keeper: Keeper,
    reconciler: Reconciler,
    now: Duration,
    tokens: u64,
    outcomes: BTreeMap<Token, Outcome>,
}

#[derive(Debug, Clone, PartialEq)]
enum Outcome {
    Applied(Bytes),
    Readable,
    Fetched(Vec<(u64, u32, Bytes)>),
    Refused(Refused),
}

fn about() -> meta::Join {
    meta::Join {
        name: Name::new("a").unwrap(),
        directory: Uuid([1; 16]),
        incarnation: 1,
        role: meta::Role::CORE,
        zone: None,
        level: meta::LEVEL,
        rest: Fields::new(),
    }
}

impl Node {
    fn open(dir: &Path) -> Self {
        let vfs = Arc::new(Real);
        let (keeper, restored) = Keeper::open(vfs.clone(), dir, keeper::Options::default()).unwrap();
        let options = log::Options {
            file_bytes: log::Options::FILE_BYTES_MIN,
            kept: restored.kept.clone(),
            ..log::Options::new(7)
        };
        let (log, mut recovered) = Log::open(vfs, &dir.join("log"), options).unwrap();
        assert!(restored.damage.is_empty() && recovered.damage.is_empty(), "{:?}", recovered.damage);
        let options = bootstrap::Options { shards: 2, replicas: 3 };
        let plan = bootstrap::standalone(Name::new("a").unwrap(), options).unwrap();
        let mut host = Host::new(HostOptions::new(OWN, 1));
        host.set_lanes(restored.lanes);
        let mut checkpoints = restored.checkpoints;
        let now = Now::new(Duration::from_secs(1), 1_000_000);
        for (group, members) in plan.own_groups().cloned() {
            let (checkpoint, recovered) = (checkpoints.remove(&group), recovered.groups.remove(&group));
            let members = (checkpoint.is_none() && recovered.is_none()).then_some(members);
            let machine = ShardMachine::new(group);
            host.open_group(now, GroupStart { group, machine, members, checkpoint, recovered }).unwrap();
        }
        host.handle_sealed(now, &recovered.sealed);
        let options = Options { own: OWN, about: about(), found: Some(plan.found(CLUSTER, Vec::new())) };
        let reconciler = Reconciler::new(options);
        Self { host, log, keeper, reconciler, now: now.monotonic, tokens: 0, outcomes: BTreeMap::new() }
    }

    fn now(&self) -> Now {
        Now::new(self.now, 1_000_000 + self.now.as_millis() as u64)
    }

    fn token(&mut self) -> Token {
        self.tokens += 1;
        Token(self.tokens)
    }

    fn meta(&self) -> &meta::Meta {
        self.host.machine(GroupId::META).unwrap().meta().unwrap()
    }

    fn view(&self, group: GroupId, lane: LaneId) -> Option<register::View> {
        self.host.machine(group).unwrap().registers().unwrap().view(meta::LaneId(lane.0))
    }

    /// Does what the host wants, and lets time pass when it wants nothing, until something is so.
    fn until(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) {
        for _ in 0..TURNS {
            while let Some(output) = self.host.poll_output() {
                self.act(output);
            }
            if is_so(self) {
                return;
            }
            if self.now >= self.reconciler.poll_timeout() {
                self.reconcile();
            }
            self.now = self.host.poll_timeout().unwrap_or(self.now).max(self.now + Duration::from_millis(1));
            self.host.handle_timeout(self.now());
        }
        panic!("never: {what}");
    }

    fn reconcile(&mut self) {
        let views: Views =
            self.host.groups().filter_map(|group| Some((group, self.host.group(group)?))).collect();
        let meta = self.host.machine(GroupId::META).unwrap().meta().unwrap();
        for step in self.reconciler.handle(self.now, meta, &views) {
            let Step::Propose(command) = step else { panic!("{step:?} on a node alone") };
            let token = self.token();
            self.host.propose(self.now(), GroupId::META, token, command.encode());
        }
    }

    fn act(&mut self, output: Output) {
        let now = self.now();
        match output {
            Output::Write { id, records } => {
                let locations = self.log.append(&records).unwrap();
                self.log.sync().unwrap();
                self.host.handle_written(now, id, locations);
                self.host.handle_sealed(now, &self.log.sealed());
            }
            Output::Job { id, job } => {
                let done = self.keeper.run(job);
                self.host.handle_done(now, id, done);
            }
            Output::Release { file, kept } => {
                self.log.release(file, kept);
                self.log.maintain();
            }
            Output::Applied { token, reply, .. } => _ = self.outcomes.insert(token, Outcome::Applied(reply)),
            Output::Readable { token } => _ = self.outcomes.insert(token, Outcome::Readable),
            Output::Fetched { token, pieces } => _ = self.outcomes.insert(token, Outcome::Fetched(pieces)),
            Output::Refused { token, why } => _ = self.outcomes.insert(token, Outcome::Refused(why)),
            Output::Changed(_) => {}
            other => panic!("{other:?} on a node alone"),
        }
    }

    fn outcome(&mut self, token: Token) -> Outcome {
        self.until("an answer", |node| node.outcomes.contains_key(&token));
        self.outcomes.remove(&token).unwrap()
    }

    fn propose(&mut self, group: GroupId, command: Bytes) -> Bytes {
        let token = self.token();
        self.host.propose(self.now(), group, token, command);
        match self.outcome(token) {
            Outcome::Applied(reply) => reply,
            other => panic!("{other:?}"),
        }
    }

    fn declare(&mut self, name: &str) -> (LaneId, GroupId, bool) {
        let name = Name::new(name).unwrap();
        let command = Command::Declare { kind: Kind::REGISTER, name, options: Fields::new() };
        match Reply::decode(&self.propose(GroupId::META, command.encode())).unwrap() {
            Reply::Declared { lane, group, new } => (LaneId(lane.0), GroupId(group.0), new),
            other => panic!("{other:?}"),
        }
    }

    fn append(&mut self, group: GroupId, lane: LaneId, sequence: u64) -> register::Reply {
        let command = register::Command::Append { lane: meta::LaneId(lane.0), batch: batch(sequence) };
        register::Reply::decode(&self.propose(group, command.encode())).unwrap()
    }

    /// All records of a lane, in order.
    fn read(&mut self, group: GroupId, lane: LaneId) -> Vec<Vec<u8>> {
        let token = self.token();
        self.host.read(self.now(), group, token);
        assert_eq!(self.outcome(token), Outcome::Readable);
        let view = self.view(group, lane).unwrap();
        let (mut records, mut next) = (Vec::new(), view.first);
        while next < view.next {
            let token = self.token();
            self.host.fetch(self.now(), group, token, lane, next, view.next - 1, 64 << 10);
            let Outcome::Fetched(pieces) = self.outcome(token) else { panic!("nothing at {next}") };
            assert!(!pieces.is_empty());
            for (first, count, bytes) in pieces {
                assert_eq!(first, next, "dense");
                let batch = BatchRef::parse(&bytes).unwrap();
                let values = batch.records().map(|record| record.payload().unwrap().value.unwrap().to_vec());
                records.extend(values);
                next += u64::from(count);
            }
        }
        records
    }
}

const RECORDS: u64 = 3;

fn value(sequence: u64) -> Vec<u8> {
    let mut value = sequence.to_le_bytes().to_vec();
    value.resize(700, sequence as u8);
    value
}

fn batch(sequence: u64) -> Bytes {
    let mut builder = BatchBuilder::new(Producer { id: 5, epoch: 0, base_sequence: sequence });
    for sequence in sequence..sequence + RECORDS {
        builder.push(&Record { value: Some(&value(sequence)), ..Record::default() }).unwrap();
    }
    builder.build().unwrap()
}

#[test]
fn declared_appended_and_read_again_after_each_crash() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    let mut lane = None;
    // Enough for several files of the log, each life on what the one before had left behind.
    for life in 0..4 {
        let mut node = Node::open(dir.path());
        node.until("it is founded", |node| {
            node.meta().node_named("a").is_some_and(|node| node.directory.is_some())
        });
        assert_eq!(node.meta().cluster(), Some(CLUSTER));
        let (id, group, new) = node.declare("r");
        assert_eq!((new, *lane.get_or_insert((id, group))), (life == 0, (id, group)));
        if acknowledged > 0 {
            let repeated = node.append(group, id, acknowledged - RECORDS);
            let first = acknowledged - RECORDS + 1;
            assert_eq!(
                repeated,
                register::Reply::Appended { first, count: 3, duplicate: true },
                "sent again"
            );
        }
        for _ in 0..40 {
            let reply = node.append(group, id, acknowledged);
            let first = acknowledged + 1;
            assert_eq!(reply, register::Reply::Appended { first, count: 3, duplicate: false });
            acknowledged += RECORDS;
        }
        let records = node.read(group, id);
        let expected: Vec<_> = (0..acknowledged).map(value).collect();
        assert!(records == expected, "{} records of {acknowledged}", records.len());
        // One that nobody was told of: it may be there in the next life, or not; and comes again either way.
        let command = register::Command::Append { lane: meta::LaneId(id.0), batch: batch(acknowledged) };
        let token = node.token();
        node.host.propose(node.now(), group, token, command.encode());
        if life % 2 == 0 {
            let output = node.host.poll_output().unwrap();
            node.act(output);
        }
        // The process ends here, in the midst of it.
        drop(node);
        let mut node = Node::open(dir.path());
        node.until("it leads", |node| node.host.group(group).is_some_and(|view| view.leader == Some(OWN)));
        let reply = node.append(group, id, acknowledged);
        let first = acknowledged + 1;
        assert!(
            matches!(reply, register::Reply::Appended { first: found, .. } if found == first),
            "{reply:?}"
        );
        acknowledged += RECORDS;
    }
}
