//! What fails on purpose, in builds for tests: by `MESH_FAULTS`.
//!
//! A list of faults with commas or line ends between: `bug=NAME` brings a known bug back, `clock=+1h` and `clock=-1h` put
//! the node's clock off, and the rest is what the disk does (`fail-sync=N`, `fail-write=N`, `flip-read=N`,
//! `sync-delay=500ms`, `full`, `forget-unsynced`). `file=PATH` takes the list from a file, and looks at it again a few times
//! a second: what is in it then takes the place of what was. Bugs are taken at the start only.

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use mesh_log::{
    bug::{Bug, Bugs},
    vfs::{
        Vfs,
        faulty::{Faults, Faulty},
        real::Real,
    },
};

use super::Error;

/// The environment variable.
const VARIABLE: &str = "MESH_FAULTS";
/// How often a file is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How far the node's clock is off, in milliseconds.
static CLOCK_OFF_MS: AtomicI64 = AtomicI64::new(0);

/// What the node's clock says, put off.
pub(super) fn wall_ms(wall_ms: u64) -> u64 {
    wall_ms.saturating_add_signed(CLOCK_OFF_MS.load(Ordering::Relaxed))
}

/// The disk, and which bugs are back.
pub(super) fn disk() -> Result<(Arc<dyn Vfs>, Bugs), Error> {
    let given = std::env::var(VARIABLE).unwrap_or_default();
    let faults = Arc::new(Faults::none());
    let file = given.strip_prefix("file=").map(PathBuf::from);
    let text = match &file {
        // One that is not there yet has no faults in it.
        Some(path) => fs::read_to_string(path).unwrap_or_default(),
        None => given,
    };
    let bugs = apply(&text, &faults)?;
    if let Some(path) = file {
        let faults = Arc::clone(&faults);
        std::thread::Builder::new().name("mesh-faults".into()).spawn(move || watch(&path, &text, &faults))?;
    }
    Ok((Arc::new(Faulty::new(Arc::new(Real), faults)), bugs))
}

fn watch(path: &std::path::Path, first: &str, faults: &Faults) {
    let mut last = first.to_owned();
    loop {
        std::thread::sleep(LOOK_EVERY);
        let Ok(text) = fs::read_to_string(path) else { continue };
        if text == last {
            continue;
        }
        match apply(&text, faults) {
            Ok(_) => tracing::warn!(faults = text.trim(), "other faults from now on"),
            Err(error) => tracing::error!(%error, "these faults can't be"),
        }
        last = text;
    }
}

/// Lets these faults happen from now on, and no others.
fn apply(text: &str, faults: &Faults) -> Result<Bugs, Error> {
    let (mut bugs, mut clock_ms, mut disk) = (Bugs::default(), 0, Vec::new());
    for part in text.split([',', '\n']).map(str::trim).filter(|part| !part.is_empty()) {
        let unknown = || Error::Faults(format!("there is no fault `{part}`"));
        match part.split_once('=') {
            Some(("bug", name)) => {
                let bug = Bug::ALL.into_iter().find(|bug| bug.as_str() == name);
                bugs = bugs.with(bug.ok_or_else(unknown)?);
            }
            Some(("clock", by)) => {
                let (sign, by) = by.split_at_checked(1).ok_or_else(unknown)?;
                let by = humantime::parse_duration(by).map_err(|_| unknown())?;
                let by = i64::try_from(by.as_millis()).map_err(|_| unknown())?;
                clock_ms = if sign == "-" { -by } else { by };
            }
            _ => disk.push(part),
        }
    }
    faults.set(disk.iter().copied()).map_err(|error| Error::Faults(error.to_string()))?;
    CLOCK_OFF_MS.store(clock_ms, Ordering::Relaxed);
    Ok(bugs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_faults() {
        let faults = Faults::none();
        let bugs = apply("bug=stale-read\nbug=forget-vote,sync-delay=5ms\n", &faults).unwrap();
        assert!(bugs.has(Bug::StaleRead) && bugs.has(Bug::ForgetVote) && !bugs.has(Bug::ApplyTwice));
        apply("clock=-1h", &faults).unwrap();
        assert_eq!(wall_ms(3_600_001), 1);
        apply("", &faults).unwrap();
        assert_eq!(wall_ms(7), 7);
        for wrong in ["bug=none", "clock=soon", "clock=", "sync-delay=5", "burn"] {
            assert!(matches!(apply(wrong, &faults), Err(Error::Faults(_))), "{wrong}");
        }
    }
}
