//! `mesh-node health` and `mesh-node drain`: a question to a running node over its socket.
//!
//! The image holds no shell and no other client, so the daemon's own binary asks, by plain frames.

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use bytes::BytesMut;
use mesh_transport::{
    buffers::SocketBuffers, connect, endpoint::Endpoint, socket_path::candidate_socket_paths,
};
use mesh_wire::{
    body::{self, ErrorV1, HelloV1},
    code::{Code, Report},
    frame::{Flags, Frame, Kind, PREFACE, Parts},
    hello::{Features, Versions},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    time::timeout,
};

use crate::cli::Ask;

const HEALTH_TIME: Duration = Duration::from_secs(5);
const DRAIN_TIME: Duration = Duration::from_secs(30);
/// Largest answer, in bytes.
const ANSWER_BYTES: usize = 1024 * 1024;

/// Exit status 0 when the node answers and is ready.
pub async fn health(how: Ask) -> ExitCode {
    let time = how.timeout.unwrap_or(HEALTH_TIME);
    let answer = within(time, question(&how, "$mesh.node.info")).await;
    answer.and_then(|(_, info)| ready(&info).map(|()| info)).map_or_else(
        |error| error.print(how.json),
        |info| {
            say(
                how.json,
                &info,
                &format!("ready: node {} in cluster {}", text(&info, "name"), text(&info, "cluster")),
            )
        },
    )
}

/// Exit status 0 when the node has drained and gone.
pub async fn drain(how: Ask) -> ExitCode {
    let time = how.timeout.unwrap_or(DRAIN_TIME);
    let drained = async {
        let (mut stream, answer) = question(&how, "$mesh.node.drain").await?;
        // The node closes the link at the end of its drain.
        let mut rest = [0; 4096];
        while stream.read(&mut rest).await.is_ok_and(|n| n > 0) {}
        Ok(answer)
    };
    within(time, drained)
        .await
        .map_or_else(|error| error.print(how.json), |answer| say(how.json, &answer, "drained"))
}

type Json = serde_json::Value;

/// What went wrong, with what to do about it.
struct Failure {
    code: Code,
    message: String,
    hint: Option<String>,
}

impl Failure {
    fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    fn print(self, json: bool) -> ExitCode {
        let hint = self.hint.unwrap_or_else(|| self.code.hint().to_owned());
        let text = if json {
            serde_json::json!({ "code": self.code.to_string(), "message": self.message, "hint": hint })
                .to_string()
        } else {
            Report::new(self.code, self.message).hint(hint).to_string()
        };
        writeln!(io::stderr(), "{text}").ok();
        ExitCode::FAILURE
    }
}

async fn within<T>(time: Duration, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let late = || Failure::new(Code::RequestDeadline, format!("the node did not answer within {time:?}"));
    timeout(time, work).await.unwrap_or_else(|_| Err(late()))
}

fn ready(info: &Json) -> Result<(), Failure> {
    match text(info, "state") {
        "ready" => Ok(()),
        state => Err(Failure::new(Code::NodeDraining, format!("the node is {state}"))),
    }
}

fn text<'a>(info: &'a Json, key: &str) -> &'a str {
    info.get(key).and_then(Json::as_str).unwrap_or("unknown")
}

fn say(json: bool, answer: &Json, words: &str) -> ExitCode {
    let line = if json { answer.to_string() } else { words.to_owned() };
    writeln!(io::stdout(), "{line}").map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
}

async fn question(how: &Ask, subject: &str) -> Result<(UnixStream, Json), Failure> {
    let mut stream = open(how.socket.clone()).await?;
    let hello = body::encode(&HelloV1 {
        name: "mesh-node".into(),
        library: concat!("mesh-node ", env!("CARGO_PKG_VERSION")).into(),
        language: "rust".into(),
        token: None,
        pid: std::process::id(),
    });
    let hello = hello.map_err(|e| Failure::new(e.code(), e.to_string()))?;
    let mut out = BytesMut::from(&PREFACE[..]);
    let greeting = Parts::bare(Kind::Hello, Features::OURS.bits()).aux(Versions::OURS.to_aux()).body(&hello);
    let request = Parts { subject: subject.as_bytes(), ..Parts::bare(Kind::Request, 1).aux(60_000) };
    for parts in [greeting, request] {
        parts.encode(&mut out).map_err(|e| Failure::new(e.code(), e.to_string()))?;
    }
    stream.write_all(&out).await.map_err(lost)?;
    let answer = read_answer(&mut stream).await?;
    Ok((stream, answer))
}

async fn open(socket: Option<PathBuf>) -> Result<UnixStream, Failure> {
    let paths = match socket {
        Some(path) => vec![path],
        None => candidate_socket_paths(),
    };
    let mut failure = Failure::new(Code::ConnectNoSuchSocket, "no socket to look at");
    for path in paths {
        match connect::connect(&Endpoint::Unix(path), SocketBuffers::default()).await {
            Ok(stream) => return Ok(stream),
            Err(error) => {
                failure =
                    Failure { code: error.code(), message: error.to_string(), hint: Some(error.hint()) };
            }
        }
    }
    Err(failure)
}

async fn read_answer(stream: &mut UnixStream) -> Result<Json, Failure> {
    let mut bytes = BytesMut::new();
    loop {
        while let Some(frame) = Frame::decode(&bytes).map_err(|e| Failure::new(e.code(), e.to_string()))? {
            if let Some(answer) = judge(&frame) {
                return answer;
            }
            let used = frame.len();
            bytes::Buf::advance(&mut bytes, used);
        }
        if bytes.len() > ANSWER_BYTES || stream.read_buf(&mut bytes).await.map_err(lost)? == 0 {
            return Err(Failure::new(Code::Disconnected, "the node closed the link without an answer"));
        }
    }
}

/// The outcome, if this frame is it.
fn judge(frame: &Frame<'_>) -> Option<Result<Json, Failure>> {
    let coded = |message: String| {
        let code = u16::try_from(frame.aux()).ok().and_then(|n| Code::from_number(n.into()));
        Failure::new(code.unwrap_or(Code::InternalError), message)
    };
    match frame.kind() {
        Kind::Reply if frame.flags().contains(Flags::FAILED) => {
            Some(Err(coded(String::from_utf8_lossy(frame.body()).into_owned())))
        }
        Kind::Reply => Some(
            serde_json::from_slice(frame.body()).map_err(|e| Failure::new(Code::DecodeFailed, e.to_string())),
        ),
        Kind::End => Some(Err(coded("the node refused the request".into()))),
        Kind::Error => {
            let cause = body::decode::<ErrorV1>(frame.body()).map_or_else(|e| e.to_string(), |e| e.cause);
            Some(Err(coded(cause)))
        }
        _ => None,
    }
}

fn lost(error: io::Error) -> Failure {
    Failure::new(Code::Disconnected, error.to_string())
}
