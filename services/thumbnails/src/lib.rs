//! Thumbnails: an example service that makes images smaller.
//!
//! One request, `thumbnails.resize`: the body is the bytes of a PNG or JPEG file as they are, headers say what is
//! wanted, and the reply is the bytes of the thumbnail with its size in headers. So it can be called from a shell:
//!
//! ```text
//!  mesh request thumbnails.resize - -H max-width:320 -H format:jpeg < photo.png > small.jpg
//! ```
//! and from a program by [`call`]. What is refused comes back as an application error with the number of
//! [`Error::code`].
//!
//! [`resize`] is the whole of the work and knows nothing of the mesh; [`Pool`] bounds how much of it happens at
//! once.

mod call;
mod error;
mod fit;
mod format;
mod options;
mod pool;
mod resize;
mod service;

pub use self::call::{CallError, HEIGHT, SOURCE_HEIGHT, SOURCE_WIDTH, SUBJECT, WIDTH, call};
pub use self::error::Error;
pub use self::fit::{Dimensions, fit};
pub use self::format::{Format, UnknownFormat};
pub use self::options::{
    FORMAT, MAX_HEIGHT, MAX_WIDTH, Options, QUALITY, QUALITY_DEFAULT, QUALITY_MAX, SIDE_DEFAULT, SIDE_MAX,
};
pub use self::pool::Pool;
pub use self::resize::{
    INPUT_BYTES_DEFAULT, Limits, OUTPUT_BYTES_DEFAULT, PIXELS_DEFAULT, Thumbnail, resize,
};
pub use self::service::{CONTENT_TYPE, SERVICE, Settings, serve};
