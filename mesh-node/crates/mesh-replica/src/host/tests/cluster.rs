//! Hosts in one process: a network and disks that do as they are told.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use mesh_log::{
    id::{FileId, GroupId, LaneId},
    job::{Done, Job, Source},
    lanes::{Lanes, NOWHERE},
    location::{Location, Piece},
    log::RecoveredGroup,
    record::Record,
};

use crate::{
    clock::Now,
    host::{GroupStart, Host},
    id::{NodeNumber, Token, WriteId},
    machine::{At, Keep, Machine, Outcome, StateError, Trim},
    members::Members,
    message::Message,
    options::HostOptions,
    output::Output,
    refused::Refused,
    view::{Role, View},
};

pub(super) const GROUP: GroupId = GroupId(1);
pub(super) const LANE: LaneId = LaneId(1);

/// Keeps every command as a record of [`LANE`], and remembers them all. `trim N` trims.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Book {
    pub(super) lines: Vec<Bytes>,
    pub(super) times: Vec<u64>,
}

impl Machine for Book {
    fn apply(&mut self, at: At, command: &Bytes) -> Outcome {
        assert!(self.times.last().is_none_or(|last| *last <= at.time_ms), "time went back");
        if let Some(below) = command.strip_prefix(b"trim ") {
            let below = std::str::from_utf8(below).unwrap().parse().unwrap();
            return Outcome { trim: vec![Trim { lane: LANE, below }], ..Outcome::default() };
        }
        self.lines.push(command.clone());
        self.times.push(at.time_ms);
        let (first, len) = (self.lines.len() as u64, u32::try_from(command.len()).unwrap());
        let keep = Keep { lane: LANE, first, count: 1, offset: 0, len };
        Outcome { reply: Bytes::from(first.to_string()), keep: vec![keep], trim: Vec::new() }
    }

    fn state(&self) -> Bytes {
        let mut into = BytesMut::new();
        for (line, time) in self.lines.iter().zip(&self.times) {
            into.extend_from_slice(&u32::try_from(line.len()).unwrap().to_le_bytes());
            into.extend_from_slice(&time.to_le_bytes());
            into.extend_from_slice(line);
        }
        into.freeze()
    }

    fn restore(&mut self, state: &Bytes) -> Result<(), StateError> {
        *self = Self::default();
        let mut at = 0;
        while at < state.len() {
            let len = u32::from_le_bytes(state[at..at + 4].try_into().unwrap()) as usize;
            self.times.push(u64::from_le_bytes(state[at + 4..at + 12].try_into().unwrap()));
            self.lines.push(state.slice(at + 12..at + 12 + len));
            at += 12 + len;
        }
        Ok(())
    }
}

/// What an asker was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Applied(Bytes),
    Readable(usize),
    Fetched(Vec<(u64, u32, Bytes)>),
    Refused(Refused),
}

/// A disk: what is durable, and what is on its way.
#[derive(Debug, Default)]
struct Disk {
    written: Vec<(Record, Option<Location>)>,
    files: BTreeMap<FileId, Vec<u8>>,
    checkpoints: BTreeMap<GroupId, Bytes>,
    /// What a write takes.
    delay: Duration,
    queue: VecDeque<(Duration, WriteId, Vec<Record>)>,
    segments: u64,
    /// So many records were written when something of them was lost, which is known.
    damaged: Option<usize>,
    /// What stands in segments.
    stored: Vec<Piece>,
    /// There is no room for checkpoints; so many were to be written all the same.
    no_room: bool,
    in_vain: usize,
}

impl Disk {
    fn write(&mut self, records: Vec<Record>) -> Vec<Location> {
        let mut locations = Vec::new();
        for record in records {
            let location = if let Record::Entry { entry, .. } = &record {
                let file = self.files.entry(FileId(1)).or_default();
                let location = Location {
                    file: FileId(1),
                    offset: file.len() as u64,
                    len: u32::try_from(entry.payload.len()).unwrap(),
                    crc: entry.payload.crc(),
                };
                file.extend_from_slice(entry.payload.bytes());
                locations.push(location);
                Some(location)
            } else {
                None
            };
            self.written.push((record, location));
        }
        locations
    }

    fn read(&self, location: &Location) -> Option<Bytes> {
        let file = self.files.get(&location.file)?;
        let begin = usize::try_from(location.offset).unwrap();
        let bytes = file.get(begin..begin + location.len as usize)?;
        (crc32c::crc32c(bytes) == location.crc).then(|| Bytes::copy_from_slice(bytes))
    }

