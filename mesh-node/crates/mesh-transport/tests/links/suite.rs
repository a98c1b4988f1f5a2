//! What every carrier has to do.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use bytes::Bytes;
use mesh_transport::link::{Carrier, Lane, Link};
use mesh_transport::quic::settings;
use mesh_wire::class::Class;
use mesh_wire::code::Code;
use tokio::io::AsyncReadExt;

use crate::pair::{FILLING, Node, fill, soon, write_all};

macro_rules! conformance {
    (carrier $carrier:ident: $($test:ident)*) => {
        mod $carrier {
            $(
                #[tokio::test]
                async fn $test() {
                    super::soon(super::$test(super::Node::$carrier())).await;
                }
            )*
        }
    };
    ($($test:ident)*) => {
        conformance!(carrier unix: $($test)*);
        conformance!(carrier quic: $($test)*);
        conformance!(carrier tls: $($test)*);
    };
}

conformance! {
    every_class_arrives
    bytes_stay_in_order
    large_writes_arrive
    both_directions_at_once
    nothing_written_is_nothing
    finish_delivers_everything
    finish_without_a_word_is_well
    a_reader_that_stops_stops_the_writer
    a_link_that_is_dropped_ends_the_other_side
    closing_is_told_to_both_sides
    accepting_may_be_given_up
    many_links_at_once
    both_sides_know_each_other
}

/// Bytes that are different everywhere, so that a mix-up shows.
fn pattern(seed: u64, length: usize) -> Bytes {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    std::iter::repeat_with(next).take(length).collect::<Vec<u8>>().into()
}

async fn read_to_end(mut lane: Lane) -> Vec<u8> {
    let mut bytes = Vec::new();
    lane.reader.read_to_end(&mut bytes).await.unwrap();
    bytes
}

async fn every_class_arrives(node: Node) {
    let (mut client, mut server) = node.pair().await;
    for class in Class::ALL.into_iter().rev() {
        write_all(&mut client.outbound, class, class.as_str()).await.unwrap();
    }
    let lanes = client.outbound.lanes();
    let finished = tokio::spawn(async move { client.outbound.finish().await.unwrap() });
    let mut classes = Vec::new();
    let mut bytes = Vec::new();
    for _ in 0..lanes {
        let lane = server.inbound.accept().await.unwrap();
        classes.push(lane.class);
        bytes.extend(read_to_end(lane).await);
    }
    finished.await.unwrap();
    assert_eq!(classes[0], Class::Control, "the handshake's lane comes first");
    assert_eq!(bytes.len(), Class::ALL.map(|class| class.as_str().len()).iter().sum::<usize>());
    if lanes > 1 {
        classes.sort();
        assert_eq!(classes, Class::ALL);
        assert!(bytes.starts_with(b"control"));
    } else {
        let as_written: String = Class::ALL.iter().rev().map(|class| class.as_str()).collect();
        assert_eq!(bytes, as_written.as_bytes());
    }
}

async fn bytes_stay_in_order(node: Node) {
    const LENGTH: usize = 300_000;
    let (mut client, mut server) = node.pair().await;
    let writing = tokio::spawn(async move {
        // In slices of all sizes, several to a write, turn by turn in each lane.
        let lanes = client.outbound.lanes();
        let mut rest: Vec<Bytes> = (0..lanes).map(|lane| pattern(lane as u64, LENGTH)).collect();
        let mut step = 1;
        while rest.iter().any(|rest| !rest.is_empty()) {
            for (lane, rest) in rest.iter_mut().enumerate() {
                step = step * 7 % 4093;
                let mut slices: Vec<Bytes> = Vec::new();
                let mut at = 0;
                for length in [step, 1, 3 * step, 0, 20 * step] {
                    let end = (at + length).min(rest.len());
                    slices.push(rest.slice(at..end));
                    at = end;
                }
                let written = poll_fn(|cx| client.outbound.poll_write(lane, cx, &slices)).await.unwrap();
                assert!(written <= at);
                *rest = rest.split_off(written);
            }
        }
        client.outbound.finish().await.unwrap();
        client
    });
    let mut reading = Vec::new();
    let lanes = server.outbound.lanes();
    for _ in 0..lanes {
        let lane = server.inbound.accept().await.unwrap();
        reading.push(tokio::spawn(async move {
            let seed = if lanes == 1 { 0 } else { lane.class.index() as u64 };
            assert!(read_to_end(lane).await == pattern(seed, LENGTH), "lane {seed} is not what was written");
        }));
    }
    for lane in reading {
        lane.await.unwrap();
    }
    writing.await.unwrap();
}

