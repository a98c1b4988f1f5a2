//! Handshakes that are begun and left.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Instant;

use quinn_proto::{Endpoint, EndpointConfig};

use crate::peer::{Credentials, client_config};

/// Connections that one of quinn's endpoints begins before it is thrown away with them.
const PER_ENDPOINT: usize = 64;

/// Sends `count` first packets of handshakes to `target`, each from a port of its own and each of another connection, and
/// never answers anything. Gives the ports back as it goes.
///
/// # Panics
/// When the system has no port or quinn no packet.
pub fn initials(target: SocketAddr, count: usize) {
    let config = client_config(&Credentials::None, None);
    let mut packet = Vec::new();
    let mut left = count;
    while left > 0 {
        let mut endpoint = Endpoint::new(Arc::new(EndpointConfig::default()), None, false, None);
        let here = left.min(PER_ENDPOINT);
        for _ in 0..here {
            let now = Instant::now();
            let (_, mut connection) = endpoint
                .connect(now, config.clone(), target, "localhost")
                .expect("a connection can be begun");
            packet.clear();
            let sent = connection.poll_transmit(now, 1, &mut packet).expect("a first packet");
            let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
            // A node that drops what is too much may leave its socket full.
            socket.send_to(&packet[..sent.size], target).ok();
        }
        left -= here;
    }
}
