//! The loop between the owner, the session and etcd.

use std::{
    future::pending,
    time::{Duration, Instant},
};

use tokio::{sync::oneshot, time::sleep_until};

use super::shell::Shell;
use crate::{
    error::Error,
    founding::Founded,
    handle::{Order, Seat},
    session::Session,
};

pub(super) async fn run(mut seat: Seat, mut session: Session, mut shell: Shell) {
    let mut asked: Option<oneshot::Sender<Result<Founded, Error>>> = None;
    let mut leaving: Option<oneshot::Sender<Result<(), Error>>> = None;
    loop {
        while let Some(action) = session.poll_action() {
            shell.begin(action);
        }
        if let Some(founded) = session.poll_founded() {
            // Whoever asked may have stopped waiting.
            asked.take().map(|asked| asked.send(founded).ok());
        }
        if let Some(left) = session.poll_left() {
            drop(seat.events);
            if let Some(leaving) = leaving {
                leaving.send(left).ok();
            }
            return;
        }
        if session.has_ended() && !session.has_event() {
            return;
        }
        let timeout = session.poll_timeout();
        tokio::select! {
            permit = seat.events.reserve(), if session.has_event() => match permit {
                Ok(permit) => if let Some(event) = session.poll_event() { permit.send(event) },
                Err(_) => return,
            },
            order = seat.orders.recv() => match order {
                Some(Order::Found { cluster, expected, reply }) => {
                    asked = Some(reply);
                    session.found(Instant::now(), cluster, expected);
                }
                Some(Order::Leave { within, reply }) => {
                    leaving = Some(reply);
                    session.leave(Instant::now(), within.min(LEAVE_MAX));
                }
                None => return,
            },
            Some(done) = shell.next(), if shell.is_busy() => {
                if let Some(input) = shell.finish(done) {
                    session.handle(Instant::now(), input);
                }
            }
            () = until(timeout) => session.handle_timeout(Instant::now()),
        }
    }
}

/// The longest goodbye.
const LEAVE_MAX: Duration = Duration::from_secs(60);

async fn until(timeout: Option<Instant>) {
    match timeout {
        Some(timeout) => sleep_until(timeout.into()).await,
        None => pending().await,
    }
}
