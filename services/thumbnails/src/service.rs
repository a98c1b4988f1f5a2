//! The service on the mesh: headers to options, a thumbnail to a reply.

use std::borrow::Cow;

use mesh_client::serve::{Raw, Response, Server, State};
use mesh_client::{Client, Failure, Headers, Payload, Value};

use crate::call::{HEIGHT, SOURCE_HEIGHT, SOURCE_WIDTH, WIDTH};
use crate::error::Error;
use crate::options::{FORMAT, Options};
use crate::pool::Pool;
use crate::resize::{Limits, Thumbnail, resize};

/// Name of the service.
pub const SERVICE: &str = "thumbnails";
/// Header of a reply: the media type of its body.
pub const CONTENT_TYPE: &str = "content-type";

/// How the service runs.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Images that are worked on at once.
    pub workers: usize,
    /// Callers that may wait for a worker.
    pub waiting: usize,
    /// What is taken in and sent back.
    pub limits: Limits,
}

#[derive(Debug, Clone)]
struct Service {
    pool: Pool,
    limits: Limits,
}

/// Starts answering [`SUBJECT`](crate::SUBJECT).
///
/// # Errors
/// No connection, or what the node refused.
pub async fn serve(mesh: &Client, settings: Settings) -> Result<Server, mesh_client::Error> {
    let service = Service { pool: Pool::new(settings.workers, settings.waiting), limits: settings.limits };
    // What the pool has no room for waits at the node, where it takes no memory of this process.
    let concurrency = settings.workers.saturating_add(settings.waiting).clamp(1, usize::from(u16::MAX));
    mesh.serve(SERVICE)
        .version(env!("CARGO_PKG_VERSION"))
        .description("makes images smaller")
        .state(service)
        .concurrency(u32::try_from(concurrency).unwrap_or(1))
        .handle("resize", answer)
        .spawn()
        .await
}

async fn answer(
    State(service): State<Service>,
    headers: Headers,
    Raw(image): Raw,
) -> Result<Response, Failure> {
    let options = Options::from_headers(|name| headers.get(name).map(text)).map_err(failure)?;
    let limits = service.limits;
    let made = service.pool.run(move || resize(&image, options, limits)).await.map_err(failure)?;
    let headers = reply_headers(&made)?;
    Ok(Response::new(Payload::raw(made.bytes)).with_headers(headers))
}

fn reply_headers(made: &Thumbnail) -> Result<Headers, Failure> {
    let headers = Headers::builder()
        .with(CONTENT_TYPE, made.format.media_type())?
        .with(FORMAT, made.format.name())?
        .with(WIDTH, made.size.width)?
        .with(HEIGHT, made.size.height)?
        .with(SOURCE_WIDTH, made.source.width)?
        .with(SOURCE_HEIGHT, made.source.height)?;
    Ok(headers.build())
}

fn failure(error: Error) -> Failure {
    Failure::new(error.code(), format!("{error}; {}", error.hint()))
}

/// Options may come as text, as from a shell, or as numbers, as from a program.
fn text(value: Value<'_>) -> Cow<'_, str> {
    match value {
        Value::Str(text) => text.into(),
        Value::U64(number) => number.to_string().into(),
        Value::I64(number) => number.to_string().into(),
        other => format!("{other:?}").into(),
    }
}
