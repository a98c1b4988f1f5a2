//! Sockets of the proxy.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsFd;

use rustix::net::{SendFlags, send, sendto, sockopt};
use tokio::net::UdpSocket;

/// Bytes that the system may hold for a socket, each way, when it allows that many.
const BUFFER_BYTES: usize = 4 * 1024 * 1024;

/// A port of loopback that the system chooses, of the family of `other`.
pub(crate) fn loopback(other: SocketAddr) -> SocketAddr {
    match other {
        SocketAddr::V4(_) => (Ipv4Addr::LOCALHOST, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::LOCALHOST, 0).into(),
    }
}

/// A socket that does not block, within a runtime.
pub(crate) fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = std::net::UdpSocket::bind(address)?;
    socket.set_nonblocking(true)?;
    // Bursts are to be lost by the faults that were asked for, not by a small buffer.
    sockopt::set_socket_recv_buffer_size(&socket, BUFFER_BYTES)?;
    sockopt::set_socket_send_buffer_size(&socket, BUFFER_BYTES)?;
    UdpSocket::from_std(socket)
}

/// A socket towards `target` alone, within a runtime.
pub(crate) fn connect(target: SocketAddr) -> io::Result<UdpSocket> {
    let any = match target {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = bind(any)?;
    rustix::net::connect(&socket, &target)?;
    Ok(socket)
}

/// Sends to a client; whether the system took it.
pub(crate) fn send_to(socket: &UdpSocket, datagram: &[u8], client: SocketAddr) -> bool {
    // Not by the runtime: it says "would block" until it has heard that a new socket can be written.
    twice(|| sendto(socket.as_fd(), datagram, SendFlags::DONTWAIT, &client).is_ok())
}

/// Sends to the target; whether the system took it.
pub(crate) fn send_on(socket: &UdpSocket, datagram: &[u8]) -> bool {
    twice(|| send(socket.as_fd(), datagram, SendFlags::DONTWAIT).is_ok())
}

/// Again when it fails: what is told then may be that an earlier datagram was refused, as when the target restarts.
fn twice(send: impl Fn() -> bool) -> bool {
    send() || send()
}
