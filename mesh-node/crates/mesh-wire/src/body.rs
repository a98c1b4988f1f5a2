//! Bodies of control frames, in postcard.
//!
//! Postcard is positional, so a body type is frozen for its protocol version: what a later minor feature wants to add
//! goes into the frame's extension area (see [`crate::ext`]), what can't goes into a `…V2`. Golden bytes guard each
//! type. A body is as long as its frame says; bytes left over are an error, not padding.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Largest body of a control frame, in bytes.
pub const CONTROL_BODY_BYTES: usize = 64 * 1024;

/// Who the client is, in `HELLO`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelloV1 {
    /// Name of the application, a [`crate::name::Name`]; it shows in listings.
    pub name: String,
    /// Name and version of the client library.
    pub library: String,
    /// Language or runtime of the client.
    pub language: String,
    /// Bearer token, where the listener asks for one.
    pub token: Option<String>,
    /// Process id of the client, 0 when unknown; informative only.
    pub pid: u32,
}

/// Who the node is and what holds on this link, in `WELCOME`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WelcomeV1 {
    /// Name of the node.
    pub node: String,
    /// Name of the cluster.
    pub cluster: String,
    /// Version of the node's software.
    pub version: String,
    /// Start time of the node in microseconds since the epoch: a restarted node has another.
    pub incarnation: u64,
    /// The link's number at the node.
    pub link: u64,
    /// The identity under which the node knows the client.
    pub identity: String,
    /// Largest message body, in bytes.
    pub max_body: u64,
    /// Largest frame, in bytes.
    pub max_frame: u32,
    /// Most subscriptions on this link.
    pub max_subscriptions: u32,
    /// Most requests under way on this link.
    pub max_requests: u32,
}

/// Why something was refused, in `ERROR`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorV1 {
    /// Number of the frame kind that was refused, 0 when it concerns the link itself.
    pub about: u8,
    /// What was wrong with it, for a person.
    pub cause: String,
    /// Milliseconds after which a retry makes sense; 0 when unknown.
    pub retry_after_ms: u32,
}

/// What a subscription gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ModeV1 {
    /// Published messages.
    Events,
    /// Requests.
    Responder,
}

/// What happens to a message when the subscription's pending ring is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OverflowV1 {
    /// The oldest pending message makes room.
    DropOldest,
    /// The new message is dropped.
    DropNewest,
    /// The subscription is closed with an error.
    Close,
}

/// The service that a responder belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceV1 {
    /// Name of the service, a [`crate::name::Name`].
    pub name: String,
    /// Version of the service.
    pub version: String,
    /// One line on what this endpoint does.
    pub description: String,
}

/// A subscription, in `SUBSCRIBE`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscribeV1 {
    /// Members of a group share the messages; a [`crate::name::Name`].
    pub group: Option<String>,
    /// What it gets.
    pub mode: ModeV1,
    /// Messages that the client has room for, 1 to [`crate::limits::CREDIT_MAX`].
    pub credit: u32,
    /// Messages that the node may keep pending beyond the credit; 0 for the node's default.
    pub pending_messages: u32,
    /// Bytes that the node may keep pending; 0 for the node's default.
    pub pending_bytes: u32,
    /// What happens beyond that.
    pub overflow: OverflowV1,
    /// The service that a responder belongs to.
    pub service: Option<ServiceV1>,
}

/// Why a body can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// The body is over [`CONTROL_BODY_BYTES`].
    #[error("control body of {0} bytes is over the limit of {CONTROL_BODY_BYTES}")]
    TooLarge(usize),
    /// The bytes are not of this type.
    #[error("control body can't be decoded")]
    Malformed,
    /// Bytes are left over behind the body.
    #[error("{0} bytes are left over behind the control body")]
    Trailing(usize),
}

impl BodyError {
    /// The stable code of this error.
    pub fn code(&self) -> crate::code::Code {
        crate::code::Code::BodyMalformed
    }
}

/// Decodes a control body.
///
/// # Errors
/// See [`BodyError`].
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, BodyError> {
    if bytes.len() > CONTROL_BODY_BYTES {
        return Err(BodyError::TooLarge(bytes.len()));
    }
    let (value, rest) = postcard::take_from_bytes(bytes).map_err(|_| BodyError::Malformed)?;
    if rest.is_empty() { Ok(value) } else { Err(BodyError::Trailing(rest.len())) }
}

/// Encodes a control body.
///
/// # Errors
/// [`BodyError::TooLarge`], or [`BodyError::Malformed`] for a type that postcard can't hold.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, BodyError> {
    let bytes = postcard::to_allocvec(value).map_err(|_| BodyError::Malformed)?;
    if bytes.len() > CONTROL_BODY_BYTES { Err(BodyError::TooLarge(bytes.len())) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;

    fn golden<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T, want: &[u8]) {
        assert_eq!(encode(value).unwrap(), want, "{value:?}");
        assert_eq!(&decode::<T>(want).unwrap(), value);
        for n in 0..want.len() {
            assert_eq!(decode::<T>(&want[..n]), Err(BodyError::Malformed), "{n} bytes of {value:?}");
        }
        let longer = [want, &[0]].concat();
        assert_eq!(decode::<T>(&longer), Err(BodyError::Trailing(1)));
    }

    #[test]
    fn golden_bytes_of_version_1() {
        golden(
            &HelloV1 {
                name: "shop".into(),
                library: "l".into(),
                language: "rust".into(),
                token: Some("t".into()),
                pid: 300,
            },
            b"\x04shop\x01l\x04rust\x01\x01t\xac\x02",
        );
        golden(
            &WelcomeV1 {
                node: "n".into(),
                cluster: "c".into(),
                version: "1".into(),
                incarnation: 128,
                link: 2,
                identity: "u".into(),
                max_body: 1,
                max_frame: 2,
                max_subscriptions: 3,
                max_requests: 4,
            },
            b"\x01n\x01c\x011\x80\x01\x02\x01u\x01\x02\x03\x04",
        );
        golden(&ErrorV1 { about: 0x30, cause: "no".into(), retry_after_ms: 5 }, b"\x30\x02no\x05");
        golden(
            &SubscribeV1 {
                group: Some("g".into()),
                mode: ModeV1::Responder,
                credit: 64,
                pending_messages: 0,
                pending_bytes: 0,
                overflow: OverflowV1::Close,
                service: Some(ServiceV1 {
                    name: "s".into(),
                    version: "1".into(),
                    description: String::new(),
                }),
            },
            b"\x01\x01g\x01\x40\x00\x00\x02\x01\x01s\x011\x00",
        );
        golden(
            &SubscribeV1 {
                group: None,
                mode: ModeV1::Events,
                credit: 1,
                pending_messages: 2,
                pending_bytes: 3,
                overflow: OverflowV1::DropOldest,
                service: None,
            },
            b"\x00\x00\x01\x02\x03\x00\x00",
        );
    }

    #[test]
    fn bodies_are_bounded() {
        let fits = "x".repeat(CONTROL_BODY_BYTES - 3);
        let bytes = encode(&fits).unwrap();
        assert_eq!(bytes.len(), CONTROL_BODY_BYTES);
        assert_eq!(decode::<String>(&bytes).unwrap(), fits);
        assert_eq!(encode(&format!("{fits}x")), Err(BodyError::TooLarge(CONTROL_BODY_BYTES + 1)));
        assert_eq!(
            decode::<String>(&vec![0; CONTROL_BODY_BYTES + 1]),
            Err(BodyError::TooLarge(CONTROL_BODY_BYTES + 1))
        );
    }
}
