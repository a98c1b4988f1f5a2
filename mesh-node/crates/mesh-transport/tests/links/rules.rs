//! The rules for lanes, against a peer that breaks them: plain quinn, with the certificate of a service.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use mesh_identity::tls::{ALPN, client_config};
use mesh_identity::verify::Expect;
use mesh_transport::link::{Closed, Link};
use mesh_transport::quic::settings;
use mesh_wire::class::Class;
use mesh_wire::code::Code;
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{Connection, ConnectionError, Endpoint, SendStream, VarInt};
use tokio::io::AsyncReadExt;

use crate::certs::Certs;
use crate::pair::{Node, soon};

/// A connection of plain quinn, and our end of it.
async fn stranger() -> (Connection, Link) {
    let node = Node::quic();
    let tls = client_config(Certs::shared().service("app"), Expect::Host { cluster: None }, ALPN).unwrap();
    let mut client = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()));
    client.transport_config(settings::transport());
    let endpoint = Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = node.endpoint().authority().unwrap().to_string().parse().unwrap();
    let connecting = endpoint.connect_with(client, address, "127.0.0.1").unwrap();
    let (connection, link) = soon(async { tokio::join!(connecting, node.accept()) }).await;
    (connection.unwrap(), link)
}

async fn lane(connection: &Connection, first: &[u8]) -> SendStream {
    let mut stream = connection.open_uni().await.unwrap();
    stream.write_all(first).await.unwrap();
    stream
}

/// What both sides hear when a rule is broken: the same.
async fn broken(connection: &Connection, link: &mut Link) -> Code {
    let error = soon(async {
        loop {
            if let Err(error) = link.inbound.accept().await {
                return error;
            }
        }
    })
    .await;
    let here = Closed::of(&error).unwrap().clone();
    assert_eq!(link.handle.closed().await, here);
    match soon(connection.closed()).await {
        ConnectionError::ApplicationClosed(close) => {
            let code = here.code.unwrap();
            assert_eq!(close.error_code, VarInt::from_u32(code.number().into()));
            assert_eq!(close.reason, here.cause.as_bytes());
            code
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_class_that_there_is_not() {
    for byte in [Class::COUNT as u8, u8::MAX] {
        let (connection, mut link) = stranger().await;
        let _control = lane(&connection, &[Class::Control as u8]).await;
        let _other = lane(&connection, &[byte, 1, 2, 3]).await;
        assert_eq!(broken(&connection, &mut link).await, Code::LaneUnknown, "{byte}");
    }
}

#[tokio::test]
async fn a_class_twice() {
    let (connection, mut link) = stranger().await;
    let mut control = lane(&connection, &[Class::Control as u8]).await;
    // Also when the first one has ended.
    control.finish().unwrap();
    let _again = lane(&connection, &[Class::Control as u8]).await;
    assert_eq!(broken(&connection, &mut link).await, Code::LaneRepeated);
}

#[tokio::test]
async fn another_class_before_control() {
    let (connection, mut link) = stranger().await;
    let _publish = lane(&connection, &[Class::Publish as u8]).await;
    let _control = lane(&connection, &[Class::Control as u8]).await;
    assert_eq!(broken(&connection, &mut link).await, Code::LaneForbidden);
}

#[tokio::test]
async fn a_lane_that_ends_before_its_class() {
    let (connection, mut link) = stranger().await;
    let mut empty = connection.open_uni().await.unwrap();
    empty.finish().unwrap();
    assert_eq!(broken(&connection, &mut link).await, Code::LaneUnknown);

    let (connection, mut link) = stranger().await;
    let mut given_up = connection.open_uni().await.unwrap();
    given_up.reset(VarInt::from_u32(1)).unwrap();
    assert_eq!(broken(&connection, &mut link).await, Code::LaneUnknown);
}

/// Opening the third stream opens the first two, which say nothing.
#[tokio::test]
async fn lanes_that_are_opened_and_left() {
    let (connection, mut link) = stranger().await;
    let _silent = (connection.open_uni().await.unwrap(), connection.open_uni().await.unwrap());
    let _third = lane(&connection, &[Class::Request as u8]).await;
    assert_eq!(broken(&connection, &mut link).await, Code::LaneSilent);
}

#[tokio::test]
async fn a_silent_lane_behind_one_that_spoke() {
    let (connection, mut link) = stranger().await;
    let _control = lane(&connection, &[Class::Control as u8]).await;
    assert_eq!(soon(link.inbound.accept()).await.unwrap().class, Class::Control);
    let _silent = connection.open_uni().await.unwrap();
    let _spoken = lane(&connection, &[Class::Bulk as u8]).await;
    assert_eq!(soon(link.inbound.accept()).await.unwrap().class, Class::Bulk);
    assert_eq!(broken(&connection, &mut link).await, Code::LaneSilent);
}

/// What is switched off can't even be opened by a peer that keeps to QUIC.
#[tokio::test]
async fn nothing_but_one_lane_per_class() {
    let (connection, _link) = stranger().await;
    assert_eq!(connection.max_datagram_size(), None);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(pin!(connection.open_bi()).poll(&mut cx).is_pending());
    let mut lanes = Vec::new();
    for _ in Class::ALL {
        lanes.push(connection.open_uni().await.unwrap());
    }
    assert!(pin!(connection.open_uni()).poll(&mut cx).is_pending());
}

#[tokio::test]
async fn a_lane_that_is_given_up_is_no_end_in_order() {
    let (connection, mut link) = stranger().await;
    let mut control = lane(&connection, &[Class::Control as u8, b'x']).await;
    let mut reader = soon(link.inbound.accept()).await.unwrap().reader;
    assert_eq!(reader.read_u8().await.unwrap(), b'x');
    control.reset(VarInt::from_u32(7)).unwrap();
    let error = soon(reader.read_u8()).await.unwrap_err();
    assert_eq!(Closed::of(&error).unwrap().code, Some(Code::LinkReset));
}

#[tokio::test]
async fn a_peer_that_allows_no_lanes_gets_no_link() {
    let node = Node::quic();
    let tls = client_config(Certs::shared().service("app"), Expect::Host { cluster: None }, ALPN).unwrap();
    let mut client = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()));
    let mut transport = quinn::TransportConfig::default();
    transport.max_concurrent_uni_streams(VarInt::from_u32(1));
    client.transport_config(Arc::new(transport));
    let endpoint = Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = node.endpoint().authority().unwrap().to_string().parse().unwrap();
    let connecting = endpoint.connect_with(client, address, "127.0.0.1").unwrap();
    let (connection, mut link) = soon(async { tokio::join!(connecting, node.accept()) }).await;
    let _connection = connection.unwrap();
    crate::pair::write_all(&mut link.outbound, Class::Control, "x").await.unwrap();
    let error = crate::pair::write_all(&mut link.outbound, Class::Request, "x").await.unwrap_err();
    assert_eq!(Closed::of(&error).unwrap().code, Some(Code::LaneForbidden));
    assert_eq!(link.handle.closed().await.code, Some(Code::LaneForbidden));
}
