//! Messages of every class over every carrier.

use mesh_wire::{
    body::ModeV1,
    class::Class,
    ext::{Ext, Tag},
    frame::{Kind, Parts},
};

use crate::{client::Client, site::Site};

#[tokio::test(flavor = "multi_thread")]
async fn messages_and_requests_travel_in_the_lanes_of_their_classes() {
    let site = Site::start(&[]);
    let (mut here, _) = Client::welcomed(&site.quic(), &site.service("here"), None).await;
    let (mut there, _) = Client::welcomed(&site.quic(), &site.service("there"), None).await;
    assert_eq!(there.subscribe(1, "a.*", ModeV1::Events).await, Class::Publish, "behind nothing it is about");
    assert_eq!(there.subscribe(2, "ask", ModeV1::Responder).await, Class::Request);

    here.publish("a.b", b"hello").await;
    let delivered = there.wait(Kind::Deliver).await;
    assert_eq!((delivered.frame().body(), delivered.lane), (&b"hello"[..], Class::Publish));

    here.request(7, "ask", b"question").await;
    let call = there.wait(Kind::Call).await;
    assert_eq!((call.frame().body(), call.lane), (&b"question"[..], Class::Request));
    there.send(&Parts::bare(Kind::Reply, call.frame().id()).body(b"answer")).await;
    let reply = here.wait(Kind::Reply).await;
    assert_eq!((reply.frame().id(), reply.frame().body(), reply.lane), (7, &b"answer"[..], Class::Request));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_lane_carries_everything_where_there_is_no_more() {
    let site = Site::start(&[]);
    let (mut here, welcome) = Client::welcomed(&site.tls(), &site.service("here"), None).await;
    assert_eq!(welcome.identity, "spiffe://test/service/here");
    let (mut there, _) = Client::welcomed(&site.quic(), &site.service("there"), None).await;
    assert_eq!(here.subscribe(1, "a.*", ModeV1::Events).await, Class::Control);
    here.subscribe(2, "ask", ModeV1::Responder).await;
    there.publish("a.b", b"hello").await;
    assert_eq!(here.wait(Kind::Deliver).await.frame().body(), b"hello");
    there.request(7, "ask", b"question").await;
    let call = here.wait(Kind::Call).await;
    here.send(&Parts::bare(Kind::Reply, call.frame().id()).body(b"answer")).await;
    assert_eq!(there.wait(Kind::Reply).await.frame().body(), b"answer");
    let metrics = site.ask("$mesh.metrics").await;
    assert_eq!((&metrics["mesh_carrier_links"]["tls"], &metrics["mesh_links"]), (&1.into(), &3.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_is_told_with_every_call() {
    let site = Site::start(&[]);
    let (mut here, welcome) = Client::welcomed(&site.quic(), &site.service("here"), None).await;
    assert_eq!(welcome.identity, "spiffe://test/service/here");
    let (mut there, _) = Client::welcomed(&site.quic(), &site.service("there"), None).await;
    there.subscribe(2, "ask", ModeV1::Responder).await;
    here.request(7, "ask", b"").await;
    let call = there.wait(Kind::Call).await;
    let ext = Ext::parse(call.frame().ext()).unwrap();
    assert_eq!(ext.get(Tag::IDENTITY), Some(&b"spiffe://test/service/here"[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_request_does_not_hold_up_what_comes_behind_it() {
    let site = Site::start(&[("limits.max_body", "16MiB")]);
    let (mut here, _) = Client::welcomed(&site.quic(), &site.service("here"), None).await;
    let (mut there, _) = Client::welcomed(&site.quic(), &site.service("there"), None).await;
    there.subscribe(1, "ask", ModeV1::Responder).await;
    let large = mesh_core::large::Large::new(
        &Parts { subject: b"ask", ..Parts::bare(Kind::Request, 1).aux(10_000) },
        vec![7; 1 << 20].into(),
    )
    .unwrap();
    let mut outbox = mesh_core::outbox::Outbox::<()>::new();
    outbox.push_large_in_order(large).unwrap();
    let bytes = outbox.poll_write().concat();
    let (half, rest) = bytes.split_at(bytes.len() / 2);
    here.write(Class::Bulk, half).await.unwrap();
    here.request(2, "ask", b"small").await;
    let small = there.wait(Kind::Call).await;
    assert_eq!((small.frame().body(), small.lane), (&b"small"[..], Class::Request));
    here.write(Class::Bulk, rest).await.unwrap();
    assert_eq!(there.wait(Kind::Call).await.lane, Class::Bulk);
}

#[tokio::test(flavor = "multi_thread")]
async fn threads_share_a_port_and_links_spread_over_them() {
    let site = Site::start(&[("threads", "3")]);
    let store = site.service("many");
    let mut clients = Vec::new();
    for _ in 0..12 {
        clients.push(Client::welcomed(&site.quic(), &store, None).await.0);
    }
    for (id, client) in (1u64..).zip(&mut clients) {
        client.subscribe(id, "all", ModeV1::Events).await;
    }
    clients[0].publish("all", b"x").await;
    for client in &mut clients {
        client.wait(Kind::Deliver).await;
    }
    let info = site.ask("$mesh.metrics").await;
    assert_eq!(info["mesh_carrier_links"]["quic"], 12);
}
