//! `mesh-node log`: work on the data directory of a node that does not run.

use std::{
    io::{self, BufWriter, Write},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
};

use bytes::Bytes;
use clap::{Args, Subcommand};
use mesh_log::{
    directory::{self, DataDir},
    files::Reach,
    lanes::Lanes,
    log::{Damage, Part, RecoveredGroup},
    offline::{self, GroupReport, Report as Found, Told},
    vfs::{Vfs, real::Real},
};
use mesh_replica::whole;
use mesh_wire::code::{Code, Report};
use serde_json::{Value as Json, json};

/// What to do with the log of a data directory. No node may be running on it.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Log {
    /// Read everything in it and say what is damaged; exit status 0 when nothing is
    Verify(Where),
    /// Print the records of its log, one on a line
    Dump {
        /// The data directory
        dir: PathBuf,
    },
    /// Cut its log where it is damaged, so that a node can start again
    Repair {
        /// Which one, and how to answer
        #[command(flatten)]
        place: Where,
        /// Agree to lose what is damaged, and what can't be used without it
        #[arg(long)]
        accept_loss: bool,
    },
}

/// Which data directory.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Where {
    /// The data directory
    pub dir: PathBuf,
    /// Print one JSON object instead of words
    #[arg(long)]
    pub json: bool,
}

/// What went wrong.
struct Failure {
    code: Code,
    message: String,
    json: bool,
}

impl Failure {
    fn print(&self) -> ExitCode {
        let text = if self.json {
            json!({ "code": self.code.to_string(), "message": self.message, "hint": self.code.hint() })
                .to_string()
        } else {
            Report::new(self.code, self.message.as_str()).to_string()
        };
        writeln!(io::stderr(), "{text}").ok();
        ExitCode::FAILURE
    }
}

/// Does it. Exit status 0 when all is well.
#[must_use]
pub fn run(command: &Log) -> ExitCode {
    let done = match command {
        Log::Verify(place) => verify(place),
        Log::Dump { dir } => dump(dir),
        Log::Repair { place, accept_loss } => repair(place, *accept_loss),
    };
    done.unwrap_or_else(|failure| failure.print())
}

fn open(place: &Where) -> Result<(DataDir, Arc<dyn Vfs>), Failure> {
    let failed = |error: directory::Error| Failure {
        code: error.code(),
        message: error.to_string(),
        json: place.json,
    };
    Ok((DataDir::open_offline(&place.dir).map_err(failed)?, Arc::new(Real)))
}

fn failed(json: bool) -> impl Fn(offline::Error) -> Failure {
    move |error| Failure { code: error.code(), message: error.to_string(), json }
}

