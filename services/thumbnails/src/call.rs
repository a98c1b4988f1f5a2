//! Asking the service from a program.

use std::time::Duration;

use bytes::Bytes;
use mesh_client::{Client, Message, Value};

use crate::fit::Dimensions;
use crate::format::Format;
use crate::options::{FORMAT, Options};
use crate::resize::Thumbnail;

/// Where the service answers.
pub const SUBJECT: &str = "thumbnails.resize";

/// Header of a reply: width of the thumbnail in pixels.
pub const WIDTH: &str = "width";
/// Header of a reply: height of the thumbnail in pixels.
pub const HEIGHT: &str = "height";
/// Header of a reply: width of the source in pixels, turned upright.
pub const SOURCE_WIDTH: &str = "source-width";
/// Header of a reply: height of the source in pixels, turned upright.
pub const SOURCE_HEIGHT: &str = "source-height";

/// Why a call gave no thumbnail.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The request failed, or the service refused it: then `failure()` of the error has the number of
    /// [`Error::code`](crate::Error::code).
    #[error(transparent)]
    Mesh(#[from] mesh_client::Error),
    /// The reply lacks a header that belongs to it, or has one that can't be read.
    #[error("the reply has no usable header {header:?}")]
    MalformedReply {
        /// The header.
        header: &'static str,
    },
}

/// Sends the bytes of an image and gives its thumbnail. Safe to repeat, and repeated when the responder is lost.
///
/// # Errors
/// [`CallError`].
///
/// # Cancel safety
/// Dropping it cancels the request.
pub async fn call(
    mesh: &Client,
    image: Bytes,
    options: Options,
    timeout: Duration,
) -> Result<Thumbnail, CallError> {
    let mut request = mesh.request(SUBJECT, image).timeout(timeout).idempotent();
    for (name, value) in options.to_headers() {
        request = request.header(name, value.as_str());
    }
    thumbnail(&request.await?)
}

fn thumbnail(reply: &Message) -> Result<Thumbnail, CallError> {
    let malformed = |header| CallError::MalformedReply { header };
    let pixels = |header| {
        let value = reply.header(header).as_ref().and_then(Value::as_u64);
        value.and_then(|pixels| u32::try_from(pixels).ok()).ok_or(malformed(header))
    };
    let format = reply.header(FORMAT).as_ref().and_then(Value::as_str);
    let format: Format = format.and_then(|format| format.parse().ok()).ok_or(malformed(FORMAT))?;
    Ok(Thumbnail {
        bytes: reply.body(),
        format,
        size: Dimensions { width: pixels(WIDTH)?, height: pixels(HEIGHT)? },
        source: Dimensions { width: pixels(SOURCE_WIDTH)?, height: pixels(SOURCE_HEIGHT)? },
    })
}
