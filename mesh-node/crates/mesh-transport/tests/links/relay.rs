//! A relay between a client and a listener whose directions can be cut.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::net::UdpSocket;

/// Relays the packets of one client.
pub(crate) struct Relay {
    address: SocketAddr,
    to_node: Arc<AtomicBool>,
    to_client: Arc<AtomicBool>,
}

impl Relay {
    pub(crate) async fn to(node: SocketAddr) -> Self {
        let outer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let inner = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        inner.connect(node).await.unwrap();
        let relay = Self {
            address: outer.local_addr().unwrap(),
            to_node: Arc::new(AtomicBool::new(true)),
            to_client: Arc::new(AtomicBool::new(true)),
        };
        let (to_node, to_client) = (Arc::clone(&relay.to_node), Arc::clone(&relay.to_client));
        tokio::spawn(async move {
            let mut client = None;
            let (mut there, mut back) = (vec![0; 65_536], vec![0; 65_536]);
            loop {
                tokio::select! {
                    Ok((length, from)) = outer.recv_from(&mut there) => {
                        // What looks whether the port is open has a socket of its own, and says less.
                        if length >= 1_200 {
                            client = Some(from);
                        }
                        if to_node.load(Ordering::Relaxed) {
                            inner.send(&there[..length]).await.ok();
                        }
                    }
                    Ok(length) = inner.recv(&mut back) => {
                        if let (true, Some(client)) = (to_client.load(Ordering::Relaxed), client) {
                            outer.send_to(&back[..length], client).await.ok();
                        }
                    }
                }
            }
        });
        relay
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn cut_to_node(&self) {
        self.to_node.store(false, Ordering::Relaxed);
    }

    pub(crate) fn mend_to_node(&self) {
        self.to_node.store(true, Ordering::Relaxed);
    }

    pub(crate) fn cut_to_client(&self) {
        self.to_client.store(false, Ordering::Relaxed);
    }
}