/// Reads a data directory with what its checkpoints say.
fn with_told<T>(dir: &DataDir, vfs: &Arc<dyn Vfs>, work: impl FnOnce(Told<'_>) -> T) -> T {
    let reach = Reach::of(vfs.as_ref(), dir.path());
    let lacking = |group, checkpoint: Option<&Bytes>, recovered: Option<&RecoveredGroup>, lanes: &Lanes| {
        let lacks = whole::lacking(group, checkpoint, recovered, lanes, &|location| reach.has(location));
        lacks.iter().map(ToString::to_string).collect()
    };
    work(Told { lacking: &lacking, in_log: &whole::in_log })
}

fn look(dir: &DataDir, vfs: &Arc<dyn Vfs>, json: bool) -> Result<Found, Failure> {
    with_told(dir, vfs, |told| offline::verify(vfs, dir.path(), dir.uuid(), told)).map_err(failed(json))
}

fn verify(place: &Where) -> Result<ExitCode, Failure> {
    let (dir, vfs) = open(place)?;
    let found = look(&dir, &vfs, place.json)?;
    if place.json {
        say(&report_json(&dir, &found).to_string(), true)?;
    } else {
        say(&report_text(&dir, &found), false)?;
    }
    if !found.is_damaged() {
        return Ok(ExitCode::SUCCESS);
    }
    let message = format!("data directory {} is damaged", dir.path().display());
    Err(Failure { code: damage_code(&found), message, json: place.json })
}

fn dump(dir: &std::path::Path) -> Result<ExitCode, Failure> {
    let place = Where { dir: dir.to_owned(), json: false };
    let (dir, vfs) = open(&place)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let dumped = offline::dump(&vfs, dir.path(), dir.uuid(), &mut out);
    match dumped.and_then(|()| Ok(out.flush()?)) {
        // Whoever reads has seen enough.
        Err(offline::Error::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            Ok(ExitCode::SUCCESS)
        }
        dumped => dumped.map(|()| ExitCode::SUCCESS).map_err(failed(false)),
    }
}

fn repair(place: &Where, accept_loss: bool) -> Result<ExitCode, Failure> {
    let (dir, vfs) = open(place)?;
    if !accept_loss {
        let found = look(&dir, &vfs, place.json)?;
        if !found.is_damaged() {
            return say_repaired(&dir, &found, &[], place.json);
        }
        let text = if place.json { report_json(&dir, &found).to_string() } else { report_text(&dir, &found) };
        say(&text, place.json)?;
        let message = "this would be lost for good, and nobody agreed to that".to_owned();
        return Err(Failure { code: Code::RepairNeedsConsent, message, json: place.json });
    }
    let repaired = with_told(&dir, &vfs, |told| offline::repair(&vfs, dir.path(), dir.uuid(), told));
    let repaired = repaired.map_err(failed(place.json))?;
    say_repaired(&dir, &repaired.before, &repaired.aside, place.json)?;
    let left = look(&dir, &vfs, place.json)?;
    if !left.is_damaged() {
        return Ok(ExitCode::SUCCESS);
    }
    // A repair cuts the log; it makes no checkpoint or segment whole.
    let message = "what is damaged outside the log is not repaired".to_owned();
    Err(Failure { code: damage_code(&left), message, json: place.json })
}

fn say_repaired(
    dir: &DataDir,
    before: &Found,
    aside: &[PathBuf],
    as_json: bool,
) -> Result<ExitCode, Failure> {
    if as_json {
        let mut json = report_json(dir, before);
        json["repaired"] =
            json!(!before.damage.is_empty() || before.groups.values().any(|group| group.suspect));
        json["aside"] = json!(aside.iter().map(|path| path.display().to_string()).collect::<Vec<_>>());
        say(&json.to_string(), true)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut text = String::new();
    for damage in &before.damage {
        text += &format!("cut: {}\n", damage_text(damage));
    }
    for (group, report) in before.groups.iter().filter(|(_, report)| report.suspect) {
        text += &format!("lost: group {group}: {}\n", lost_text(report));
    }
    if !before.accepted {
        for (group, what) in &before.lacking {
            text += &format!("lost: group {group}: {what}\n");
        }
    }
    for path in aside {
        text += &format!("kept: {}\n", path.display());
    }
    if text.is_empty() {
        text += "the log is not damaged: nothing was changed\n";
    }
    say(&text, false)?;
    Ok(ExitCode::SUCCESS)
}

fn say(text: &str, json: bool) -> Result<(), Failure> {
    let written = write!(io::stdout(), "{text}{}", if json { "\n" } else { "" });
    written.map_err(|error| Failure { code: Code::OutputFailed, message: error.to_string(), json })
}

fn damage_code(found: &Found) -> Code {
    let in_log = !found.damage.is_empty() || found.groups.values().any(|group| group.suspect);
    match found.store.first() {
        _ if in_log => Code::LogDamaged,
        Some(damage) => damage.code(),
        None if !found.pieces.is_empty() => Code::SegmentDamaged,
        None => Code::DataDirIncomplete,
    }
}

fn damage_text(damage: &Damage) -> String {
    let Damage { file, offset, len, what, groups } = damage;
    let whose = match groups {
        None => "any group".to_owned(),
        Some(groups) if groups.is_empty() => "no group".to_owned(),
        Some(groups) => {
            let groups: Vec<String> = groups.iter().map(ToString::to_string).collect();
            format!("group {}", groups.join(", "))
        }
    };
    format!("file {:016x}: {}, {len} bytes from {offset} on; concerns {whose}", file.0, what.as_str())
}

fn lost_text(group: &GroupReport) -> String {
    match group.lost {
        Some((first, last)) => format!("entries {first} to {last} at least; {} is the last left", group.last),
        None => format!("perhaps entries behind {}, or what it voted for", group.last),
    }
}

fn report_text(dir: &DataDir, found: &Found) -> String {
    let used = found.files.iter().filter(|file| file.part != Part::Empty);
    let bytes: u64 = used.clone().map(|file| file.bytes).sum();
    let mut text = format!(
        "data directory {} of node {} in cluster {}, format {}\n",
        dir.uuid(),
        dir.data().node_name,
        dir.data().cluster_name,
        dir.data().format
    );
    text += &format!(
        "log: {} files in use, {bytes} bytes, {} blocks\n",
        used.clone().count(),
        used.map(|file| file.blocks).sum::<u64>()
    );
    text += &format!("segments: {}, {} bytes of records\n", found.segments, found.segment_bytes);
    text += &format!("checkpoints: {}\n", found.checkpoints.len());
    for (id, group) in &found.groups {
        let gone = if group.removed { ", removed" } else { "" };
        text += &format!(
            "group {id}: term {}, vote {}, commit {}, entries {} to {}{gone}\n",
            group.state.term,
            group.state.vote,
            group.state.commit,
            group.cut.0 + 1,
            group.last
        );
    }
    if found.torn_bytes > 0 {
        text += &format!("torn: {} bytes at the end, which nobody was told of\n", found.torn_bytes);
    }
    for damage in &found.harmless {
        text += &format!("harmless: {}\n", damage_text(damage));
    }
    for damage in &found.damage {
        text += &format!("damaged: {}\n", damage_text(damage));
    }
    for damage in &found.store {
        text += &format!("damaged: {damage}\n");
    }
    for at in &found.pieces {
        let (lane, first) = (at.piece.lane.0, at.piece.first);
        text += &format!(
            "damaged: file {:016x}: group {}, lane {lane}, {} records from {first} on\n",
            at.piece.location.file.0, at.group, at.piece.count
        );
    }
    for (id, group) in found.groups.iter().filter(|(_, group)| group.suspect) {
        text += &format!("lost: group {id}: {}\n", lost_text(group));
    }
    let agreed = if found.accepted { ", as was agreed to" } else { "" };
    for (group, what) in &found.lacking {
        text += &format!("missing: group {group}: {what}{agreed}\n");
    }
    if !found.is_damaged() {
        text += "nothing is damaged\n";
    }
    text
}

fn damage_json(damage: &Damage) -> Json {
    json!({
        "file": format!("{:016x}", damage.file.0),
        "offset": damage.offset,
        "bytes": damage.len,
        "what": damage.what.as_str(),
        "groups": damage.groups.as_ref().map(|groups| groups.iter().map(|group| group.0).collect::<Vec<_>>()),
    })
}

fn report_json(dir: &DataDir, found: &Found) -> Json {
    let files: Vec<Json> = found
        .files
        .iter()
        .map(|file| {
            let extents = file.groups.iter().map(|extent| {
                json!({
                    "group": extent.group.0, "first": extent.first, "last": extent.last, "bytes": extent.bytes
                })
            });
            json!({
                "file": format!("{:016x}", file.file.0),
                "bytes": file.bytes,
                "in_use": file.part != Part::Empty,
                "blocks": file.blocks,
                "groups": extents.collect::<Vec<_>>(),
            })
        })
        .collect();
    let groups: Vec<Json> = found
        .groups
        .iter()
        .map(|(id, group)| {
            json!({
                "group": id.0,
                "term": group.state.term,
                "vote": group.state.vote,
                "commit": group.state.commit,
                "cut": group.cut.0,
                "entries": group.entries,
                "last": group.last,
                "removed": group.removed,
                "suspect": group.suspect,
                "lost": group.lost.map(|(first, last)| json!({ "first": first, "last": last })),
            })
        })
        .collect();
    let pieces = found.pieces.iter().map(|at| {
        let (piece, group) = (&at.piece, at.group.0);
        let file = format!("{:016x}", piece.location.file.0);
        json!({
            "file": file, "group": group, "lane": piece.lane.0, "first": piece.first, "count": piece.count
        })
    });
    let lacking = found.lacking.iter().map(|(group, what)| json!({ "group": group.0, "what": what }));
    json!({
        "directory": dir.uuid().to_string(),
        "cluster": dir.cluster().map(|uuid| uuid.to_string()),
        "format": dir.data().format,
        "damaged": found.is_damaged(),
        "files": files,
        "groups": groups,
        "damage": found.damage.iter().map(damage_json).collect::<Vec<_>>(),
        "harmless": found.harmless.iter().map(damage_json).collect::<Vec<_>>(),
        "torn_bytes": found.torn_bytes,
        "checkpoints": found.checkpoints.len(),
        "segments": found.segments,
        "segment_bytes": found.segment_bytes,
        "store_damage": found.store.iter().map(|damage| json!({
            "code": damage.code().to_string(),
            "path": damage.path.display().to_string(),
            "lost": damage.lost,
        })).collect::<Vec<_>>(),
        "damaged_records": pieces.collect::<Vec<_>>(),
        "missing": lacking.collect::<Vec<_>>(),
        "loss_accepted": found.accepted,
    })
}