    fn run(&mut self, job: Job) -> Done {
        match job {
            Job::Read { sources, .. } => {
                let pieces = sources.into_iter().flat_map(|source| match source {
                    Source::Piece(piece) => vec![piece],
                    Source::Segment { file, first, last } if file == NOWHERE => {
                        let location = Location { file, offset: 0, len: u32::MAX, crc: 0 };
                        let count = u32::try_from(last - first + 1).unwrap();
                        vec![Piece { lane: LANE, first, count, location }]
                    }
                    Source::Segment { file, first, last } => {
                        let within = |piece: &&Piece| {
                            piece.location.file == file && (first..=last).contains(&piece.first)
                        };
                        self.stored.iter().filter(within).copied().collect()
                    }
                });
                Done::Read(pieces.map(|piece| (piece, self.read(&piece.location))).collect())
            }
            Job::Checkpoint { .. } if self.no_room => {
                self.in_vain += 1;
                Done::Full
            }
            Job::Checkpoint { group, bytes } => {
                self.checkpoints.insert(group, bytes);
                Done::Checkpointed
            }
            Job::Store { pieces, .. } => {
                self.segments += 1;
                let file = FileId(1_000 + self.segments);
                let mut into = Vec::new();
                let stored = pieces.into_iter().map(|(piece, bytes)| {
                    let offset = into.len() as u64;
                    into.extend_from_slice(&bytes);
                    Piece { location: Location { file, offset, ..piece.location }, ..piece }
                });
                let stored: Vec<Piece> = stored.collect();
                self.stored.extend(&stored);
                self.files.insert(file, into);
                Done::Moved(stored)
            }
            Job::Forget { group } => {
                self.checkpoints.remove(&group);
                Done::Forgotten
            }
            Job::Drop { file, .. } => {
                self.stored.retain(|piece| piece.location.file != file);
                Done::Dropped
            }
            other => panic!("{other:?}"),
        }
    }

    fn recovered(&self, group: GroupId) -> Option<RecoveredGroup> {
        let mut found: Option<RecoveredGroup> = self.damaged.map(|_| RecoveredGroup::default());
        let own = self.written.iter().enumerate().filter(|(_, (record, _))| record.group() == group);
        let mut doubted = self.damaged;
        for (nth, (record, location)) in own {
            let into = found.get_or_insert_default();
            if doubted.take_if(|damaged| *damaged <= nth).is_some() {
                into.suspect = true;
            }
            match record {
                Record::Entry { entry, .. } => {
                    into.removed = false;
                    into.entries.retain(|(before, _)| before.index < entry.index);
                    into.entries.push((entry.clone(), location.unwrap()));
                }
                Record::State { state, .. } => into.state = *state,
                Record::Cut { index, term, .. } => {
                    let has =
                        into.entries.iter().any(|(entry, _)| (entry.index, entry.term) == (*index, *term));
                    into.entries.retain(|(entry, _)| has && entry.index > *index);
                    into.cut = (*index, *term);
                    into.suspect &= has;
                }
                Record::Removed { .. } => {
                    *into = RecoveredGroup { state: into.state, removed: true, ..RecoveredGroup::default() };
                }
            }
        }
        if let (Some(found), Some(_)) = (&mut found, doubted) {
            found.suspect = true;
        }
        found
    }
}

pub(super) struct Node {
    pub(super) host: Host<Book>,
    disk: Disk,
    pub(super) answers: BTreeMap<Token, Answer>,
    pub(super) fatal: Option<String>,
    pub(super) wrong_clock_ms: i64,
    pub(super) sent: Vec<(NodeNumber, Message)>,
    timeout_calls: usize,
    leader_changes: Vec<(Duration, Option<NodeNumber>)>,
}

/// Nodes 1 to n.
pub(super) struct Cluster {
    pub(super) now: Duration,
    pub(super) nodes: BTreeMap<NodeNumber, Node>,
    down: BTreeMap<NodeNumber, Disk>,
    wire: VecDeque<(Duration, NodeNumber, NodeNumber, Message)>,
    pub(super) cut: Vec<(NodeNumber, NodeNumber)>,
    pub(super) delay: Duration,
    tokens: u64,
    pub(super) options: fn(NodeNumber) -> HostOptions,
    pub(super) messages: usize,
    /// Lets a message through.
    pub(super) filter: fn(&Message) -> bool,
}

pub(super) fn node(number: u64) -> NodeNumber {
    NodeNumber(number)
}

