//! Ending on a signal without losing the summary.

use std::future::Future;
use std::io;
use std::sync::mpsc::Sender;
use std::thread;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::exit::Exit;
use crate::failure::Failure;
use mesh_wire::code::Code;

/// Tells a command that it is to end. Clones tell of the same signal.
///
/// The first SIGINT or SIGTERM asks; the second one ends the process where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Stop(watch::Receiver<Option<Exit>>);

impl Stop {
    /// Starts listening for signals.
    ///
    /// On a thread of its own: a command that is held up by whoever reads its output can be ended all the same.
    pub(crate) fn install() -> Result<Self, Failure> {
        let (tell, told) = watch::channel(None);
        let (ready, installed) = std::sync::mpsc::channel();
        thread::spawn(move || {
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_io().build() {
                Ok(runtime) => runtime,
                // Nobody waits for anything else of this thread.
                Err(error) => return drop(ready.send(Err(error))),
            };
            runtime.block_on(listen(&tell, &ready));
        });
        match installed.recv() {
            Ok(Ok(())) => Ok(Self(told)),
            Ok(Err(error)) => Err(Failure::new(Code::InternalError, "can't listen for signals").cause(error)),
            Err(error) => Err(Failure::new(Code::InternalError, "can't listen for signals").cause(error)),
        }
    }

    /// The exit status of the signal, once there was one.
    ///
    /// # Cancel safety
    /// Safe: a signal that came is still told later.
    pub(crate) async fn wait(&mut self) -> Exit {
        match self.0.wait_for(Option::is_some).await {
            Ok(told) => told.unwrap_or(Exit::Interrupted),
            // The listener ends with the process only.
            Err(_) => std::future::pending().await,
        }
    }

    /// Runs `work` unless a signal comes first.
    pub(crate) async fn or<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Failure> {
        tokio::select! {
            biased;
            done = work => Ok(done),
            exit = self.wait() => Err(Failure::Stopped(exit)),
        }
    }
}

async fn listen(tell: &watch::Sender<Option<Exit>>, ready: &Sender<io::Result<()>>) {
    let (mut interrupt, mut terminate) = match signal(SignalKind::interrupt())
        .and_then(|first| Ok((first, signal(SignalKind::terminate())?)))
    {
        Ok(signals) => signals,
        Err(error) => return drop(ready.send(Err(error))),
    };
    drop(ready.send(Ok(())));
    loop {
        let exit = tokio::select! {
            _ = interrupt.recv() => Exit::Interrupted,
            _ = terminate.recv() => Exit::Terminated,
        };
        if tell.send_replace(Some(exit)).is_some() {
            std::process::exit(exit as i32);
        }
    }
}
