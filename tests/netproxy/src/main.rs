//! `mesh-netproxy`: a network that misbehaves, for scripts.

mod arguments;
mod session;

use std::io::{self, BufRead};
use std::process::ExitCode;
use std::thread;

use anyhow::Context;
use clap::Parser;
use mesh_netproxy::{Plan, Proxy};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::arguments::Arguments;
use crate::session::Session;

/// Commands that are read before the first was done.
const COMMANDS_MAX: usize = 16;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let plan = Plan::both(arguments.faults.faults()).listen(arguments.listen);
    let proxy = Proxy::start(arguments.target, arguments.seed, plan)
        .with_context(|| format!("can't listen on {}", arguments.listen))?;
    let session = Session::begin(proxy, arguments.faults, arguments.target)?;
    let mut commands = commands();
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    loop {
        let line = tokio::select! {
            line = commands.recv() => line,
            _ = interrupted.recv() => None,
            _ = terminated.recv() => None,
        };
        match line {
            Some(line) if session.obey(&line)? => {}
            _ => break,
        }
    }
    session.end()?;
    Ok(ExitCode::SUCCESS)
}

/// The lines of standard input. It has a thread of its own: reading it can't be cancelled.
fn commands() -> mpsc::Receiver<String> {
    let (send, receive) = mpsc::channel(COMMANDS_MAX);
    thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if send.blocking_send(line).is_err() {
                return;
            }
        }
    });
    receive
}