pub(super) fn voters(numbers: &[u64]) -> Members {
    Members::of_voters(numbers.iter().copied().map(NodeNumber))
}

pub(super) fn options(own: NodeNumber) -> HostOptions {
    HostOptions::new(own, 42)
}

impl Cluster {
    /// Voters 1 to n of [`GROUP`].
    pub(super) fn new(count: u64) -> Self {
        Self::with(count, options)
    }

    pub(super) fn with(count: u64, options: fn(NodeNumber) -> HostOptions) -> Self {
        let mut cluster = Self::empty(options);
        let members = Members::of_voters((1..=count).map(NodeNumber));
        for number in 1..=count {
            cluster.start(node(number), Some(members.clone()));
        }
        cluster
    }

    pub(super) fn empty(options: fn(NodeNumber) -> HostOptions) -> Self {
        Self {
            now: Duration::from_secs(1),
            nodes: BTreeMap::new(),
            down: BTreeMap::new(),
            wire: VecDeque::new(),
            cut: Vec::new(),
            delay: Duration::from_millis(1),
            tokens: 0,
            options,
            messages: 0,
            filter: |_| true,
        }
    }

    /// Starts a node with what its disk has.
    pub(super) fn start(&mut self, number: NodeNumber, members: Option<Members>) {
        let disk = self.down.remove(&number).unwrap_or_default();
        let mut host = Host::new((self.options)(number));
        let mut lanes = Lanes::default();
        lanes.stored(GROUP, &disk.stored);
        host.set_lanes(lanes);
        let mut node = Node {
            host,
            disk,
            answers: BTreeMap::new(),
            fatal: None,
            wrong_clock_ms: 0,
            sent: Vec::new(),
            timeout_calls: 0,
            leader_changes: Vec::new(),
        };
        let start = GroupStart {
            group: GROUP,
            machine: Book::default(),
            members,
            checkpoint: node.disk.checkpoints.get(&GROUP).cloned(),
            recovered: node.disk.recovered(GROUP),
        };
        node.host.open_group(now_of(self.now, 0), start).unwrap();
        self.nodes.insert(number, node);
        self.settle(number);
    }

    /// Its power goes: what was not durable is lost.
    pub(super) fn kill(&mut self, number: NodeNumber) {
        let mut node = self.nodes.remove(&number).unwrap();
        node.disk.queue.clear();
        self.down.insert(number, node.disk);
        self.wire.retain(|(_, _, to, _)| *to != number);
    }

    /// Takes the last record off a disk that is not used at the moment.
    pub(super) fn lose_records(&mut self, number: NodeNumber, lost: fn(&Record) -> bool) {
        self.down.get_mut(&number).unwrap().written.retain(|(record, _)| !lost(record));
    }

    /// The log of a node that is down is damaged from its beginning to here, and its checkpoint is gone.
    pub(super) fn lose_all(&mut self, number: NodeNumber) {
        let disk = self.down.get_mut(&number).unwrap();
        disk.written.clear();
        disk.checkpoints.clear();
        disk.damaged = Some(0);
    }

    /// The checkpoint of a node that is down is damaged, and its log is not.
    pub(super) fn lose_checkpoint(&mut self, number: NodeNumber) {
        let disk = self.down.get_mut(&number).unwrap();
        disk.checkpoints.clear();
        disk.damaged = Some(disk.written.len());
    }

    /// Whether a disk, of a node that runs or of one to be started, has no room for checkpoints. How many were to be written
    /// while it had none.
    pub(super) fn no_room(&mut self, number: NodeNumber, no_room: bool) -> usize {
        let disk = match self.nodes.get_mut(&number) {
            Some(node) => &mut node.disk,
            None => self.down.entry(number).or_default(),
        };
        disk.no_room = no_room;
        std::mem::take(&mut disk.in_vain)
    }

    /// What a disk has of a checkpoint.
    pub(super) fn checkpoint(&self, number: NodeNumber) -> Option<Bytes> {
        let running = self.nodes.get(&number).map(|node| &node.disk);
        running.or_else(|| self.down.get(&number)).and_then(|disk| disk.checkpoints.get(&GROUP).cloned())
    }

    /// Puts a checkpoint on a disk that is not used at the moment.
    pub(super) fn put_checkpoint(&mut self, number: NodeNumber, bytes: Bytes) {
        self.down.get_mut(&number).unwrap().checkpoints.insert(GROUP, bytes);
    }

