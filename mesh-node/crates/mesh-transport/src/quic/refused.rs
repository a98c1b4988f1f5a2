//! Whether the machine at the other side says that no process has the port.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use tokio::time::sleep;

/// An answer from the own machine or the next one is there by then.
const FIRST_LOOK: Duration = Duration::from_millis(2);
/// Bound of the pauses between looks for an answer, each four times the one before; then it is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Completes when the machine at `remote` says that no process has the port.
///
/// The system tells that of a connected socket only, and one that quinn works on must not be: a forged word could end
/// its link. So a socket beside it sends a byte, which no QUIC listener answers.
pub(super) async fn refused(remote: SocketAddr) {
    let Err(error) = ask(remote).await;
    if error.kind() != io::ErrorKind::ConnectionRefused {
        // Whatever is in the way shows elsewhere too.
        std::future::pending().await
    }
}

async fn ask(remote: SocketAddr) -> Result<std::convert::Infallible, io::Error> {
    let socket = UdpSocket::bind(any_port(remote))?;
    socket.set_nonblocking(true)?;
    socket.connect(remote)?;
    loop {
        socket.send(&[0])?;
        let mut pause = FIRST_LOOK;
        while pause < ASK_AGAIN {
            sleep(pause).await;
            // The answer is an error of the next thing that is done with the socket.
            if let Some(error) = socket.take_error()? {
                return Err(error);
            }
            pause *= 4;
        }
    }
}

/// Any port of the family of `remote`.
pub(super) fn any_port(remote: SocketAddr) -> SocketAddr {
    let ip: IpAddr =
        if remote.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    SocketAddr::new(ip, 0)
}
