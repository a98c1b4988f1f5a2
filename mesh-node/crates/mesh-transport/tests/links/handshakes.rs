//! Handshakes that are begun and left, floods of them, and those that speak something else.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mesh_identity::tls::{ALPN, client_config, server_config};
use mesh_identity::verify::Expect;
use mesh_transport::connect::{self, ConnectOptions};
use mesh_transport::quic::{Listener, ListenerOptions};
use mesh_transport::tls;
use mesh_wire::code::Code;
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{ClientConfig, Endpoint};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpStream, UdpSocket};

use crate::certs::Certs;
use crate::pair::{open, quic_options, soon, tls_options};

fn quic_client(alpn: &[u8]) -> ClientConfig {
    let tls = client_config(Certs::shared().service("app"), Expect::Host { cluster: None }, alpn).unwrap();
    ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()))
}

/// The first packet of a handshake, which whoever sends it need not go on with.
async fn first_packet() -> Vec<u8> {
    let nowhere = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let endpoint = Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
    let to = nowhere.local_addr().unwrap();
    let _connecting = endpoint.connect_with(quic_client(ALPN), to, "127.0.0.1").unwrap();
    let mut packet = vec![0; 2_000];
    let length = nowhere.recv(&mut packet).await.unwrap();
    packet.truncate(length);
    packet
}

/// Begins a handshake from an address of its own and never goes on.
async fn begin(address: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(&first_packet().await, address).await.unwrap();
    socket
}

fn listener(change: impl FnOnce(&mut ListenerOptions)) -> (Arc<Listener>, SocketAddr) {
    let mut options = quic_options(Certs::shared());
    change(&mut options);
    let listener = Listener::bind(options).unwrap();
    let address = listener.local_address().unwrap();
    (Arc::new(listener), address)
}

#[tokio::test]
async fn a_handshake_that_is_left_ends_in_time() {
    let (listener, address) = listener(|options| options.handshake_timeout = Duration::from_millis(200));
    let left = begin(address).await;
    let incoming = soon(listener.accept()).await.unwrap();
    assert_eq!(incoming.remote(), left.local_addr().unwrap());
    let error = soon(incoming.finish()).await.unwrap_err();
    assert_eq!((error.code(), error.remote), (Code::HandshakeTimeout, left.local_addr().unwrap()));

    let tls = tls::ListenerOptions {
        handshake_timeout: Duration::from_millis(200),
        ..tls_options(Certs::shared())
    };
    let listener = tls::Listener::bind(tls).unwrap();
    let left = TcpStream::connect(listener.local_address().unwrap()).await.unwrap();
    let error = soon(soon(listener.accept()).await.unwrap().finish()).await.unwrap_err();
    assert_eq!((error.code(), error.remote), (Code::HandshakeTimeout, left.local_addr().unwrap()));
}

/// In a flood of handshakes that are left, those that prove their address still get in.
#[tokio::test]
async fn a_flood_keeps_nobody_out() {
    const BEFORE_RETRY: usize = 8;
    const FLOOD: usize = 64;
    let (listener, address) = listener(|options| options.retry_from = BEFORE_RETRY);
    let flood: Vec<_> = {
        let mut flood = Vec::new();
        for _ in 0..FLOOD {
            flood.push(begin(address).await);
        }
        flood
    };
    let accepting = Arc::clone(&listener);
    let (links, mut accepted) = tokio::sync::mpsc::unbounded_channel();
    let accepting = tokio::spawn(async move {
        while let Some(incoming) = accepting.accept().await {
            let links = links.clone();
            tokio::spawn(async move {
                if let Ok(link) = incoming.finish().await {
                    links.send(link).unwrap();
                }
            });
        }
    });
    let endpoint = format!("quic://{address}").parse().unwrap();
    let client = soon(open(&endpoint, Certs::shared().service("app"))).await;
    let node = soon(accepted.recv()).await.unwrap();
    assert_eq!(node.handle.certificate().unwrap().id().to_string(), "spiffe://test/service/app");
    let turned_away = listener.turned_away();
    // All of the flood but the first few, and the good one, which may have begun again when the machine was slow.
    assert!(turned_away.retried as usize > FLOOD - BEFORE_RETRY, "{turned_away:?}");
    assert_eq!(turned_away.refused, 0);
    accepting.abort();
    drop((client, flood));
}

#[tokio::test]
async fn so_many_handshakes_and_no_more() {
    for max in [1, 3] {
        let (listener, address) = listener(|options| {
            options.handshakes_max = max;
            options.retry_from = usize::MAX;
        });
        let mut left = Vec::new();
        let mut under_way = Vec::new();
        for _ in 0..max {
            left.push(begin(address).await);
            under_way.push(soon(listener.accept()).await.unwrap());
        }
        let accepting = Arc::clone(&listener);
        let accepting = tokio::spawn(async move { accepting.accept().await });
        let endpoint = format!("quic://{address}").parse().unwrap();
        let options = ConnectOptions::new(Certs::shared().service("app"));
        let error = soon(connect::open(&endpoint, &options)).await.unwrap_err();
        assert_eq!((error.code(), error.is_retryable()), (Code::ConnectBusy, true), "{error}");
        assert_eq!(listener.turned_away().refused, 1);
        // One that ends makes room for one.
        under_way.pop().unwrap().refuse();
        let finishing = async { accepting.await.unwrap().unwrap().finish().await };
        let (client, node) =
            soon(async { tokio::join!(connect::open(&endpoint, &options), finishing) }).await;
        assert!(client.is_ok() && node.is_ok());
    }
}

