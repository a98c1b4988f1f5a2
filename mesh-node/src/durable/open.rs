//! From a data directory to a plane that runs.
//!
//! ```text
//!   system thread: segments and checkpoints ─► log ─► what was lost? ─► Opened
//!   first data thread: Opened ─► threads of the disk ─► groups ─► Plane
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;
use mesh_core::meta;
use mesh_log::{
    bug::Bugs,
    directory::DataDir,
    files::Reach,
    id::GroupId,
    keeper::{self, Keeper},
    log::{self, Log},
    vfs::Vfs,
};
use mesh_replica::{id::NodeNumber, whole};
use mesh_shard::{
    bootstrap::{self, Plan},
    founding::{Founder, Next},
    join::{self, Directory, Start},
};
use mesh_wire::code::Code;

use super::{Error, steward};
use crate::{
    config::{Config, Discovery},
    shared::Shared,
};

/// What was found in a data directory.
pub(crate) struct Opened {
    pub(super) directory: DataDir,
    pub(super) log: Log,
    pub(super) keeper: Arc<Keeper>,
    pub(super) lanes: mesh_log::lanes::Lanes,
    pub(super) checkpoints: BTreeMap<GroupId, Bytes>,
    pub(super) recovered: log::Recovered,
    /// Groups that lost something beside the log.
    pub(super) damaged: Vec<GroupId>,
    pub(super) number: Option<NodeNumber>,
    pub(super) plan: Option<Plan>,
    pub(super) about: meta::Join,
    pub(super) bugs: Bugs,
}

/// Opens what is in a data directory. Blocks.
///
/// # Errors
/// [`Error`]; [`Error::Damaged`] on a node without others.
pub(super) fn open(shared: &Shared, mut directory: DataDir) -> Result<Opened, Error> {
    let config = &shared.config;
    let (vfs, bugs) = disk()?;
    if is_alone(config) {
        look(&vfs, config, &directory)?;
    }
    let (keeper, restored) = Keeper::open(Arc::clone(&vfs), directory.path(), keeper::Options::default())?;
    let options = log_options(config, &directory, &restored, bugs);
    let (log, recovered) = Log::open(Arc::clone(&vfs), &directory.log(), options)?;
    for (code, what) in losses(vfs.as_ref(), &directory, &restored, &recovered)? {
        tracing::error!(%code, what, "damage in the data directory: what is lost comes from other nodes");
    }
    for damage in restored.damage.iter().filter(|damage| damage.is_harmless()) {
        tracing::warn!(code = %damage.code(), what = %damage, "damage in the data directory that was made good");
    }
    // Records that are missing are fetched while their group goes on.
    let damaged = restored.damage.iter().filter_map(keeper::Damage::lost_state).collect();
    let (number, plan) = begin(config, &mut directory)?;
    let about = meta::Join {
        name: config.name.clone(),
        directory: steward::core_uuid(directory.uuid()),
        incarnation: shared.incarnation,
        role: meta::Role::CORE,
        zone: config.zone.clone(),
        level: meta::LEVEL,
        rest: meta::Fields::new(),
    };
    let keeper = Arc::new(keeper);
    let (lanes, checkpoints) = (restored.lanes, restored.checkpoints);
    Ok(Opened { directory, log, keeper, lanes, checkpoints, recovered, damaged, number, plan, about, bugs })
}

/// The disk, and which bugs are back.
fn disk() -> Result<(Arc<dyn Vfs>, Bugs), Error> {
    #[cfg(feature = "faults")]
    return super::faults::disk();
    #[cfg(not(feature = "faults"))]
    Ok((Arc::new(mesh_log::vfs::real::Real), Bugs::default()))
}

/// Looks for what is lost before anything is changed: nobody else has it.
fn look(vfs: &Arc<dyn Vfs>, config: &Config, directory: &DataDir) -> Result<(), Error> {
    let options = keeper::Options { read_only: true, ..keeper::Options::default() };
    let (_, restored) = Keeper::open(Arc::clone(vfs), directory.path(), options)?;
    let options = log_options(config, directory, &restored, Bugs::default());
    let recovered = Log::look(vfs, &directory.log(), &options)?;
    refuse(directory, &losses(vfs.as_ref(), directory, &restored, &recovered)?)
}

fn log_options(
    config: &Config,
    directory: &DataDir,
    restored: &keeper::Restored,
    bugs: Bugs,
) -> log::Options {
    log::Options {
        file_bytes: config.storage.file_bytes as u64,
        kept: restored.kept.clone(),
        bugs,
        ..log::Options::new(directory.uuid().0)
    }
}

