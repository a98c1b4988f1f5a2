//! A node: the cores that `mesh-node` runs, on a simulated disk, without threads.

use std::{
    collections::{BTreeMap, VecDeque},
    path::Path,
    sync::Arc,
    time::Duration,
};

use mesh_log::{
    bug::Bugs,
    id::{FileId, GroupId},
    job::Job,
    keeper::{self, Keeper},
    location::Location,
    log::{self, Log},
    record::Record,
    vfs::simulated::Disk,
};
use mesh_replica::{
    clock::Now,
    host::{GroupStart, Host},
    id::{JobId, NodeNumber, WriteId},
    members::Members,
    options::{Bounds, HostOptions},
};

use mesh_shard::ShardMachine;

use crate::{
    checks::Shadows,
    home::Home,
    invariant::applied::{Recorded, Told},
    time::Time,
};

/// Where a node keeps its data.
pub const DIR: &str = "/data";
/// Bytes of a file of the log: small, so that files are full often.
const LOG_FILE_BYTES: u64 = log::Options::FILE_BYTES_MIN;

/// A segment that is being built is finished when it has so many bytes.
const SEGMENT_BYTES: u64 = 64 << 10;

/// The machine that the groups run.
pub type Machine = Recorded<ShardMachine>;

/// A write that waits for the disk.
#[derive(Debug)]
pub struct Write {
    /// What the host knows it by.
    pub id: WriteId,
    /// The records.
    pub records: Vec<Record>,
}

/// A process.
#[derive(Debug)]
pub struct Process {
    /// Its groups.
    pub host: Host<Machine>,
    /// Its log.
    pub log: Log,
    /// Its segments and checkpoints.
    pub keeper: Keeper,
    /// Writes that were asked for and not begun.
    pub waiting: VecDeque<Write>,
    /// Writes that are in the file and not synced, with where their entries stand.
    pub writing: Vec<(Write, Vec<Location>)>,
    /// Files to be released when the log is not being written.
    pub releases: Vec<(FileId, bool)>,
    /// Whether the disk was full at the last write.
    pub full: bool,
    /// Jobs that were asked for, in order, and what they take on a fast disk. The first one is being done.
    pub jobs: VecDeque<(JobId, Job, Duration)>,
    /// For when the timer is set.
    pub timer: Option<Time>,
}

/// A node with its disk, whether its process runs or not.
#[derive(Debug)]
pub struct Node {
    /// Its number.
    pub number: u64,
    /// Its disk.
    pub disk: Disk,
    /// Counts starts and ends of its process.
    pub life: u64,
    /// Its process.
    pub process: Option<Process>,
    /// Until when it stands still.
    pub paused: Option<Time>,
    /// By how much its clock is wrong, in milliseconds.
    pub wrong_by_ms: i64,
    /// What its process wrote.
    pub written: Shadows,
    /// What is on its disk.
    pub durable: Shadows,
    /// Whether bits of its disk flipped, so that not everything that was durable can be there.
    pub damaged: bool,
    /// Whether it is gone for good.
    pub gone: bool,
    /// Groups that it has, or is to have: with their first members, on those that began them.
    pub groups: BTreeMap<GroupId, Option<Members>>,
    /// Who it is to its cluster, if that knows of its nodes.
    pub home: Option<Home>,
    /// A seed of its own.
    pub seed: u64,
    /// Bugs that it has.
    pub bugs: Bugs,
}

/// What a node found when it started.
#[derive(Debug, Default)]
pub struct Found {
    /// Its groups' logs.
    pub logs: Shadows,
    /// Damage of the log that it told of.
    pub log_damage: usize,
    /// Damage elsewhere that it told of.
    pub file_damage: usize,
    /// Both, in words.
    pub damage: String,
}

impl Node {
    /// A node with an empty disk, down.
    #[must_use]
    pub fn new(number: u64, seed: u64, bugs: Bugs) -> Self {
        Self {
            number,
            disk: Disk::new(),
            life: 0,
            process: None,
            paused: None,
            wrong_by_ms: 0,
            written: Shadows::new(),
            durable: Shadows::new(),
            damaged: false,
            gone: false,
            groups: BTreeMap::new(),
            home: None,
            seed,
            bugs,
        }
    }