#[tokio::test]
async fn so_many_handshakes_over_tcp_and_no_more() {
    let options = tls::ListenerOptions { handshakes_max: 1, ..tls_options(Certs::shared()) };
    let listener = Arc::new(tls::Listener::bind(options).unwrap());
    let address = listener.local_address().unwrap();
    let _left = TcpStream::connect(address).await.unwrap();
    let under_way = soon(listener.accept()).await.unwrap();
    let accepting = Arc::clone(&listener);
    let accepting = tokio::spawn(async move { accepting.accept().await });
    let mut refused = TcpStream::connect(address).await.unwrap();
    assert_eq!(soon(refused.read(&mut [0])).await.unwrap(), 0);
    assert_eq!(listener.refused(), 1);
    drop(under_way);
    let _next = TcpStream::connect(address).await.unwrap();
    soon(accepting).await.unwrap().unwrap();
}

#[tokio::test]
async fn another_protocol_is_told_so_on_both_sides() {
    let (listener, address) = listener(|_| {});
    let endpoint = Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
    let connecting = endpoint.connect_with(quic_client(b"h3"), address, "127.0.0.1").unwrap();
    let finishing = async { listener.accept().await.unwrap().finish().await };
    let (client, node) = soon(async { tokio::join!(connecting, finishing) }).await;
    assert!(client.is_err());
    assert_eq!(node.unwrap_err().code(), Code::AlpnMismatch);

    let certs = Certs::shared();
    let tls = server_config(certs.node("a"), certs.expect_service(), b"h3").unwrap();
    let server = quinn::ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls).unwrap()));
    let other = Endpoint::server(server, "127.0.0.1:0".parse().unwrap()).unwrap();
    let endpoint = format!("quic://{}", other.local_addr().unwrap()).parse().unwrap();
    let options = ConnectOptions::new(certs.service("app"));
    let accepting = async { other.accept().await.unwrap().await };
    let (client, server) = soon(async { tokio::join!(connect::open(&endpoint, &options), accepting) }).await;
    assert!(server.is_err());
    assert_eq!(client.unwrap_err().code(), Code::AlpnMismatch);
}

/// Over TCP rustls lets a side pass that names no protocol at all.
#[tokio::test]
async fn no_protocol_at_all_is_another_protocol() {
    let certs = Certs::shared();
    let listener = tls::Listener::bind(tls_options(certs)).unwrap();
    let config = client_config(certs.service("app"), Expect::Host { cluster: None }, ALPN).unwrap();
    let mut config = Arc::unwrap_or_clone(config);
    config.alpn_protocols.clear();
    let stream = TcpStream::connect(listener.local_address().unwrap()).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let connecting = connector.connect("127.0.0.1".try_into().unwrap(), stream);
    let finishing = async { listener.accept().await.unwrap().finish().await };
    let (_client, node) = soon(async { tokio::join!(connecting, finishing) }).await;
    assert_eq!(node.unwrap_err().code(), Code::AlpnMismatch);
}

/// Noise on the port is no handshake at all.
#[tokio::test]
async fn noise_is_not_heard() {
    let (listener, address) = listener(|_| {});
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for length in [0, 1, 21, 1_200, 1_472] {
        socket.send_to(&vec![0xff; length], address).await.unwrap();
        socket.send_to(&vec![0x00; length], address).await.unwrap();
    }
    // Cut short, a first packet is noise as well.
    let first = first_packet().await;
    socket.send_to(&first[..1_199], address).await.unwrap();
    let endpoint = format!("quic://{address}").parse().unwrap();
    let accepting = async { listener.accept().await.unwrap().finish().await };
    let options = ConnectOptions::new(Certs::shared().service("app"));
    let (client, node) = soon(async { tokio::join!(connect::open(&endpoint, &options), accepting) }).await;
    assert!(client.is_ok() && node.is_ok());
}

#[tokio::test]
async fn listeners_share_an_address_when_they_may() {
    let (first, address) = listener(|options| options.reuse_port = true);
    let (_second, again) = listener(|options| {
        options.reuse_port = true;
        options.address = address;
    });
    assert_eq!(again, address);
    let alone = ListenerOptions { address, ..quic_options(Certs::shared()) };
    assert_eq!(Listener::bind(alone).unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
    drop(first);
}

#[tokio::test]
async fn a_listener_that_stops_takes_nobody_and_keeps_its_links() {
    let (listener, address) = listener(|_| {});
    let endpoint = format!("quic://{address}").parse().unwrap();
    let options = ConnectOptions::new(Certs::shared().service("app"));
    let accepting = async { listener.accept().await.unwrap().finish().await.unwrap() };
    let (client, mut node) =
        soon(async { tokio::join!(connect::open(&endpoint, &options), accepting) }).await;
    let mut client = client.unwrap();
    listener.stop();
    let short = ConnectOptions { timeout: Duration::from_millis(500), ..options };
    assert!(connect::open(&endpoint, &short).await.unwrap_err().is_retryable());
    crate::pair::write_all(&mut client.outbound, mesh_wire::class::Class::Control, "x").await.unwrap();
    let mut lane = soon(node.inbound.accept()).await.unwrap();
    assert_eq!(lane.reader.read_u8().await.unwrap(), b'x');

    listener.close(Code::NodeStopped, "it stops");
    let closed = soon(client.handle.closed()).await;
    assert_eq!((closed.code, closed.cause.as_str()), (Some(Code::NodeStopped), "it stops"));
    drop((node, lane));
    soon(listener.idle()).await;
    assert!(listener.accept().await.is_none());
}
