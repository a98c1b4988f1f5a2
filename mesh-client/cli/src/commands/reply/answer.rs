//! What a request is answered with.

use bytes::Bytes;
use mesh_client::serve::{Request, Response};
use mesh_client::{Headers, HeadersBuilder, Payload};

use super::shell;

/// What every request gets.
#[derive(Debug)]
pub(super) enum Answer {
    /// Itself.
    Echo,
    /// This.
    Body {
        /// The body.
        body: Bytes,
        /// The headers.
        headers: Headers,
    },
    /// What a shell command prints.
    Command {
        /// The command.
        command: String,
        /// The headers.
        headers: Headers,
    },
}

impl Answer {
    /// The answer to `request`.
    pub(super) async fn to(&self, request: &Request) -> Response {
        let message = request.message();
        match self {
            Self::Echo => {
                let response = Response::new(Payload::encoded(message.body(), message.encoding()));
                let mut headers = HeadersBuilder::new();
                // Headers that fitted the request fit the answer.
                match headers.extend(message.headers()) {
                    Ok(()) if !headers.is_empty() => response.with_headers(headers.build()),
                    _ => response,
                }
            }
            Self::Body { body, headers } => with_headers(Response::new(Payload::raw(body.clone())), headers),
            Self::Command { command, headers } => {
                let run = shell::run(command, message.subject(), message.body());
                match tokio::time::timeout_at(request.deadline().into(), run).await {
                    Ok(Ok(printed)) => with_headers(Response::new(Payload::raw(printed)), headers),
                    Ok(Err(failure)) => Response::failed(failure),
                    // Nobody waits for it any more.
                    Err(_) => Response::failed(shell::too_slow(command)),
                }
            }
        }
    }
}

fn with_headers(response: Response, headers: &Headers) -> Response {
    if headers.is_empty() { response } else { response.with_headers(headers.clone()) }
}
