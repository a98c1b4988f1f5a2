//! Finding out what there is.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::Path,
    sync::Arc,
};

use parking_lot::{Mutex, RwLock};

use super::{
    Damage, DamageKind, Keeper, OpenError, Options, Restored,
    build::{Builder, Current},
};
use crate::{
    checkpoint::{self, CHECKPOINT_DIR},
    files::{Files, Part, SEGMENT_DIR, built_number, data_path, id_of, index_path, is_built},
    id::{FileId, GroupId},
    lanes::{Lanes, NOWHERE},
    segment::{
        Page, Segment,
        block::{self, Scan},
        index::{self, Directory},
    },
    vfs::{File, Vfs},
};

/// So much is written again at a time.
const AGAIN_BYTES: usize = 1 << 20;

pub(super) fn open(vfs: Arc<dyn Vfs>, dir: &Path, options: Options) -> Result<(Keeper, Restored), OpenError> {
    let segment_dir = dir.join(SEGMENT_DIR);
    let checkpoint_dir = dir.join(CHECKPOINT_DIR);
    if !options.read_only {
        for dir in [&segment_dir, &checkpoint_dir] {
            vfs.create_dir(dir).map_err(OpenError::io(dir))?;
        }
        // What the process before this one named may not have its name durably, and counts from now on.
        for dir in [dir, &segment_dir, &checkpoint_dir] {
            vfs.sync_dir(dir).map_err(OpenError::io(dir))?;
        }
    }
    let names = list(&*vfs, &segment_dir, options.read_only)?;
    let indexed: BTreeSet<FileId> = names.iter().filter_map(|name| id_of(name, "idx")).collect();
    let built: BTreeSet<FileId> = names.iter().filter_map(|name| id_of(name, "seg")).collect();
    let built = built.into_iter().filter(|file| is_built(*file));
    let all: BTreeSet<FileId> =
        built.chain(indexed.iter().copied()).filter(|file| *file != NOWHERE).collect();
    let next = all.iter().filter_map(|file| built_number(*file)).max().map_or(1, |last| last + 1);
    let builder = Builder { next, seed: options.seed, counts: BTreeMap::new(), current: None };
    let keeper = Keeper {
        files: Files::new(vfs.clone(), dir, options.open_files_max),
        vfs,
        dir: dir.to_owned(),
        options,
        segments: RwLock::default(),
        builder: Mutex::new(builder),
    };
    let mut restored = Restored::default();
    load_checkpoints(&keeper, &mut restored)?;
    // The latest first: where two have the same records, those are the copies that were made later, of damaged ones too.
    for file in all.into_iter().rev() {
        load_segment(&keeper, &mut restored, file, indexed.contains(&file))?;
    }
    restored.damage.sort_by(|a, b| a.path.cmp(&b.path));
    Ok((keeper, restored))
}

fn list(vfs: &dyn Vfs, dir: &Path, may_lack: bool) -> Result<Vec<std::path::PathBuf>, OpenError> {
    match vfs.list(dir) {
        Err(error) if may_lack && error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        other => other.map_err(OpenError::io(dir)),
    }
}

fn load_checkpoints(keeper: &Keeper, restored: &mut Restored) -> Result<(), OpenError> {
    let dir = keeper.dir.join(CHECKPOINT_DIR);
    let all = match checkpoint::load_all(&*keeper.vfs, &keeper.dir) {
        Err(error) if keeper.options.read_only && error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
        other => other.map_err(OpenError::io(&dir))?,
    };
    for (group, loaded) in all {
        match loaded {
            Ok(bytes) => _ = restored.checkpoints.insert(group, bytes),
            Err(unreadable) => restored.damage.push(Damage {
                path: checkpoint::path(&keeper.dir, group),
                kind: match unreadable {
                    checkpoint::Unreadable::Version(_) => DamageKind::Version,
                    _ => DamageKind::Checkpoint,
                },
                groups: Some(vec![group]),
                lost: format!("the state of group {group}: {unreadable}"),
            }),
        }
    }
    Ok(())
}

