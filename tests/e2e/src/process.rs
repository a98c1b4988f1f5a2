//! A process under test.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long a test waits for a line or for the end of a process before it fails.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A running process; killed when it is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Lines,
    stderr: Lines,
}

/// What a process left behind.
#[derive(Debug)]
pub struct Finished {
    /// Its exit status; none when a signal ended it.
    pub status: Option<i32>,
    /// Everything that it wrote to standard output.
    pub stdout: String,
    /// Everything that it wrote to standard error.
    pub stderr: String,
}

impl Process {
    /// Starts `command` with pipes on all three of its streams.
    ///
    /// # Panics
    /// When it can't be started.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} can't be started: {error}"));
        let stdout = Lines::of(child.stdout.take().expect("standard output is a pipe"));
        let stderr = Lines::of(child.stderr.take().expect("standard error is a pipe"));
        Self { stdin: child.stdin.take(), child, stdout, stderr }
    }

    /// Waits for a line of standard output that contains `text`, and gives it.
    ///
    /// # Panics
    /// When there is none.
    pub fn stdout_line(&mut self, text: &str) -> String {
        self.stdout.wait_for(text).unwrap_or_else(|| {
            panic!(
                "no {text:?} on standard output\nstdout: {}\nstderr: {}",
                self.stdout.read,
                self.stderr.all()
            )
        })
    }

    /// Waits for a line of standard error that contains `text`, and gives it.
    ///
    /// # Panics
    /// When there is none.
    pub fn stderr_line(&mut self, text: &str) -> String {
        self.stderr
            .wait_for(text)
            .unwrap_or_else(|| panic!("no {text:?} on standard error\nstderr: {}", self.stderr.read))
    }

    /// What was read of standard output so far.
    #[must_use]
    pub fn stdout(&self) -> &str {
        &self.stdout.read
    }

    /// Waits for its end, however that comes.
    ///
    /// # Panics
    /// When it can't be waited for.
    pub fn wait(&mut self) {
        self.child.wait().expect("the process can be waited for");
    }

    /// Writes to its standard input.
    ///
    /// # Panics
    /// When it does not take that.
    pub fn write(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().expect("standard input is open");
        stdin.write_all(bytes).and_then(|()| stdin.flush()).expect("the process reads");
    }

    /// Ends its standard input.
    pub fn end_input(&mut self) {
        self.stdin = None;
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// When it is gone.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process has an id");
        kill_process(pid, signal).expect("the process is there");
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it has ended by itself. Its standard input is ended first.
    ///
    /// # Panics
    /// When it does not end.
    #[must_use]
    pub fn finish(mut self) -> Finished {
        self.end_input();
        // Both streams end with the process, or with the last of its children.
        let (out, err) = (self.stdout.read_to_end(), self.stderr.read_to_end());
        assert!(
            out && err,
            "the process does not end\nstdout: {}\nstderr: {}",
            self.stdout.read,
            self.stderr.read
        );
        let status: ExitStatus = self.child.wait().expect("the process can be waited for");
        let take = std::mem::take::<String>;
        Finished {
            status: status.code(),
            stdout: take(&mut self.stdout.read),
            stderr: take(&mut self.stderr.read),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Neither matters for a process that has ended.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The lines of one stream, read on a thread of its own so that the process is never held up.
#[derive(Debug)]
struct Lines {
    incoming: Receiver<String>,
    read: String,
    searched: usize,
}

impl Lines {
    fn of(stream: impl Read + Send + 'static) -> Self {
        let (send, incoming) = channel();
        thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut line = Vec::new();
            while stream.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
                // The test has ended when nobody takes it.
                if send.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    return;
                }
                line.clear();
            }
        });
        Self { incoming, read: String::new(), searched: 0 }
    }

    /// The next line that contains `text`, behind those that were found before.
    fn wait_for(&mut self, text: &str) -> Option<String> {
        let end = Instant::now() + PATIENCE;
        loop {
            while let Some(line) = self.read[self.searched..].lines().next() {
                let line = line.to_owned();
                self.searched = (self.searched + line.len() + 1).min(self.read.len());
                if line.contains(text) {
                    return Some(line);
                }
            }
            match self.incoming.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => self.read.push_str(&line),
                Err(_) => return None,
            }
        }
    }

    /// Reads until the stream ends; whether it did.
    fn read_to_end(&mut self) -> bool {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.incoming.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => self.read.push_str(&line),
                Err(RecvTimeoutError::Disconnected) => return true,
                Err(RecvTimeoutError::Timeout) => return false,
            }
        }
    }

    /// What was read and what is there without waiting.
    fn all(&mut self) -> &str {
        while let Ok(line) = self.incoming.try_recv() {
            self.read.push_str(&line);
        }
        &self.read
    }
}
