//! The loop of the thread that writes.

use std::{
    io,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use parking_lot::Mutex;

use super::{Event, Options, desk::Desk, queue::Queue};
use crate::log::WriteError;

/// How long it sleeps when everything is said. It is woken when there is more.
const MARKED: Duration = Duration::from_secs(3600);

struct Loop<F> {
    desk: Arc<Mutex<Desk>>,
    options: Options,
    queue: Arc<Queue>,
    on_event: F,
}

pub(super) fn start(
    desk: Arc<Mutex<Desk>>,
    options: Options,
    queue: Arc<Queue>,
    on_event: impl Fn(Event) + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name("mesh-log".to_owned()).spawn(move || {
        let mut this = Loop { desk, options, queue, on_event };
        if let Err(error) = this.run() {
            this.queue.close();
            (this.on_event)(Event::Fatal(error.to_string()));
        }
    })
}

impl<F: Fn(Event)> Loop<F> {
    fn run(&mut self) -> Result<(), WriteError> {
        let desk = Arc::clone(&self.desk);
        let mut marked = false;
        let mut spin = Duration::ZERO;
        loop {
            desk.lock().work_on_files();
            let timeout = if marked { MARKED } else { self.options.mark_after };
            self.queue.wait(spin, timeout, marked);
            let mut desk = desk.lock();
            let taken = self.queue.take(self.options.write_bytes);
            taken.released.into_iter().for_each(|(file, kept)| desk.log.release(file, kept));
            taken.batches.into_iter().for_each(|batch| desk.pending.push(batch));
            if !desk.pending.is_empty() {
                (marked, spin) = (false, self.options.spin);
                if !self.write_when_there_is_room(&mut desk)? {
                    return Ok(());
                }
            } else if taken.closed {
                return self.mark(&mut desk).map(|_| ());
            } else {
                spin = Duration::ZERO;
                marked = !taken.direct && (marked || self.mark(&mut desk)?);
            }
        }
    }

    /// Nothing waits: time to say that all is durable. Whether it was said.
    fn mark(&self, desk: &mut Desk) -> Result<bool, WriteError> {
        match desk.log.mark() {
            Ok(_) => self.tell_sealed(desk),
            Err(WriteError::Full) => {}
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    /// Writes what is pending, and waits for room where there is none. Whether there will be more.
    fn write_when_there_is_room(&self, desk: &mut Desk) -> Result<bool, WriteError> {
        let mut full = false;
        loop {
            match desk.write(&self.queue) {
                Err(WriteError::Full) if !full => {
                    full = true;
                    (self.on_event)(Event::Full);
                }
                Err(WriteError::Full) => {}
                Ok(written) => {
                    (self.on_event)(Event::Written(written));
                    self.tell_sealed(desk);
                    if full {
                        (self.on_event)(Event::Room);
                    }
                    return Ok(true);
                }
                Err(error) => return Err(error),
            }
            thread::sleep(self.options.retry);
            let taken = self.queue.take_released();
            taken.released.into_iter().for_each(|(file, kept)| desk.log.release(file, kept));
            if taken.closed {
                return Ok(false);
            }
            desk.work_on_files();
        }
    }

    fn tell_sealed(&self, desk: &mut Desk) {
        let sealed = desk.log.sealed();
        if !sealed.is_empty() {
            (self.on_event)(Event::Sealed(sealed));
        }
    }
}
