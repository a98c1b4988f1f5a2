//! Names of this crate's error codes, until the one table of `mesh-wire` has them.

/// A stable error code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// A text is no endpoint.
    EndpointInvalid,
    /// The endpoint's scheme is planned.
    EndpointNotSupported,
    /// The path of a socket is too long.
    SocketPathTooLong,
    /// Another process listens on the socket.
    SocketInUse,
    /// The file is no socket.
    SocketNotASocket,
    /// The node's user may not make the socket.
    SocketPermissionDenied,
    /// The socket can't be used.
    SocketUnusable,
    /// No file descriptor or memory for another connection.
    AcceptExhausted,
    /// The peer's user may not connect.
    PeerNotAllowed,
    /// No file at the endpoint.
    ConnectNoSuchSocket,
    /// Nothing listens at the endpoint.
    ConnectNothingListening,
    /// The client's user may not open the endpoint.
    ConnectPermissionDenied,
    /// Too many connections wait at the endpoint.
    ConnectBusy,
    /// Connecting failed.
    ConnectFailed,
}
