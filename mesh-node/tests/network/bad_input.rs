//! Clients that break the rules end their own link, and no other.

use mesh_wire::{
    class::Class,
    code::Code,
    frame::{Kind, Parts},
};

use crate::{
    client::{Client, encoded, hello},
    site::Site,
};

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_the_rules_closes_its_own_link_only() {
    let site = Site::start(&[]);
    let store = site.service("bad");
    let (mut witness, _) = Client::welcomed(&site.quic(), &store, None).await;
    let call = encoded(&Parts::bare(Kind::Call, 1));
    let table: [(&str, Class, Vec<u8>, Code); 6] = [
        ("a second HELLO", Class::Control, hello(None)[8..].to_vec(), Code::HelloRepeated),
        ("a HELLO on another lane", Class::Publish, hello(None)[8..].to_vec(), Code::HelloRepeated),
        ("garbage", Class::Control, vec![0xff; 64], Code::FrameOversize),
        ("garbage on a lane", Class::Bulk, vec![0xff; 64], Code::FrameOversize),
        ("a short frame", Class::Request, vec![1, 0, 0, 0, 0, 0, 0, 0], Code::FrameUndersize),
        ("a frame of a node", Class::Request, call, Code::UnexpectedKind),
    ];
    for (what, lane, bytes, code) in table {
        let (mut client, _) = Client::welcomed(&site.quic(), &store, None).await;
        client.write(lane, &bytes).await.unwrap();
        assert_eq!(client.refusal().await.0, code, "{what}");
        assert_eq!(client.closed().await.code, Some(code), "{what}");
        witness.ping().await;
    }
    let errors = &site.ask("$mesh.metrics").await["mesh_errors_total"];
    for (code, times) in [(Code::HelloRepeated, 2), (Code::FrameOversize, 2), (Code::UnexpectedKind, 1)] {
        assert_eq!(errors[code.to_string()], times, "{code}: each counted once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_counts_before_the_greeting() {
    let impatient = Site::start(&[("limits.handshake_timeout", "1s")]);
    for bytes in [&b""[..], b"MESH"] {
        let mut client = Client::open(&impatient.quic(), &impatient.service("early")).await.unwrap();
        // It may be over before this is written.
        client.write(Class::Control, bytes).await.ok();
        assert_eq!(client.refusal().await.0, Code::HandshakeTimeout, "{bytes:?}");
    }
    let site = Site::start(&[]);
    let store = site.service("early");
    let mut client = Client::open(&site.quic(), &store).await.unwrap();
    client.write(Class::Control, b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    assert_eq!(client.refusal().await.0, Code::PrefaceBad);
    let publish = encoded(&Parts { subject: b"a", ..Parts::bare(Kind::Publish, 0) });
    let mut client = Client::open(&site.quic(), &store).await.unwrap();
    client.write(Class::Publish, &publish).await.unwrap();
    let (code, _) = client.refusal().await;
    assert!(matches!(code, Code::LaneForbidden | Code::HandshakeTimeout), "{code:?}");
}

/// Waits until the node has ended a connection.
async fn ended(mut stream: std::net::TcpStream) {
    stream.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    let read = move || std::io::Read::read_to_end(&mut stream, &mut Vec::new());
    // A reset is an end too.
    let is_over = |error: &std::io::Error| error.kind() != std::io::ErrorKind::WouldBlock;
    assert!(tokio::task::spawn_blocking(read).await.unwrap().as_ref().err().is_none_or(is_over));
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_on_the_ports_are_counted_and_harm_nobody() {
    let site = Site::start(&[("limits.handshake_timeout", "3s"), ("limits.handshakes", "4")]);
    let address = site.node.listen_address().unwrap();
    let (mut witness, _) = Client::welcomed(&site.quic(), &site.service("witness"), None).await;
    let udp = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    for len in [1, 100, 1200, 9000] {
        udp.send_to(&vec![0xc3; len], address).unwrap();
    }
    let mut garbage = std::net::TcpStream::connect(address).unwrap();
    std::io::Write::write_all(&mut garbage, b"GET / HTTP/1.1\r\n\r\n").unwrap();
    ended(garbage).await;
    // More than may shake hands at once: those beyond are ended at once, the others in time.
    let silent: Vec<_> = (0..8).map(|_| std::net::TcpStream::connect(address).unwrap()).collect();
    for stream in silent {
        ended(stream).await;
    }
    witness.ping().await;
    let (mut late, _) = Client::welcomed(&site.tls(), &site.service("late"), None).await;
    late.ping().await;
    let metrics = site.ask("$mesh.metrics").await;
    let count = |code: Code| metrics["mesh_errors_total"][code.to_string()].as_u64().unwrap_or_default();
    let refused = metrics["mesh_handshakes_turned_away_total"]["refuse"].as_u64().unwrap();
    assert_eq!(count(Code::TlsHandshakeFailed), 1, "{metrics}");
    assert_eq!(count(Code::HandshakeTimeout) + refused, 8, "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_as_many_links_as_may_be_over_all_carriers() {
    let site = Site::start(&[("limits.max_links", "2")]);
    let store = site.service("many");
    let socket = format!("unix://{}", site.dir.path().join("m.sock").display());
    let (mut first, _) = Client::welcomed(&site.quic(), &store, None).await;
    let (second, _) = Client::welcomed(&socket, &store, None).await;
    assert_eq!(Client::refused(&site.quic(), &store, None).await.0, Code::TooManyLinks);
    first.ping().await;
    drop(second);
    // The place is free when the node has seen that the other one is gone.
    loop {
        let mut client = Client::open(&site.quic(), &store).await.unwrap();
        client.write(Class::Control, &hello(None)).await.unwrap();
        if client.next().await.kind() == Kind::Welcome {
            break;
        }
    }
}
