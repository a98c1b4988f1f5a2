//! Known bugs are found, each by the trial that is made for it; and the trial passes without.

use std::time::Duration;

use serde_json::json;

use crate::arguments::Arguments;
use crate::cluster::Programs;
use crate::report;
use crate::trial::{self, Outcome, Settings};
use crate::trials::{BUGS, Bug};

/// Schedules end by themselves; this is for those that ask for a time.
const TIME: Duration = Duration::from_secs(10);

/// Whether every bug was found, and nothing was without it.
pub(crate) async fn look(arguments: &Arguments, programs: &Programs) -> anyhow::Result<bool> {
    let mut all = true;
    for bug in BUGS {
        let with = run(arguments, programs, bug, Some(bug.name)).await?;
        let without = run(arguments, programs, bug, None).await?;
        let found = with.verdict.unread == 0 && (bug.shows)(&with);
        let passed = without.passed();
        all &= found && passed;
        if arguments.json {
            let clean = report::object(&bug.trial, arguments.seed, &without);
            let broken = report::object(&bug.trial, arguments.seed, &with);
            let object = json!({
                "bug": bug.name, "found": found, "passed_without": passed, "with": broken, "without": clean,
            });
            crate::say(&object.to_string())?;
        } else {
            let with = if found { "found".to_owned() } else { format!("NOT FOUND: {}", told(&with)) };
            let without = if passed { "passes".to_owned() } else { format!("FAILS: {}", told(&without)) };
            crate::say(&format!("{:20} {with}; without it the trial {without}", bug.name))?;
        }
    }
    Ok(all)
}

async fn run(
    arguments: &Arguments,
    programs: &Programs,
    bug: &Bug,
    name: Option<&str>,
) -> anyhow::Result<Outcome> {
    let folder =
        tempfile::Builder::new().prefix("mesh-nemesis-").disable_cleanup(arguments.keep).tempdir()?;
    let settings = Settings { programs, folder: folder.path(), seed: arguments.seed, time: TIME, bug: name };
    let outcome = trial::run(&bug.trial, &settings).await;
    if arguments.keep {
        crate::note(&format!("{} {name:?}: kept in {}", bug.name, folder.path().display()));
    }
    Ok(outcome.unwrap_or_else(|error| Outcome::broken_off(format!("{error:#}"))))
}

fn told(outcome: &Outcome) -> String {
    format!("{:?} {}", outcome.verdict, outcome.complaints.join("; "))
}
