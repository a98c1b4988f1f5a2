//! A handshake that came to nothing, on the listening side.

use std::net::SocketAddr;

use mesh_wire::code::Code;

use crate::link::Closed;

/// Why somebody who dialled got no link: for counting and for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no link with {remote}: {cause}")]
pub struct HandshakeError {
    /// The code.
    pub code: Code,
    /// What happened, in words.
    pub cause: String,
    /// Who dialled. Until an address is validated it may be anybody's.
    pub remote: SocketAddr,
}

impl HandshakeError {
    pub(crate) fn new(closed: Closed, remote: SocketAddr) -> Self {
        Self { code: closed.code.unwrap_or(Code::Disconnected), cause: closed.cause, remote }
    }

    /// The stable code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        self.code.hint()
    }

    /// Whether the one who dialled may have more luck later without anybody changing anything.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.code.is_retryable()
    }
}