fn load_segment(
    keeper: &Keeper,
    restored: &mut Restored,
    file: FileId,
    has_index: bool,
) -> Result<(), OpenError> {
    if !is_built(file) {
        restored.kept.insert(file);
    }
    let directory = if has_index {
        let read = keeper.files.get(file, Part::Index);
        let read = read.map_err(|error| index::Unreadable::Io(error.to_string()));
        read.and_then(|data| Directory::read(&*data, file))
    } else {
        return rebuild(keeper, restored, file, None);
    };
    match directory {
        Ok(directory) => load_directory(keeper, restored, directory),
        Err(unreadable) if is_built(file) => return rebuild(keeper, restored, file, Some(unreadable)),
        Err(unreadable) => {
            let lost = format!("what is in {}: {unreadable}", data_path(&keeper.dir, file).display());
            restored.damage.push(index_damage(keeper, file, &unreadable, None, lost));
            restored.lanes.load_unreadable(file);
        }
    }
    Ok(())
}

fn load_directory(keeper: &Keeper, restored: &mut Restored, directory: Directory) {
    let file = directory.file();
    if let Some(damage) = check_data(keeper, &directory) {
        restored.damage.push(damage);
    }
    for (at, line) in directory.lines().iter().enumerate() {
        if restored.lanes.load(line.group, line.lane, line.chunk).is_ok() {
            continue;
        }
        // Some of them are in a later segment too.
        match Page::default().read(&directory, at, &keeper.files) {
            Ok(pieces) => pieces.iter().for_each(|piece| restored.lanes.load_piece(line.group, *piece)),
            Err(error) => restored.damage.push(index_damage(
                keeper,
                file,
                &index::Unreadable::Io(error.to_string()),
                Some(vec![line.group]),
                format!("where records {} to {} of a lane are", line.chunk.first, line.chunk.last),
            )),
        }
    }
    let pieces = directory.lines().iter().map(|line| u64::from(line.chunk.pieces)).sum();
    restored.lanes.load_segment(file, directory.piece_bytes(), pieces);
    keeper.builder.lock().counts.insert(file, pieces);
    keeper.segments.write().insert(file, Arc::new(Segment::Indexed(directory)));
}

/// Compares the length of a segment with its index.
fn check_data(keeper: &Keeper, directory: &Directory) -> Option<Damage> {
    let is = keeper.files.get(directory.file(), Part::Data).and_then(|data| data.size());
    let what = match is {
        Ok(is) if is >= directory.data_bytes() => return None,
        Ok(is) => format!("it has {is} bytes of {}", directory.data_bytes()),
        Err(error) => error.to_string(),
    };
    let lines = directory.lines();
    let groups: BTreeSet<GroupId> = lines.iter().map(|line| line.group).collect();
    let pieces: u64 = lines.iter().map(|line| u64::from(line.chunk.pieces)).sum();
    let lost =
        format!("some or all of {pieces} pieces with {} bytes of records: {what}", directory.piece_bytes());
    let path = data_path(&keeper.dir, directory.file());
    Some(Damage { path, kind: DamageKind::Segment, groups: Some(groups.into_iter().collect()), lost })
}

fn index_damage(
    keeper: &Keeper,
    file: FileId,
    unreadable: &index::Unreadable,
    groups: Option<Vec<GroupId>>,
    lost: String,
) -> Damage {
    let kind = match unreadable {
        index::Unreadable::Version(_) => DamageKind::Version,
        _ => DamageKind::Index,
    };
    Damage { path: index_path(&keeper.dir, file), kind, groups, lost }
}

