//! Message headers: ordered, multi-valued, typed, and kept in the form in which they travel.
//!
//! The node never takes headers apart to forward them: it checks the bytes once ([`validate`]) and passes them on
//! unchanged. Readers walk the bytes in place, so that nothing is allocated for headers that nobody asks for.
//!
//! ```text
//!  one header, little endian; headers follow one another without gaps
//!  0      1          2           4
//!  | type | name_len | value_len | name | value |
//!    u8     u8         u16         1..=255 bytes of UTF-8 without control characters, case-sensitive
//! ```
//!
//! | type | value |
//! |---|---|
//! | 0 null | nothing |
//! | 1 bytes | any bytes |
//! | 2 str | UTF-8 |
//! | 3 i64, 4 u64, 5 f64 | 8 bytes |
//! | 6 bool | 1 byte, 0 or 1 |
//! | 7 timestamp | `i64`, milliseconds since 1970-01-01T00:00:00Z |
//! | 8..=127 | reserved, refused |
//! | 128..=255 | opaque, carried unchanged |
//!
//! At most [`limits::HEADERS`](crate::limits::HEADERS) headers and
//! [`limits::HEADERS_BYTES`](crate::limits::HEADERS_BYTES) encoded bytes on one message.
//!
//! ```
//! use mesh_wire::header::{HeadersBuilder, Value};
//!
//! let headers = HeadersBuilder::new().with("tenant", "a")?.with("attempt", 2_u64)?.build();
//! assert_eq!(headers.get("tenant"), Some(Value::Str("a")));
//! assert_eq!(headers.get("attempt").and_then(|value| value.as_u64()), Some(2));
//! # Ok::<(), mesh_wire::header::HeaderError>(())
//! ```

mod build;
mod error;
mod owned;
mod read;
#[cfg(test)]
mod tests;
mod value;

pub use build::HeadersBuilder;
pub use error::HeaderError;
pub use owned::Headers;
pub use read::{HeadersRef, Iter, Values, validate};
pub use value::{FIRST_OPAQUE_TYPE, Value};

/// Bytes in front of each header's name: type, name length, value length.
pub const HEADER_PREFIX_BYTES: usize = 4;
/// Longest header name, in bytes.
pub const HEADER_NAME_BYTES: usize = 255;