    /// Starts its process.
    ///
    /// # Errors
    /// What the process would say when it can't start.
    pub fn start(&mut self, now: Time, told: &Told) -> Result<Found, String> {
        let dir = Path::new(DIR);
        let vfs = Arc::new(self.disk.clone());
        let (keeper, restored) =
            Keeper::open(vfs.clone(), dir, self.keeper_options()).map_err(|error| error.to_string())?;
        let mut options = log::Options::new(u128::from(self.number));
        options.file_bytes = LOG_FILE_BYTES;
        options.kept = restored.kept;
        options.bugs = self.bugs;
        let (log, recovered) = Log::open(vfs, &dir.join(mesh_log::files::LOG_DIR), options)
            .map_err(|error| error.to_string())?;
        let mut found = Found {
            log_damage: recovered.damage.len(),
            file_damage: restored.damage.len(),
            damage: format!("{:?} {:?}", recovered.damage, restored.damage),
            ..Found::default()
        };
        let mut host = Host::new(self.host_options());
        let mut checkpoints = restored.checkpoints;
        let mut groups = recovered.groups;
        for (group, log) in &groups {
            found.logs.insert(*group, shadow(*group, log));
        }
        if let Some(home) = &self.home {
            self.groups = home.groups();
            home.doubt(&mut groups, checkpoints.keys().copied(), (&restored.damage, &recovered.damage));
        }
        // What is on the disk counts: a replica that was closed may be there again, one that was opened not yet.
        for group in groups.keys().chain(checkpoints.keys()) {
            self.groups.entry(*group).or_default();
        }
        let is_removed = |group: &GroupId| groups.get(group).is_some_and(|log| log.removed);
        self.groups.retain(|group, _| !is_removed(group));
        let mut lanes = restored.lanes;
        for group in checkpoints.keys().filter(|group| is_removed(group)) {
            lanes.forget(*group);
        }
        host.set_lanes(lanes);
        let instant = now.now(self.wrong_by_ms);
        for (group, removed) in groups.iter().filter(|(_, log)| log.removed) {
            host.note_removed(*group, removed);
        }
        for (group, members) in &self.groups {
            let log = groups.remove(group);
            let checkpoint = checkpoints.remove(group);
            let fresh = log.is_none() && checkpoint.is_none();
            let start = GroupStart {
                group: *group,
                machine: Recorded::new(ShardMachine::new(*group), self.number, *group, told.clone()),
                members: members.clone().filter(|_| fresh),
                checkpoint,
                recovered: log,
            };
            host.open_group(instant, start).map_err(|error| error.to_string())?;
        }
        host.handle_sealed(instant, &recovered.sealed);
        self.written.clone_from(&found.logs);
        self.life += 1;
        self.process = Some(Process {
            host,
            log,
            keeper,
            waiting: VecDeque::new(),
            writing: Vec::new(),
            releases: Vec::new(),
            full: false,
            jobs: VecDeque::new(),
            timer: None,
        });
        Ok(found)
    }

    /// What a process would find in the log, while none runs.
    #[must_use]
    pub fn look_at_log(&self) -> Option<log::Recovered> {
        let mut options = log::Options::new(u128::from(self.number));
        options.file_bytes = LOG_FILE_BYTES;
        let dir = Path::new(DIR).join(mesh_log::files::LOG_DIR);
        Log::inspect(Arc::new(self.disk.clone()), &dir, &options).ok().map(|(found, _)| found)
    }

    /// Opens a group that the node has been given while it runs.
    ///
    /// # Errors
    /// What the host says.
    pub fn open(&mut self, now: Now, group: GroupId, told: &Told) -> Result<(), String> {
        let Some(process) = &mut self.process else { return Ok(()) };
        let start = GroupStart {
            group,
            machine: Recorded::new(ShardMachine::new(group), self.number, group, told.clone()),
            members: None,
            checkpoint: None,
            recovered: None,
        };
        process.host.open_group(now, start).map_err(|error| error.to_string())?;
        self.groups.insert(group, None);
        Ok(())
    }

    /// Ends its process. What the disk makes of it is for the caller to say.
    pub fn end(&mut self) {
        self.process = None;
        self.paused = None;
        self.life += 1;
    }

    fn host_options(&self) -> HostOptions {
        HostOptions {
            rest_ticks: 40,
            bounds: Bounds {
                entry_commands_max: 16,
                entry_bytes_max: 8 << 10,
                waiting_commands_max: 64,
                log_bytes_max: 96 << 10,
                host_log_bytes_max: 192 << 10,
                message_bytes_max: 16 << 10,
                messages_in_flight_max: 4,
                ..Bounds::default()
            },
            bugs: self.bugs,
            ..HostOptions::new(NodeNumber(self.number), self.seed.wrapping_add(self.life))
        }
    }

    fn keeper_options(&self) -> keeper::Options {
        keeper::Options {
            open_files_max: 4,
            segment_bytes: SEGMENT_BYTES,
            read_only: false,
            seed: self.seed.wrapping_add(self.life),
        }
    }
}

/// How long a node that ended takes to come back.
#[must_use]
pub fn restart_range() -> (Duration, Duration) {
    (Duration::from_millis(50), Duration::from_millis(2_500))
}

fn shadow(group: GroupId, found: &log::RecoveredGroup) -> crate::shadow::ShadowLog {
    let mut log = crate::shadow::ShadowLog::default();
    log.apply(&Record::Cut { group, index: found.cut.0, term: found.cut.1 });
    for (entry, _) in &found.entries {
        log.apply(&Record::Entry { group, entry: entry.clone() });
    }
    log.apply(&Record::State { group, state: found.state });
    if found.removed {
        log.apply(&Record::Removed { group });
    }
    log
}