async fn large_writes_arrive(node: Node) {
    let (mut client, mut server) = node.pair().await;
    let bytes = pattern(7, 24 * 1024 * 1024);
    let written = bytes.clone();
    let writing = tokio::spawn(async move {
        write_all(&mut client.outbound, Class::Control, written).await.unwrap();
        client.outbound.finish().await.unwrap();
    });
    let lane = server.inbound.accept().await.unwrap();
    assert!(read_to_end(lane).await == bytes, "not what was written");
    writing.await.unwrap();
}

async fn both_directions_at_once(node: Node) {
    const LENGTH: usize = 6 * 1024 * 1024;
    let (client, server) = node.pair().await;
    let both = |mut link: Link, out: u64, back: u64| async move {
        let (mut inbound, mut outbound) = (link.inbound, link.outbound);
        link.handle = link.handle.clone();
        let read = async move { read_to_end(inbound.accept().await.unwrap()).await };
        let write = async move {
            write_all(&mut outbound, Class::Control, pattern(out, LENGTH)).await.unwrap();
            outbound.finish().await.unwrap();
            outbound
        };
        let (read, outbound) = tokio::join!(read, write);
        assert!(read == pattern(back, LENGTH), "not what was written");
        (outbound, link.handle)
    };
    // Neither is dropped before the other has everything.
    let _ends = tokio::join!(both(client, 1, 2), both(server, 2, 1));
}

async fn nothing_written_is_nothing(node: Node) {
    let (mut client, mut server) = node.pair().await;
    for bufs in [&[][..], &[Bytes::new()][..]] {
        assert_eq!(poll_fn(|cx| client.outbound.poll_write(0, cx, bufs)).await.unwrap(), 0);
    }
    write_all(&mut client.outbound, Class::Control, "x").await.unwrap();
    let mut lane = server.inbound.accept().await.unwrap();
    assert_eq!(lane.reader.read_u8().await.unwrap(), b'x');
}

async fn finish_delivers_everything(node: Node) {
    let (mut client, mut server) = node.pair().await;
    let bytes = pattern(3, 1024 * 1024);
    let written = bytes.clone();
    let finished = tokio::spawn(async move {
        write_all(&mut client.outbound, Class::Control, written).await.unwrap();
        client.outbound.finish().await.unwrap();
        // And now it is gone, as a process that ends after it has finished.
        drop(client);
    });
    let lane = server.inbound.accept().await.unwrap();
    assert!(read_to_end(lane).await == bytes, "not everything came");
    finished.await.unwrap();
}

async fn finish_without_a_word_is_well(node: Node) {
    let (mut client, _server) = node.pair().await;
    client.outbound.finish().await.unwrap();
}

async fn a_reader_that_stops_stops_the_writer(node: Node) {
    const LIMIT: usize = 64 * 1024 * 1024;
    let (mut client, mut server) = node.pair().await;
    write_all(&mut client.outbound, Class::Control, "x").await.unwrap();
    let mut lane = server.inbound.accept().await.unwrap();
    let taken = fill(&mut client.outbound, Class::Control, LIMIT).await;
    if client.handle.carrier() == Carrier::Quic {
        // The byte of the class, and the one that was written first.
        assert_eq!(taken + 2, settings::LANE_WINDOW_BYTES as usize);
    }
    // It goes on when the reader does.
    let reading = tokio::spawn(async move {
        let mut bytes = Vec::new();
        lane.reader.read_to_end(&mut bytes).await.unwrap();
        assert_eq!(bytes.len(), 1 + taken + FILLING.len() + 1);
        assert!(bytes[1..=taken + FILLING.len()].iter().all(|byte| *byte == b'f') && bytes.ends_with(b"!"));
    });
    // With the same bytes in front, as a write that was pending has to be repeated.
    write_all(&mut client.outbound, Class::Control, FILLING).await.unwrap();
    write_all(&mut client.outbound, Class::Control, "!").await.unwrap();
    client.outbound.finish().await.unwrap();
    reading.await.unwrap();
}

