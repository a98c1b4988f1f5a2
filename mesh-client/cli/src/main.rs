//! `mesh`: everything that a person does with a Mesh node.
//!
//! ```text
//!  cli (what was asked) ──► commands/… ──► mesh-client ──► node
//!                               │
//!                               ├─► output: data to standard output, the rest to standard error
//!                               └─► failure ──► exit status
//! ```
//!
//! One command per file under `commands`. Standard output gets data and nothing else; with `--json` it is JSON, and
//! errors on standard error are, too. The guide is `docs/guide/cli.md`.

mod cli;
mod commands;
mod contexts;
mod credentials;
mod exit;
mod failure;
mod header_arg;
mod input;
mod inquiry;
mod message;
mod output;
mod quantity;
mod session;
mod stop;
mod style;
mod subjects;
mod table;
mod target;
mod usage;

use std::env;
use std::process::ExitCode;

use clap::Parser as _;
use mesh_wire::code::Code;

use crate::cli::{Cli, Command, Global};
use crate::commands::{
    bench, cert, check, completions, context, demo, explain, group, node, publish, register, reply, request,
    service, subscribe,
};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::session::Session;
use crate::stop::Stop;
use crate::usage::Answer;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return not_parsed(&error),
    };
    let mut output = Output::new(cli.global.json);
    finish(run(&cli, &mut output), &mut output)
}

fn run(cli: &Cli, output: &mut Output) -> Result<(), Failure> {
    let global = &cli.global;
    match &cli.command {
        Command::Context(options) => context::run(options, global, output),
        Command::Cert(options) => cert::run(options, output),
        Command::Completions(options) => completions::run(options, output),
        Command::Explain(options) => explain::run(options, output),
        command => talk(command, global, output),
    }
}

/// Runs a command that talks to a node.
///
/// One thread: what a client does is mostly waiting, and a wake across threads costs more than the work. Only a
/// measurement of publishing has one more, on which the link is written while this one encodes (ADR 0040).
fn talk(command: &Command, global: &Global, output: &mut Output) -> Result<(), Failure> {
    let mut builder = match command {
        Command::Bench(options) if options.is_publishing() => tokio::runtime::Builder::new_multi_thread(),
        _ => tokio::runtime::Builder::new_current_thread(),
    };
    let runtime = builder
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Code::InternalError, "can't start").cause(error))?;
    let result = runtime.block_on(async {
        let mut session = Session { global, output, stop: Stop::install()? };
        // Boxed: the largest of these futures would otherwise be the size of all.
        match command {
            Command::Publish(options) => Box::pin(publish::run(options, &mut session)).await,
            Command::Subscribe(options) => Box::pin(subscribe::run(options, &mut session)).await,
            Command::Request(options) => Box::pin(request::run(options, &mut session)).await,
            Command::Reply(options) => Box::pin(reply::run(options, &mut session)).await,
            Command::Service(options) => Box::pin(service::run(options, &mut session)).await,
            Command::Node(options) => Box::pin(node::run(options, &mut session)).await,
            Command::Group(options) => Box::pin(group::run(options, &mut session)).await,
            Command::Register(options) => Box::pin(register::run(options, &mut session)).await,
            Command::Check(options) => Box::pin(check::run(options, &mut session)).await,
            Command::Bench(options) => Box::pin(bench::run(options, &mut session)).await,
            Command::Demo(options) => Box::pin(demo::run(options, &mut session)).await,
            Command::Cert(_) | Command::Context(_) | Command::Completions(_) | Command::Explain(_) => Ok(()),
        }
    });
    // A thread that waits for standard input must not hold up the end.
    runtime.shutdown_background();
    result
}

/// Tells what went wrong, if anything did, and gives the exit status.
fn finish(result: Result<(), Failure>, output: &mut Output) -> ExitCode {
    let flushed = output.flush();
    let Err(failure) = result.and(flushed) else {
        return Exit::Done.into();
    };
    if let Failure::Error(error) = &failure {
        output.error(error);
    }
    failure.exit().into()
}

/// Shows the help that was asked for, or what is wrong with the command line.
fn not_parsed(error: &clap::Error) -> ExitCode {
    let json = env::args_os().take_while(|argument| argument != "--").any(|argument| argument == "--json");
    let mut output = Output::new(json);
    match usage::answer(error) {
        Answer::Data(text) => {
            let shown = output.help(&text);
            finish(shown, &mut output)
        }
        Answer::Help(text) => {
            output.help_beside(&text);
            Exit::Usage.into()
        }
        Answer::Mistake(failure) => finish(Err(failure), &mut output),
    }
}
