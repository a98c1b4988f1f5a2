//! Dialling what is not there.

use std::time::Duration;

use mesh_transport::buffers::SocketBuffers;
use mesh_transport::connect::{self, ConnectOptions, connect};
use mesh_transport::endpoint::Endpoint;
use mesh_wire::code::Code;

use crate::certs::Certs;
use crate::pair::{Node, soon};

fn options() -> ConnectOptions {
    ConnectOptions::new(Certs::shared().service("app"))
}

/// A port that nobody has, just now.
fn closed_port() -> u16 {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().port()
}

#[tokio::test]
async fn a_port_that_nobody_has_is_told_at_once() {
    let port = closed_port();
    for scheme in ["quic", "tls"] {
        let endpoint: Endpoint = format!("{scheme}://127.0.0.1:{port}").parse().unwrap();
        // Much shorter than the timeout would be.
        let error =
            soon(connect::open(&endpoint, &ConnectOptions { timeout: Duration::from_secs(60), ..options() }))
                .await
                .unwrap_err();
        assert_eq!((error.code(), error.is_retryable()), (Code::ConnectNothingListening, true), "{error}");
        assert!(error.hint().contains("mesh-node --listen 127.0.0.1"), "{}", error.hint());
    }
}

#[tokio::test]
async fn a_host_that_says_nothing_takes_its_time_and_no_more() {
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let listening = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let quic = format!("quic://{}", silent.local_addr().unwrap());
    let tls = format!("tls://{}", listening.local_addr().unwrap());
    for (text, hint) in [(&quic, "tls://127.0.0.1"), (&tls, "mesh-node health")] {
        let endpoint: Endpoint = text.parse().unwrap();
        let options = ConnectOptions { timeout: Duration::from_millis(300), ..options() };
        let error = soon(connect::open(&endpoint, &options)).await.unwrap_err();
        assert_eq!((error.code(), error.is_retryable()), (Code::ConnectTimeout, true), "{error}");
        assert!(error.hint().contains(hint), "{}", error.hint());
    }
}

#[tokio::test]
async fn what_is_no_mesh_is_told() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint: Endpoint = format!("tls://{}", listener.local_addr().unwrap()).parse().unwrap();
    let server = async {
        use tokio::io::AsyncWriteExt;
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        stream
    };
    let options = options();
    let (error, _stream) = soon(async { tokio::join!(connect::open(&endpoint, &options), server) }).await;
    assert_eq!(error.unwrap_err().code(), Code::TlsHandshakeFailed);
}

#[tokio::test]
async fn a_name_without_an_address_is_told() {
    let endpoint: Endpoint = "quic://no-such-host.invalid".parse().unwrap();
    let error = soon(connect::open(&endpoint, &options())).await.unwrap_err();
    assert_eq!((error.code(), error.is_retryable()), (Code::HostUnresolved, true), "{error}");
    assert!(error.to_string().contains("no-such-host.invalid"), "{error}");
}

#[tokio::test]
async fn a_plain_stream_is_for_unix_sockets() {
    let node = Node::quic();
    let error = connect(&node.endpoint(), SocketBuffers::default()).await.unwrap_err();
    assert_eq!((error.code(), error.is_retryable()), (Code::EndpointNotSupported, false));
    assert!(error.hint().contains("unix://"), "{}", error.hint());
}

#[tokio::test]
async fn what_stands_in_the_way_of_a_unix_socket_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let endpoint = Endpoint::unix(dir.path().join("mesh.sock")).unwrap();
    let error = connect::open(&endpoint, &options()).await.unwrap_err();
    assert_eq!(error.code(), Code::ConnectNoSuchSocket);
}

/// Over IPv6, with the address in brackets.
#[tokio::test]
async fn an_address_in_brackets_is_dialled() {
    let mut options = crate::pair::quic_options(Certs::shared());
    options.address = "[::1]:0".parse().unwrap();
    let Ok(listener) = mesh_transport::quic::Listener::bind(options) else {
        eprintln!("skipped: there is no IPv6 here");
        return;
    };
    let endpoint: Endpoint = format!("quic://{}", listener.local_address().unwrap()).parse().unwrap();
    assert!(endpoint.to_string().starts_with("quic://[::1]:"), "{endpoint}");
    let options = self::options();
    let finishing = async { listener.accept().await.unwrap().finish().await };
    let (client, node) = soon(async { tokio::join!(connect::open(&endpoint, &options), finishing) }).await;
    assert!(
        client.unwrap().handle.remote().unwrap().is_ipv6()
            && node.unwrap().handle.remote().unwrap().is_ipv6()
    );
}