/// Makes the index of a built segment from the segment. `was`: what was wrong with the one that it had.
fn rebuild(
    keeper: &Keeper,
    restored: &mut Restored,
    file: FileId,
    was: Option<index::Unreadable>,
) -> Result<(), OpenError> {
    let path = data_path(&keeper.dir, file);
    let scanned = keeper.files.get(file, Part::Data).and_then(|data| block::scan(&*data, file));
    let scan = match scanned {
        Ok(scan) => scan,
        Err(error) => Scan { damage: Some(error.to_string()), torn: true, ..Scan::default() },
    };
    if let Some(unreadable) = &was {
        let lost = match &scan.damage {
            None => format!("nothing, it is made again from {}: {unreadable}", path.display()),
            Some(_) => unreadable.to_string(),
        };
        let groups = scan.damage.is_none().then(Vec::new);
        restored.damage.push(index_damage(keeper, file, unreadable, groups, lost));
    }
    if let Some(version) = scan.version {
        let lost = format!("all records in it: it has format {version}, which this version does not know");
        restored.damage.push(Damage { path, kind: DamageKind::Version, groups: None, lost });
        restored.lanes.load_unreadable(file);
        return Ok(());
    }
    if let Some(damage) = &scan.damage {
        let (lost, path) = (format!("some records: {damage}"), path.clone());
        restored.damage.push(Damage { path, kind: DamageKind::Segment, groups: None, lost });
        restored.lanes.load_unreadable(file);
    }
    let is_sound = scan.damage.is_none();
    if is_sound && !keeper.options.read_only {
        settle(keeper, file, scan.end).map_err(OpenError::io(&path))?;
    }
    let of_known_format = !matches!(was, Some(index::Unreadable::Version(_)));
    let resumable = is_sound && !scan.torn && was.is_none() && scan.end < keeper.options.segment_bytes;
    adopt(keeper, &mut restored.lanes, file, &scan);
    if keeper.options.read_only {
        return Ok(());
    }
    if resumable && keeper.builder.lock().current.is_none() {
        if let Ok(data) = keeper.vfs.open(&data_path(&keeper.dir, file), false) {
            resume(keeper, file, &scan, data);
        }
    } else if is_sound && of_known_format {
        // Without it the segment is scanned again the next time; nothing else is the worse for it.
        drop(keeper.finish(file));
        keeper.files.close(file);
    }
    Ok(())
}

/// What was read of a segment that was growing may never have been made durable, and the log is going to rely on it. When
/// a sync failed the system may even take it for clean; so it is written again before it is synced.
fn settle(keeper: &Keeper, file: FileId, end: u64) -> io::Result<()> {
    let data = keeper.vfs.open(&data_path(&keeper.dir, file), false)?;
    let mut bytes = vec![0; usize::try_from(end).unwrap_or(AGAIN_BYTES).min(AGAIN_BYTES)];
    let mut at = 0;
    while at < end {
        let want = usize::try_from(end - at).unwrap_or(AGAIN_BYTES).min(AGAIN_BYTES);
        let got = data.read_at(&mut bytes[..want], at)?;
        if got == 0 {
            break;
        }
        data.write_at(&mut [io::IoSlice::new(&bytes[..got])], at)?;
        at += got as u64;
    }
    data.sync_data()
}

fn adopt(keeper: &Keeper, lanes: &mut Lanes, file: FileId, scan: &Scan) {
    let pieces = index::sorted(scan.pieces.clone());
    let bytes = pieces.iter().map(|(_, piece)| u64::from(piece.location.len)).sum();
    for (group, piece) in &pieces {
        lanes.load_piece(*group, *piece);
    }
    lanes.load_segment(file, bytes, pieces.len() as u64);
    keeper.builder.lock().counts.insert(file, pieces.len() as u64);
    let known: BTreeMap<_, _> =
        pieces.into_iter().map(|(group, piece)| ((group, piece.lane, piece.first), piece)).collect();
    keeper.segments.write().insert(file, Arc::new(Segment::Growing(RwLock::new(known))));
}

fn resume(keeper: &Keeper, file: FileId, scan: &Scan, data: Box<dyn File>) {
    let current = Current { file, data, salt: scan.salt, number: scan.number, end: scan.end };
    keeper.builder.lock().current = Some(current);
}
