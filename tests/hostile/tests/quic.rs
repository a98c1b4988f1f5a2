//! That the hostile peers are hostile: against an endpoint of quinn, so that a trial that passes means something.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mesh_hostile::{Credentials, Hostile, Tamper, initials};
use quinn::crypto::rustls::QuicServerConfig;
use quinn::{ConnectionError, Endpoint, ServerConfig, TransportConfig, TransportErrorCode};
use rustls::pki_types::PrivateKeyDer;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(30);
/// The window of a stream, in bytes.
const WINDOW: u32 = 100_000;

fn server() -> (Endpoint, SocketAddr) {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![signed.cert.der().clone()],
            PrivateKeyDer::Pkcs8(signed.signing_key.serialize_der().into()),
        )
        .unwrap();
    tls.alpn_protocols = vec![b"mesh/1".to_vec()];
    let mut config = ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls).unwrap()));
    let mut transport = TransportConfig::default();
    transport.stream_receive_window(WINDOW.into()).max_concurrent_uni_streams(2_u8.into());
    config.transport_config(Arc::new(transport));
    let endpoint = Endpoint::server(config, "127.0.0.1:0".parse().unwrap()).unwrap();
    let address = endpoint.local_addr().unwrap();
    (endpoint, address)
}

async fn pair(server: &Endpoint, tamper: &Tamper) -> (quinn::Connection, quinn::Connection) {
    let hostile = Hostile::new(&Credentials::None, Some(tamper));
    let target = server.local_addr().unwrap();
    let (theirs, ours) =
        tokio::join!(hostile.connect(target), async { server.accept().await.unwrap().await });
    (theirs.unwrap(), ours.unwrap())
}

fn code(error: &ConnectionError) -> TransportErrorCode {
    match error {
        ConnectionError::TransportError(error) => error.code,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn gaps_leave_holes_that_nothing_fills() {
    let (server, _) = server();
    let tamper = Tamper::default();
    let (theirs, ours) = pair(&server, &tamper).await;
    let mut send = theirs.open_uni().await.unwrap();
    send.write_all(b"whole").await.unwrap();
    let mut receive = timeout(PATIENCE, ours.accept_uni()).await.unwrap().unwrap();
    assert_eq!(&receive.read_chunk(100, true).await.unwrap().unwrap().bytes[..], b"whole");
    tamper.gaps(usize::MAX);
    send.write_all(&[7; 50_000]).await.unwrap();
    // Until it has arrived as far as it will: its last byte is of a frame that was cut.
    let mut got = Vec::new();
    while got.last().is_none_or(|offset| *offset < 40_000) {
        let chunk = timeout(PATIENCE, receive.read_chunk(100_000, false)).await.unwrap().unwrap().unwrap();
        assert_eq!(chunk.bytes.len(), 1, "one byte of each frame");
        got.push(chunk.offset);
    }
    assert!(got.len() > 10 && got.len() < 100, "{got:?}");
    assert_eq!(got[0], 5);
}

#[tokio::test]
async fn one_gap_is_one_and_the_window_fills_behind_it() {
    let (server, _) = server();
    let tamper = Tamper::default();
    let (theirs, ours) = pair(&server, &tamper).await;
    tamper.gaps(1);
    let mut send = theirs.open_uni().await.unwrap();
    send.write_all(&[7; 50_000]).await.unwrap();
    let mut receive = timeout(PATIENCE, ours.accept_uni()).await.unwrap().unwrap();
    let mut got = Vec::new();
    while got.last().is_none_or(|end| *end < 50_000) {
        let chunk = timeout(PATIENCE, receive.read_chunk(100_000, false)).await.unwrap().unwrap().unwrap();
        got.push(chunk.offset + chunk.bytes.len() as u64);
        assert!(got.len() > 1 || (chunk.offset, chunk.bytes.len()) == (0, 1), "one byte, then a gap");
    }
}

#[tokio::test]
async fn limits_of_a_stream_are_ignored() {
    let (server, _) = server();
    let (theirs, ours) = pair(&server, &Tamper::default().ignore_limits()).await;
    let mut send = theirs.open_uni().await.unwrap();
    let wrote = timeout(PATIENCE, send.write_all(&vec![0; 10 * WINDOW as usize])).await.unwrap();
    let seen = timeout(PATIENCE, ours.closed()).await.unwrap();
    assert_eq!(code(&seen), TransportErrorCode::FLOW_CONTROL_ERROR, "{wrote:?}");
}

#[tokio::test]
async fn limits_on_streams_are_ignored() {
    let (server, _) = server();
    let (theirs, ours) = pair(&server, &Tamper::default().ignore_limits()).await;
    let mut streams = Vec::new();
    for _ in 0..3 {
        let mut send = timeout(PATIENCE, theirs.open_uni()).await.unwrap().unwrap();
        send.write_all(b"x").await.ok();
        streams.push(send);
    }
    let seen = timeout(PATIENCE, ours.closed()).await.unwrap();
    assert_eq!(code(&seen), TransportErrorCode::STREAM_LIMIT_ERROR);
}

#[tokio::test]
async fn initials_are_handshakes_from_many_ports() {
    let (server, target) = server();
    tokio::task::spawn_blocking(move || initials(target, 100)).await.unwrap();
    let mut ports = std::collections::HashSet::new();
    for _ in 0..100 {
        let incoming = timeout(PATIENCE, server.accept()).await.unwrap().unwrap();
        ports.insert(incoming.remote_address().port());
        incoming.ignore();
    }
    // A port may be given out again once it is free.
    assert!(ports.len() > 50, "{} ports", ports.len());
}