async fn a_link_that_is_dropped_ends_the_other_side(node: Node) {
    let (mut client, mut server) = node.pair().await;
    write_all(&mut client.outbound, Class::Control, "x").await.unwrap();
    let mut lane = server.inbound.accept().await.unwrap();
    assert_eq!(lane.reader.read_u8().await.unwrap(), b'x');
    let handle = server.handle.clone();
    drop(client);
    let mut rest = Vec::new();
    // In order or not, as the carrier can say; but it ends.
    lane.reader.read_to_end(&mut rest).await.ok();
    if handle.carrier() == Carrier::Quic {
        assert_eq!(handle.closed().await.code, None);
    }
}

async fn closing_is_told_to_both_sides(node: Node) {
    let (mut client, mut server) = node.pair().await;
    write_all(&mut client.outbound, Class::Control, "x").await.unwrap();
    let mut lane = server.inbound.accept().await.unwrap();
    assert_eq!(lane.reader.read_u8().await.unwrap(), b'x');
    server.handle.close(Code::LinkStalled, "too slow");
    if server.handle.carrier() == Carrier::Unix {
        // A Unix socket is closed by dropping it, and can't say why.
        drop((server, lane));
        assert!(client.inbound.accept().await.unwrap().reader.read_u8().await.is_err());
        return;
    }
    server.handle.close(Code::InternalError, "the first reason counts");
    let here = server.handle.closed().await;
    assert_eq!((here.code, here.cause.as_str()), (Some(Code::LinkStalled), "too slow"));
    assert!(lane.reader.read_u8().await.is_err());

    let error = match client.inbound.accept().await {
        Ok(mut lane) => lane.reader.read_u8().await.unwrap_err(),
        Err(error) => error,
    };
    let there = mesh_transport::link::Closed::of(&error);
    if client.handle.carrier() == Carrier::Quic {
        assert_eq!(there, Some(&here), "{error}");
        assert_eq!(client.handle.closed().await, here);
        let write = poll_fn(|cx| client.outbound.poll_write(0, cx, &[Bytes::from_static(b"x")])).await;
        assert_eq!(mesh_transport::link::Closed::of(&write.unwrap_err()), Some(&here));
    } else {
        assert_eq!(client.handle.closed().await.code, Some(Code::LinkReset), "{error}");
    }
}

async fn accepting_may_be_given_up(node: Node) {
    let (mut client, mut server) = node.pair().await;
    let lanes = client.outbound.lanes();
    let writing = tokio::spawn(async move {
        for class in Class::ALL {
            write_all(&mut client.outbound, class, class.as_str()).await.unwrap();
            tokio::task::yield_now().await;
        }
        client.outbound.finish().await.unwrap();
    });
    let mut accepted = Vec::new();
    while accepted.len() < lanes {
        // Looked at once and given up, again and again.
        let lane = {
            let mut accepting = pin!(server.inbound.accept());
            poll_fn(|cx| match accepting.as_mut().poll(cx) {
                Poll::Ready(lane) => Poll::Ready(Some(lane.unwrap())),
                Poll::Pending => Poll::Ready(None),
            })
            .await
        };
        match lane {
            Some(lane) => accepted.push(lane),
            None => tokio::task::yield_now().await,
        }
    }
    let mut bytes = 0;
    for lane in accepted {
        bytes += read_to_end(lane).await.len();
    }
    assert_eq!(bytes, Class::ALL.map(|class| class.as_str().len()).iter().sum::<usize>());
    writing.await.unwrap();
}

async fn many_links_at_once(node: Node) {
    const LINKS: usize = 24;
    let endpoint = node.endpoint();
    let clients = tokio::spawn(async move {
        let mut clients = Vec::new();
        for number in 0..LINKS {
            let mut link = crate::pair::open(&endpoint, crate::certs::Certs::shared().service("app")).await;
            write_all(&mut link.outbound, Class::Control, vec![number as u8]).await.unwrap();
            clients.push(link);
        }
        for (number, link) in clients.iter_mut().enumerate() {
            let mut lane = link.inbound.accept().await.unwrap();
            assert_eq!(lane.reader.read_u8().await.unwrap(), number as u8);
        }
    });
    let mut servers = Vec::new();
    for _ in 0..LINKS {
        let mut link = node.accept().await;
        let mut lane = link.inbound.accept().await.unwrap();
        let number = lane.reader.read_u8().await.unwrap();
        servers.push((link, number));
    }
    for (link, number) in &mut servers {
        write_all(&mut link.outbound, Class::Control, vec![*number]).await.unwrap();
    }
    clients.await.unwrap();
}