/// What is not as it was written.
fn damage(store: &[keeper::Damage], log: &log::Recovered) -> Vec<(Code, String)> {
    let store = store.iter().filter(|damage| !damage.is_harmless());
    let store = store.map(|damage| (damage.code(), damage.to_string()));
    let log = log.damage.iter().map(|log::Damage { file, offset, len, what, .. }| {
        let what = what.as_str();
        (Code::LogDamaged, format!("log file {:016x}: {what}, {len} bytes from {offset} on", file.0))
    });
    store.chain(log).collect()
}

/// What is not there, as other files say: a directory that was copied in part.
fn missing(reach: &Reach<'_>, restored: &keeper::Restored, log: &log::Recovered) -> Vec<(Code, String)> {
    let all: BTreeSet<GroupId> = restored.checkpoints.keys().chain(log.groups.keys()).copied().collect();
    let is_told = |group: &GroupId| restored.damage.iter().any(|damage| damage.lost_state() == Some(*group));
    let lacks = all.into_iter().filter(|group| !is_told(group)).flat_map(|group| {
        let (checkpoint, log) = (restored.checkpoints.get(&group), log.groups.get(&group));
        let lacks = whole::lacking(group, checkpoint, log, &restored.lanes, &|location| reach.has(location));
        lacks.into_iter().map(move |lack| (lack.code(), format!("group {group}: {lack}")))
    });
    lacks.collect()
}

/// What is lost: first what is damaged, then what is not there, unless somebody agreed to go on without.
fn losses(
    vfs: &dyn Vfs,
    directory: &DataDir,
    restored: &keeper::Restored,
    log: &log::Recovered,
) -> Result<Vec<(Code, String)>, Error> {
    let mut found = damage(&restored.damage, log);
    if !keeper::is_loss_accepted(vfs, directory.path())? {
        found.extend(missing(&Reach::of(vfs, directory.path()), restored, log));
    }
    Ok(found)
}

/// Whether there are no other nodes that could make good what is lost.
fn is_alone(config: &Config) -> bool {
    config.peer.listen.is_none() && config.discovery == Discovery::Standalone
}

fn refuse(directory: &DataDir, found: &[(Code, String)]) -> Result<(), Error> {
    let Some((code, what)) = found.first() else { return Ok(()) };
    let what = match found.len() {
        1 => what.clone(),
        more => format!("{what}, and {} more", more - 1),
    };
    Err(Error::Damaged { path: directory.path().to_owned(), what, code: *code })
}

/// Who the node is: as written down, or the founder of a cluster, which is written down first, or nobody yet.
fn begin(config: &Config, directory: &mut DataDir) -> Result<(Option<NodeNumber>, Option<Plan>), Error> {
    let options = bootstrap::Options {
        shards: u32::try_from(config.storage.shards).unwrap_or(u32::MAX),
        replicas: u32::try_from(config.storage.replicas).unwrap_or(u32::MAX),
    };
    let plan = match (&config.storage.bootstrap[..], &config.discovery) {
        ([], Discovery::Standalone) => Some(bootstrap::standalone(config.name.clone(), options)?),
        ([], _) => None,
        (nodes, _) => Some(bootstrap::static_(&config.name, nodes.to_vec(), options)?),
    };
    match join::start(&about(directory), plan) {
        Start::Resume(number, plan) => {
            plan.iter().try_for_each(|plan| begin_alone(plan, directory))?;
            Ok((Some(number), plan))
        }
        Start::Begin(plan) => {
            directory.set_number(plan.own.0)?;
            begin_alone(&plan, directory)?;
            Ok((Some(plan.own), Some(plan)))
        }
        Start::Join => Ok((None, None)),
    }
}

/// What a data directory says of itself.
pub(super) fn about(directory: &DataDir) -> Directory {
    Directory {
        cluster: directory.cluster(),
        number: directory.number().map(NodeNumber),
        agreed: directory.founders().is_some(),
    }
}

/// Begins a cluster as far as that takes nobody else: all the way at the only founder.
fn begin_alone(plan: &Plan, directory: &mut DataDir) -> Result<(), Error> {
    if plan.nodes.len() > 1 {
        return Ok(());
    }
    loop {
        let (uuid, written) = (directory.uuid(), directory.founders());
        let founder = Founder { own: plan.own, directory: uuid, count: 1, written };
        match founder.next(&BTreeMap::new()) {
            Next::Write(founders) => directory.set_founders(founders)?,
            Next::Wait(_) | Next::Resign | Next::Nothing => return Ok(()),
        }
    }
}