    /// Takes all segments off a disk that is not used at the moment.
    pub(super) fn lose_segments(&mut self, number: NodeNumber) {
        self.down.get_mut(&number).unwrap().stored.clear();
    }

    pub(super) fn flip(&mut self, number: NodeNumber) {
        let disk = &mut self.nodes.get_mut(&number).unwrap().disk;
        disk.files.get_mut(&FileId(1)).unwrap().iter_mut().for_each(|byte| *byte ^= 1);
    }

    pub(super) fn slow_disk(&mut self, number: NodeNumber, delay_ms: u64) {
        self.nodes.get_mut(&number).unwrap().disk.delay = Duration::from_millis(delay_ms);
    }

    /// All disks take a while.
    pub(super) fn slow_disks(&mut self, delay_ms: u64) {
        for number in self.nodes.keys().copied().collect::<Vec<_>>() {
            self.slow_disk(number, delay_ms);
        }
    }

    fn time(&self, number: NodeNumber) -> Now {
        now_of(self.now, self.nodes[&number].wrong_clock_ms)
    }

    fn token(&mut self) -> Token {
        self.tokens += 1;
        Token(self.tokens)
    }

    pub(super) fn propose(&mut self, number: NodeNumber, command: impl Into<Bytes>) -> Token {
        let token = self.queue(number, command);
        self.settle(number);
        token
    }

    /// Proposes without asking for outputs.
    pub(super) fn queue(&mut self, number: NodeNumber, command: impl Into<Bytes>) -> Token {
        let (token, now) = (self.token(), self.time(number));
        self.nodes.get_mut(&number).unwrap().host.propose(now, GROUP, token, command.into());
        token
    }

    pub(super) fn read(&mut self, number: NodeNumber) -> Token {
        let token = self.token();
        self.call(number, |host, now| host.read(now, GROUP, token));
        token
    }

    pub(super) fn fetch(&mut self, number: NodeNumber, first: u64, last: u64) -> Token {
        let token = self.token();
        self.call(number, |host, now| host.fetch(now, GROUP, token, LANE, first, last, 1 << 20));
        token
    }

    pub(super) fn set_members(&mut self, number: NodeNumber, target: Members) -> Token {
        let token = self.token();
        self.call(number, |host, now| host.set_members(now, GROUP, token, target));
        token
    }

    pub(super) fn call(&mut self, number: NodeNumber, call: impl FnOnce(&mut Host<Book>, Now)) {
        let now = self.time(number);
        call(&mut self.nodes.get_mut(&number).unwrap().host, now);
        self.settle(number);
    }

    /// Takes all outputs of a node.
    pub(super) fn settle(&mut self, number: NodeNumber) {
        loop {
            let at = self.time(number);
            let node = self.nodes.get_mut(&number).unwrap();
            let mut any = false;
            while let Some(output) = node.host.poll_output() {
                any = true;
                match output {
                    Output::Write { id, records } => {
                        node.disk.queue.push_back((self.now + node.disk.delay, id, records));
                    }
                    Output::Send { to, message } => {
                        self.messages += 1;
                        node.sent.push((to, message.clone()));
                        if (self.filter)(&message) && !self.cut.contains(&(number, to)) {
                            self.wire.push_back((self.now + self.delay, number, to, message));
                        }
                    }
                    Output::Applied { token, reply, .. } => answer(node, token, Answer::Applied(reply)),
                    Output::Readable { token } => {
                        let lines = node.host.machine(GROUP).unwrap().lines.len();
                        answer(node, token, Answer::Readable(lines));
                    }
                    Output::Fetched { token, pieces } => answer(node, token, Answer::Fetched(pieces)),
                    Output::Refused { token, why } => answer(node, token, Answer::Refused(why)),
                    Output::Job { id, job } => {
                        let done = node.disk.run(job);
                        node.host.handle_done(at, id, done);
                    }
                    Output::Release { .. } => {}
                    Output::Changed(group) => {
                        let leader = node.host.group(group).and_then(|view| view.leader);
                        node.leader_changes.push((self.now, leader));
                    }
                    Output::Fatal(why) => node.fatal = Some(why),
                }
            }
            while node.disk.queue.front().is_some_and(|(at, ..)| *at <= self.now) {
                let (_, id, records) = node.disk.queue.pop_front().unwrap();
                let locations = node.disk.write(records);
                node.host.handle_written(at, id, locations);
                any = true;
            }
            if !any {
                return;
            }
        }
    }

