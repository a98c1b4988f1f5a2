//! Bodies: from the command line, from standard input as a whole, or a line at a time.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::ffi::OsStringExt as _;
use std::thread;

use bytes::Bytes;
use mesh_wire::code::Code;
use mesh_wire::limits::BODY_BYTES_MAX;
use tokio::sync::{mpsc, oneshot};

use crate::failure::Failure;

/// Most lines that are handed over at once.
const LINES_AT_ONCE: usize = 1_024;
/// Bytes of lines after which no further line is waited for.
const BYTES_AT_ONCE: usize = 256 * 1024;
/// Batches of lines that are read ahead.
const BATCHES_AHEAD: usize = 4;

/// The body that the command line asks for: its bytes, those of standard input for `-`, none without one.
///
/// # Cancel safety
/// What was read of standard input is lost.
pub(crate) async fn body(argument: Option<OsString>) -> Result<Bytes, Failure> {
    match argument {
        Some(dash) if dash == "-" => {
            // A thread that waits for input can't be told to stop, and must not hold up the one that is.
            let (tell, told) = oneshot::channel();
            thread::spawn(move || tell.send(whole(io::stdin().lock(), BODY_BYTES_MAX)));
            told.await.unwrap_or_else(|_| Ok(Bytes::new()))
        }
        Some(text) => Ok(text.into_vec().into()),
        None => Ok(Bytes::new()),
    }
}

/// Everything that `input` gives, as far as any node would take it.
fn whole(input: impl Read, most: usize) -> Result<Bytes, Failure> {
    let mut body = Vec::new();
    let read = input.take(most as u64 + 1).read_to_end(&mut body);
    read.map_err(|error| unreadable(&error))?;
    if body.len() > most {
        return Err(too_long("the body on standard input", most));
    }
    Ok(body.into())
}

/// The lines of standard input, without their ends, as they come: a batch is what can be had without waiting.
///
/// They are read on a thread of their own, which a closed receiver ends with its next line.
pub(crate) fn lines() -> mpsc::Receiver<Result<Vec<Bytes>, Failure>> {
    let (send, receive) = mpsc::channel(BATCHES_AHEAD);
    thread::spawn(move || {
        let mut input = BufReader::with_capacity(BYTES_AT_ONCE, io::stdin());
        loop {
            let mut lines = Vec::new();
            let read = read_lines(&mut input, BODY_BYTES_MAX, &mut lines);
            if lines.is_empty() && read.is_ok() {
                return;
            }
            // What was read before an error is handed over before the error is. A closed receiver wants no more.
            if send.blocking_send(Ok(lines)).is_err() {
                return;
            }
            if let Err(failure) = read {
                // The receiver may have left in the meantime; then nobody misses the error.
                _ = send.blocking_send(Err(failure));
                return;
            }
        }
    });
    receive
}

/// Adds at least one line unless the input ended, and those that are there without waiting.
fn read_lines<R: Read>(input: &mut BufReader<R>, most: usize, lines: &mut Vec<Bytes>) -> Result<(), Failure> {
    let mut bytes = 0;
    while lines.len() < LINES_AT_ONCE && bytes < BYTES_AT_ONCE {
        if !lines.is_empty() && !input.buffer().contains(&b'\n') {
            break;
        }
        let mut line = Vec::new();
        input
            .by_ref()
            .take(most as u64 + 1)
            .read_until(b'\n', &mut line)
            .map_err(|error| unreadable(&error))?;
        if line.is_empty() {
            break;
        }
        bytes += line.len();
        if line.last() == Some(&b'\n') {
            line.pop();
        } else if line.len() > most {
            return Err(too_long("a line on standard input", most));
        }
        lines.push(line.into());
    }
    Ok(())
}

/// Waits until standard input ends, whatever it gives before.
pub(crate) async fn ended() {
    let (tell, told) = oneshot::channel();
    thread::spawn(move || {
        // An input that can't be read has ended, too.
        _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        // Nobody waits any more when a signal came first.
        _ = tell.send(());
    });
    _ = told.await;
}

fn unreadable(error: &io::Error) -> Failure {
    Failure::new(Code::InputUnreadable, "can't read standard input").cause(error)
}

fn too_long(what: &str, most: usize) -> Failure {
    Failure::new(Code::BodyTooLarge, format!("{what} has more than {most} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(input: &mut BufReader<&[u8]>, most: usize) -> Result<Vec<Bytes>, Failure> {
        let mut lines = Vec::new();
        read_lines(input, most, &mut lines).map(|()| lines)
    }

    fn first(text: &[u8], most: usize) -> Result<Vec<Bytes>, Failure> {
        batch(&mut BufReader::new(text), most)
    }

    #[tokio::test]
    async fn bodies_of_the_command_line() {
        assert_eq!(body(None).await.unwrap(), Bytes::new());
        assert_eq!(body(Some("text".into())).await.unwrap(), "text");
        assert_eq!(body(Some(OsString::from_vec(vec![0xff]))).await.unwrap(), &b"\xff"[..]);
    }

    #[test]
    fn a_body_is_read_to_its_limit() {
        assert_eq!(whole(&b"abc"[..], 3).unwrap(), "abc");
        assert_eq!(whole(&b"abcd"[..], 3).unwrap_err().code(), Some(Code::BodyTooLarge));
    }

    #[test]
    fn lines_lose_their_ends_only() {
        let table: [(&[u8], &[&str]); 5] = [
            (b"", &[]),
            (b"a", &["a"]),
            (b"a\n", &["a"]),
            (b"a\n\n b \nc", &["a", "", " b "]),
            (b"a\r\n", &["a\r"]),
        ];
        for (text, want) in table {
            assert_eq!(first(text, 100).unwrap(), want, "{text:?}");
        }
    }

    #[test]
    fn a_last_line_without_an_end_comes_in_a_batch_of_its_own() {
        let mut input = BufReader::new(&b"a\nb"[..]);
        assert_eq!(batch(&mut input, 100).unwrap(), ["a"]);
        assert_eq!(batch(&mut input, 100).unwrap(), ["b"]);
        assert!(batch(&mut input, 100).unwrap().is_empty());
    }

    #[test]
    fn a_line_is_read_to_its_limit() {
        assert_eq!(first(b"abc\n", 3).unwrap(), ["abc"]);
        assert_eq!(first(b"abc", 3).unwrap(), ["abc"]);
        assert_eq!(first(b"abcd\n", 3).unwrap_err().code(), Some(Code::BodyTooLarge));
        assert_eq!(first(b"abcd", 3).unwrap_err().code(), Some(Code::BodyTooLarge));
    }

    #[test]
    fn lines_before_a_refused_one_are_kept() {
        let mut lines = Vec::new();
        let refused = read_lines(&mut BufReader::new(&b"a\nb\ntoolong\n"[..]), 3, &mut lines);
        assert_eq!(refused.unwrap_err().code(), Some(Code::BodyTooLarge));
        assert_eq!(lines, ["a", "b"]);
    }

    #[test]
    fn batches_are_bounded() {
        let text = b"x\n".repeat(LINES_AT_ONCE + 1);
        let mut input = BufReader::with_capacity(text.len(), &text[..]);
        assert_eq!(batch(&mut input, 100).unwrap().len(), LINES_AT_ONCE);
        assert_eq!(batch(&mut input, 100).unwrap().len(), 1);
    }
}
