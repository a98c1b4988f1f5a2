//! `mesh bench connections`

use clap::Args;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use mesh_wire::code::Code;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::failure::Failure;
use crate::input;
use crate::output::Ready;
use crate::quantity;
use crate::session::{Lost, Session};
use crate::target::Target;

/// Connections that are opened at once.
const AT_ONCE: usize = 64;
/// Files that this process needs beside its connections.
const OTHER_FILES: u64 = 64;

/// `mesh bench connections`
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many
    #[arg(long, value_name = "N", default_value = "1k", value_parser = quantity::count)]
    count: u64,
}

/// Opens the connections, says so, and holds them until standard input ends.
pub(super) async fn run(options: &Options, session: &mut Session<'_>) -> Result<(), Failure> {
    allow_files(options.count)?;
    let target = Target::resolve(session.global)?;
    let mut held = Vec::new();
    {
        let this = &*session;
        let mut opening = stream::iter(0..options.count)
            .map(|at| {
                let target = &target;
                async move {
                    let client = this.connect_quietly(target, Lost::Ends).await?;
                    let subscription = client.subscribe(&format!("bench.{at}")).capacity(64).await?;
                    Ok::<_, Failure>((client, subscription))
                }
            })
            .buffer_unordered(AT_ONCE);
        let mut stop = session.stop.clone();
        while let Some(one) = stop.or(opening.try_next()).await?? {
            held.push(one);
        }
    }
    session.output.ready(&Ready { count: Some(held.len()), ..Ready::default() })?;
    let mut stop = session.stop.clone();
    stop.or(input::ended()).await?;
    let lost = held.iter().filter(|(client, _)| !client.is_connected()).count();
    if lost > 0 {
        return Err(Failure::new(
            Code::Disconnected,
            format!("{lost} of {} connections were lost", held.len()),
        ));
    }
    Ok(())
}

/// Lets this process open as many files as it needs, as far as the system allows.
fn allow_files(connections: u64) -> Result<(), Failure> {
    let limit = getrlimit(Resource::Nofile);
    let needed = connections.saturating_add(OTHER_FILES);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    let refused = || {
        Failure::usage(format!("{connections} connections need as many open files"))
            .cause(format!("this user may open {}", limit.maximum.unwrap_or(u64::MAX)))
            .hint(format!("raise the limit with ulimit -Hn {needed}, or ask for fewer"))
    };
    if limit.maximum.is_some_and(|maximum| maximum < needed) {
        return Err(refused());
    }
    setrlimit(Resource::Nofile, Rlimit { current: Some(needed), maximum: limit.maximum })
        .map_err(|_| refused())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_files_than_the_system_has_are_refused() {
        assert!(allow_files(1).is_ok());
        if getrlimit(Resource::Nofile).maximum.is_some() {
            assert_eq!(allow_files(u64::MAX).unwrap_err().code(), Some(Code::UsageError));
        }
    }
}