async fn both_sides_know_each_other(node: Node) {
    let (client, server) = node.pair().await;
    assert_eq!(client.handle.carrier(), server.handle.carrier());
    match client.handle.carrier() {
        Carrier::Unix => {
            let own = std::process::id().cast_signed();
            for handle in [client.handle, server.handle] {
                assert_eq!(handle.process().unwrap().pid, Some(own));
                assert_eq!((handle.remote(), handle.certificate()), (None, None));
            }
        }
        _ => {
            let id = |handle: mesh_transport::link::Handle| handle.certificate().unwrap().id().to_string();
            assert_eq!(
                client.handle.remote().map(|remote| remote.port()),
                node.endpoint().authority().map(|authority| authority.port())
            );
            assert_eq!((client.handle.process(), server.handle.process()), (None, None));
            let is_quic = client.handle.carrier() == Carrier::Quic;
            assert_eq!(client.handle.rtt().is_some_and(|rtt| !rtt.is_zero()), is_quic);
            assert_eq!(client.handle.stats().is_some_and(|stats| stats.sent_packets > 0), is_quic);
            assert_eq!(id(server.handle), "spiffe://test/service/app");
            assert_eq!(id(client.handle), "spiffe://test/node/a");
        }
    }
}

/// Over QUIC lanes do not wait for each other.
#[tokio::test]
async fn full_lanes_hold_up_no_other() {
    soon(async {
        let (mut client, mut server) = Node::quic().pair().await;
        write_all(&mut client.outbound, Class::Control, "c").await.unwrap();
        let mut unread = vec![server.inbound.accept().await.unwrap()];
        for class in [Class::Bulk, Class::Publish] {
            let taken = fill(&mut client.outbound, class, usize::MAX).await;
            assert_eq!(taken + 1, settings::LANE_WINDOW_BYTES as usize);
        }
        write_all(&mut client.outbound, Class::Request, "r").await.unwrap();
        loop {
            let mut lane = server.inbound.accept().await.unwrap();
            if lane.class == Class::Request {
                assert_eq!(lane.reader.read_u8().await.unwrap(), b'r');
                return;
            }
            unread.push(lane);
        }
    })
    .await;
}

/// What is said last comes before what was said first, if its class goes first and the network makes both wait. Lanes
/// that were equal would get half of it each.
#[tokio::test]
async fn classes_go_in_their_order() {
    const LARGE: usize = 1_000_000;
    soon(async {
        let (mut client, mut server, relay) = crate::watch::through_a_relay().await;
        let mut lanes = Vec::new();
        for class in [Class::Control, Class::Publish, Class::Bulk] {
            write_all(&mut client.outbound, class, "x").await.unwrap();
            let mut lane = server.inbound.accept().await.unwrap();
            assert_eq!((lane.class, lane.reader.read_u8().await.unwrap()), (class, b'x'));
            lanes.push(lane);
        }
        let (mut bulk, mut publish) = (lanes.pop().unwrap(), lanes.pop().unwrap());
        relay.cut_to_node();
        for class in [Class::Bulk, Class::Publish] {
            write_all(&mut client.outbound, class, vec![b'y'; LARGE]).await.unwrap();
        }
        relay.mend_to_node();
        let (mut of_bulk, mut of_publish) = (vec![0; LARGE], vec![0; LARGE]);
        let (mut first, mut second) = (0, 0);
        while first < LARGE {
            tokio::select! {
                read = publish.reader.read(&mut of_publish) => first += read.unwrap(),
                read = bulk.reader.read(&mut of_bulk) => second += read.unwrap(),
            }
        }
        assert!(second < LARGE / 2, "{second} bytes of bulk came with {first} of publish");
    })
    .await;
}

/// What all lanes together may have under way is bounded too.
#[tokio::test]
async fn a_link_takes_no_more_than_its_window() {
    soon(async {
        let (mut client, mut server) = Node::quic().pair().await;
        let mut taken = 0;
        for class in Class::ALL {
            taken += fill(&mut client.outbound, class, usize::MAX).await;
        }
        // Every lane said its class.
        let unread = server.inbound.accept().await.unwrap();
        assert!(taken <= settings::LINK_WINDOW_BYTES as usize, "{taken}");
        drop(unread);
    })
    .await;
}
