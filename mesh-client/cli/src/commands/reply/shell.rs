//! A shell command that answers one request.

use std::io;
use std::process::Stdio;

use bytes::Bytes;
use mesh_client::Failure;
use mesh_wire::limits::BODY_BYTES_MAX;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

/// The application's number of a command that could not be run or was killed; otherwise it is its exit status.
const NOT_RUN: u32 = 126;
/// That of a command that took longer than the requester waits, as `timeout(1)` has it.
const TOO_SLOW: u32 = 124;

/// Runs `sh -c command` with `body` on its standard input and gives what it prints. Its standard error is ours.
///
/// # Cancel safety
/// The shell is killed when the future is dropped.
pub(super) async fn run(command: &str, subject: &str, body: Bytes) -> Result<Bytes, Failure> {
    let not_run = |error: io::Error| Failure::new(NOT_RUN, format!("can't run {command:?}: {error}"));
    let mut child = Command::new("sh")
        .args(["-c", command])
        .env("MESH_SUBJECT", subject)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(not_run)?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let write = async {
        if let Some(mut stdin) = stdin {
            // A command need not read what it gets.
            _ = stdin.write_all(&body).await;
        }
    };
    let read = async {
        let mut printed = Vec::new();
        if let Some(stdout) = stdout {
            stdout.take(BODY_BYTES_MAX as u64 + 1).read_to_end(&mut printed).await?;
        }
        Ok(printed)
    };
    let ((), printed) = tokio::join!(write, read);
    let printed = printed.map_err(not_run)?;
    if printed.len() > BODY_BYTES_MAX {
        return Err(Failure::new(NOT_RUN, format!("{command:?} printed more than {BODY_BYTES_MAX} bytes")));
    }
    let status = child.wait().await.map_err(not_run)?;
    match status.code() {
        Some(0) => Ok(printed.into()),
        Some(code) => Err(Failure::new(
            u32::try_from(code).unwrap_or(NOT_RUN),
            format!("{command:?} ended with status {code}"),
        )),
        None => Err(Failure::new(NOT_RUN, format!("{command:?} was killed: {status}"))),
    }
}

/// The failure of a command that did not end before the deadline.
pub(super) fn too_slow(command: &str) -> Failure {
    Failure::new(TOO_SLOW, format!("{command:?} did not end in time"))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn printed(command: &str, body: &'static str) -> Result<Bytes, Failure> {
        run(command, "a.b", body.into()).await
    }

    #[tokio::test]
    async fn commands_that_answer() {
        let table = [
            ("cat", "text", "text"),
            ("tr a-z A-Z", "text", "TEXT"),
            ("printf %s \"$MESH_SUBJECT\"", "", "a.b"),
            ("true", "never read", ""),
        ];
        for (command, body, answer) in table {
            assert_eq!(printed(command, body).await, Ok(answer.into()), "{command}");
        }
    }

    #[tokio::test]
    async fn a_large_body_goes_through() {
        let body = Bytes::from(vec![b'x'; 1 << 20]);
        assert_eq!(run("cat", "a", body.clone()).await, Ok(body.clone()));
        assert_eq!(run("head -c 1", "a", body).await, Ok("x".into()));
    }

    #[tokio::test]
    async fn commands_that_fail() {
        assert_eq!(printed("exit 3", "").await.unwrap_err().code(), 3);
        assert_eq!(printed("no-such-command-here 2>/dev/null", "").await.unwrap_err().code(), 127);
        assert_eq!(printed("kill -9 $$", "").await.unwrap_err().code(), NOT_RUN);
    }
}