    /// Runs to the next thing that happens, not beyond a time.
    fn step(&mut self, until: Duration) -> bool {
        let mut next = until;
        for node in self.nodes.values() {
            let writes = node.disk.queue.front().map(|(at, ..)| *at);
            next = next.min(node.host.poll_timeout().unwrap_or(until)).min(writes.unwrap_or(until));
        }
        next = self.wire.iter().map(|(at, ..)| *at).min().unwrap_or(until).min(next);
        self.now = self.now.max(next);
        let due: Vec<_> = self.wire.iter().filter(|(at, ..)| *at <= self.now).cloned().collect();
        self.wire.retain(|(at, ..)| *at > self.now);
        for (_, from, to, message) in due {
            if self.nodes.contains_key(&to) {
                let now = self.time(to);
                self.nodes.get_mut(&to).unwrap().host.handle_message(now, from, message);
            }
        }
        for number in self.nodes.keys().copied().collect::<Vec<_>>() {
            let now = self.time(number);
            let node = self.nodes.get_mut(&number).unwrap();
            if node.host.poll_timeout().is_some_and(|at| at <= self.now) {
                node.timeout_calls += 1;
                node.host.handle_timeout(now);
            }
            self.settle(number);
        }
        self.now < until
    }

    pub(super) fn run(&mut self, ms: u64) {
        let until = self.now + Duration::from_millis(ms);
        while self.step(until) {}
    }

    /// Runs until something is so; panics after a minute of their time.
    pub(super) fn run_until(&mut self, what: &str, so: impl Fn(&Self) -> bool) -> Duration {
        let begin = self.now;
        while !so(self) {
            assert!(self.now < begin + Duration::from_secs(60), "{what}: {:#?}", self.views());
            let until = self.now + Duration::from_millis(1);
            self.step(until);
        }
        self.now - begin
    }

    pub(super) fn view(&self, number: NodeNumber) -> View {
        self.nodes[&number].host.group(GROUP).unwrap()
    }

    pub(super) fn views(&self) -> BTreeMap<NodeNumber, Option<View>> {
        self.nodes.iter().map(|(number, node)| (*number, node.host.group(GROUP))).collect()
    }

    /// Who leads in the latest term, and is followed by a majority.
    pub(super) fn leader(&self) -> Option<NodeNumber> {
        let views: Vec<_> =
            self.views().into_iter().filter_map(|(number, view)| Some((number, view?))).collect();
        let leaders = views.iter().filter(|(_, view)| view.role == Role::Leader);
        let (leader, view) = leaders.max_by_key(|(_, view)| view.term)?;
        let followers =
            views.iter().filter(|(_, other)| other.leader == Some(*leader) && other.term == view.term);
        (followers.count() * 2 > view.members.voters.len()).then_some(*leader)
    }

    pub(super) fn elect(&mut self) -> NodeNumber {
        self.run_until("a leader", |cluster| cluster.leader().is_some());
        self.leader().unwrap()
    }

    pub(super) fn answer(&self, number: NodeNumber, token: Token) -> Option<&Answer> {
        self.nodes[&number].answers.get(&token)
    }

    pub(super) fn applied(&self, number: NodeNumber, token: Token) -> bool {
        matches!(self.answer(number, token), Some(Answer::Applied(_)))
    }

    pub(super) fn lines(&self, number: NodeNumber) -> Vec<Bytes> {
        self.nodes[&number].host.machine(GROUP).unwrap().lines.clone()
    }

    pub(super) fn timeouts(&mut self) -> usize {
        self.nodes.values_mut().map(|node| std::mem::take(&mut node.timeout_calls)).sum()
    }

    /// Proposes at whoever leads, and waits until it is applied everywhere.
    pub(super) fn commit(&mut self, command: &'static str) {
        let leader = self.elect();
        let token = self.propose(leader, command);
        self.run_until("a commit", |cluster| cluster.applied(leader, token));
        let applied = self.view(leader).applied;
        self.run_until("all have it", |cluster| {
            cluster.views().values().flatten().all(|view| view.applied >= applied)
        });
    }
}

fn answer(node: &mut Node, token: Token, answer: Answer) {
    let before = node.answers.insert(token, answer);
    assert_eq!(before, None, "{token:?} is answered once");
}

fn now_of(now: Duration, wrong_ms: i64) -> Now {
    let wall = 1_700_000_000_000 + u64::try_from(now.as_millis()).unwrap();
    Now::new(now, wall.saturating_add_signed(wrong_ms))
}
