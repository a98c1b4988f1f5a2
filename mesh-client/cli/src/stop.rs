//! Ending on a signal without losing the summary.

use std::future::Future;

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
    /// Starts listening for signals; needs a runtime around it.
    pub(crate) fn install() -> Result<Self, Failure> {
        let listen = |kind| {
            signal(kind)
                .map_err(|error| Failure::new(Code::InternalError, "can't listen for signals").cause(error))
        };
        let mut interrupt = listen(SignalKind::interrupt())?;
        let mut terminate = listen(SignalKind::terminate())?;
        let (tell, told) = watch::channel(None);
        tokio::spawn(async move {
            loop {
                let exit = tokio::select! {
                    _ = interrupt.recv() => Exit::Interrupted,
                    _ = terminate.recv() => Exit::Terminated,
                };
                if tell.send_replace(Some(exit)).is_some() {
                    std::process::exit(exit as i32);
                }
            }
        });
        Ok(Self(told))
    }

    /// The exit status of the signal, once there was one.
    ///
    /// # Cancel safety
    /// Safe: a signal that came is still told later.
    pub(crate) async fn wait(&mut self) -> Exit {
        match self.0.wait_for(Option::is_some).await {
            Ok(told) => told.unwrap_or(Exit::Interrupted),
            // The listener ends with the runtime only.
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
