//! What came of dialling an address, whatever the carrier.

use std::io;

use crate::link::Closed;

/// Why there is no link.
#[derive(Debug)]
pub(crate) enum Failure {
    /// No process has the port.
    NothingListens,
    /// The handshake.
    Handshake(Closed),
    /// The system.
    Io(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::NothingListens,
            _ => Self::Io(error),
        }
    }
}
