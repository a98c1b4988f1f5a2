//! Sockets of the two network carriers, with their options.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto, socket_with, sockopt};

use crate::listen::BACKLOG;

/// A TCP connection that nothing was heard on for so long is probed.
const TCP_KEEPALIVE: Duration = Duration::from_secs(1);
/// After so many probes without an answer, each [`TCP_KEEPALIVE`] apart, the connection is dead, where the system does
/// not go by [`TCP_USER_TIMEOUT_MS`].
const TCP_PROBES: u32 = 4;
/// Sent bytes that are not acknowledged for so long make the connection dead, in ms, and so do unanswered probes. It is
/// looked at with each probe, so a fifth second may pass.
const TCP_USER_TIMEOUT_MS: u32 = 4_000;

/// A UDP socket at `address`; with `reuse_port` several may have the same one and the kernel spreads over them.
pub(crate) fn udp(address: SocketAddr, reuse_port: bool, buffer_bytes: usize) -> io::Result<UdpSocket> {
    let socket = socket(address, SocketType::DGRAM)?;
    if reuse_port {
        sockopt::set_socket_reuseport(&socket, true)?;
    }
    // The kernel clamps to its maximum and is content.
    sockopt::set_socket_send_buffer_size(&socket, buffer_bytes)?;
    sockopt::set_socket_recv_buffer_size(&socket, buffer_bytes)?;
    rustix::net::bind(&socket, &address)?;
    Ok(socket.into())
}

/// A listening TCP socket at `address`.
pub(crate) fn tcp_listener(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = socket(address, SocketType::STREAM)?;
    // A node that was restarted takes its port back while old connections still fade.
    sockopt::set_socket_reuseaddr(&socket, true)?;
    rustix::net::bind(&socket, &address)?;
    rustix::net::listen(&socket, BACKLOG)?;
    Ok(socket.into())
}

/// Sends small writes at once, and finds a dead connection within five seconds on either side, idle or not: idle it is
/// probed by the kernel, and bytes under way have to be acknowledged in time.
pub(crate) fn tune_tcp(socket: impl AsFd) -> io::Result<()> {
    sockopt::set_tcp_nodelay(&socket, true)?;
    sockopt::set_socket_keepalive(&socket, true)?;
    sockopt::set_tcp_keepidle(&socket, TCP_KEEPALIVE)?;
    sockopt::set_tcp_keepintvl(&socket, TCP_KEEPALIVE)?;
    sockopt::set_tcp_keepcnt(&socket, TCP_PROBES)?;
    sockopt::set_tcp_user_timeout(&socket, TCP_USER_TIMEOUT_MS)?;
    Ok(())
}

/// A socket for both families shows the old one inside the new.
pub(crate) fn canonical(mut address: SocketAddr) -> SocketAddr {
    address.set_ip(address.ip().to_canonical());
    address
}

fn socket(address: SocketAddr, kind: SocketType) -> io::Result<OwnedFd> {
    let (family, protocol) = match (address, kind) {
        (SocketAddr::V4(_), SocketType::DGRAM) => (AddressFamily::INET, ipproto::UDP),
        (SocketAddr::V4(_), _) => (AddressFamily::INET, ipproto::TCP),
        (SocketAddr::V6(_), SocketType::DGRAM) => (AddressFamily::INET6, ipproto::UDP),
        (SocketAddr::V6(_), _) => (AddressFamily::INET6, ipproto::TCP),
    };
    let socket = socket_with(family, kind, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, Some(protocol))?;
    if address.is_ipv6() {
        // `[::]` is for both families, whatever the system's default.
        sockopt::set_ipv6_v6only(&socket, false)?;
    }
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_udp_socket_has_room() {
        let address = "127.0.0.1:0".parse().unwrap();
        let (small, large) =
            (udp(address, false, 64 * 1024).unwrap(), udp(address, false, 128 * 1024).unwrap());
        let room = |socket: &UdpSocket| sockopt::socket_recv_buffer_size(socket).unwrap();
        assert!(room(&large) > room(&small));
        assert!(!sockopt::socket_reuseport(&large).unwrap());
    }

    #[test]
    fn a_port_is_shared_only_by_those_who_say_so() {
        let first = udp("127.0.0.1:0".parse().unwrap(), true, 64 * 1024).unwrap();
        let address = first.local_addr().unwrap();
        assert!(udp(address, true, 64 * 1024).is_ok());
        assert_eq!(udp(address, false, 64 * 1024).unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn one_socket_is_for_both_families() {
        let Ok(both) = udp("[::]:0".parse().unwrap(), false, 64 * 1024) else {
            eprintln!("skipped: there is no IPv6 here");
            return;
        };
        let old = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = both.local_addr().unwrap().port();
        old.send_to(b"x", ("127.0.0.1", port)).unwrap();
        both.set_nonblocking(false).unwrap();
        let (_, from) = both.recv_from(&mut [0; 8]).unwrap();
        assert!(from.is_ipv6());
        assert_eq!(canonical(from), old.local_addr().unwrap());
    }

    #[test]
    fn a_tcp_socket_finds_dead_connections() {
        let listener = tcp_listener("127.0.0.1:0".parse().unwrap()).unwrap();
        let stream = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        tune_tcp(&stream).unwrap();
        assert!(stream.nodelay().unwrap() && sockopt::socket_keepalive(&stream).unwrap());
        assert_eq!(sockopt::tcp_keepidle(&stream).unwrap(), TCP_KEEPALIVE);
        assert_eq!(sockopt::tcp_keepintvl(&stream).unwrap(), TCP_KEEPALIVE);
        assert_eq!(sockopt::tcp_keepcnt(&stream).unwrap(), TCP_PROBES);
        assert_eq!(sockopt::tcp_user_timeout(&stream).unwrap(), TCP_USER_TIMEOUT_MS);
    }
}
