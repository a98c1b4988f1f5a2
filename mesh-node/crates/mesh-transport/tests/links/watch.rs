//! Links that die without a word.

use mesh_transport::link::Link;
use mesh_transport::quic::{Listener, ListenerOptions, settings};
use mesh_wire::class::Class;
use mesh_wire::code::Code;
use tokio::io::AsyncReadExt;

use crate::certs::Certs;
use crate::pair::{Node, open, quic_options, soon, write_all};
use crate::relay::Relay;

pub(crate) async fn through_a_relay() -> (Link, Link, Relay) {
    let node = Node::quic();
    let relay = Relay::to(node.endpoint().authority().unwrap().to_string().parse().unwrap()).await;
    let endpoint = format!("quic://{}", relay.address()).parse().unwrap();
    let (client, server) = tokio::join!(open(&endpoint, Certs::shared().service("app")), node.accept());
    (client, server, relay)
}

async fn used(client: &mut Link, server: &mut Link) {
    write_all(&mut client.outbound, Class::Control, "x").await.unwrap();
    let mut lane = server.inbound.accept().await.unwrap();
    assert_eq!(lane.reader.read_u8().await.unwrap(), b'x');
}

/// Each direction cut on its own: the side that hears nothing closes, and the other one is told, because it hears.
#[tokio::test]
async fn a_one_way_cut_is_told_to_the_side_that_hears() {
    for to_node in [true, false] {
        let (mut client, mut server, relay) = through_a_relay().await;
        used(&mut client, &mut server).await;
        if to_node {
            relay.cut_to_node();
        } else {
            relay.cut_to_client();
        }
        let (here, there) =
            soon(async { tokio::join!(client.handle.closed(), server.handle.closed()) }).await;
        assert_eq!((here.code, there.code), (Some(Code::LinkDead), Some(Code::LinkDead)));
        assert_eq!(here.cause, there.cause, "the reason of the side that was deaf reached the other");
    }
}

/// Whoever is deaf has its hands full: what it sends is not acknowledged any more, so its window is full when it closes.
/// The other side is told all the same, and does not have to find out by itself, which would take as long again.
#[tokio::test]
async fn a_one_way_cut_is_told_by_a_side_that_still_has_much_to_send() {
    let (mut client, mut server, relay) = through_a_relay().await;
    used(&mut client, &mut server).await;
    relay.cut_to_client();
    let much = bytes::Bytes::from(vec![7; 256 * 1024]);
    let lane = client.outbound.lane_of(Class::Publish);
    let filling = async {
        // Ends when the link does.
        while std::future::poll_fn(|cx| client.outbound.poll_write(lane, cx, std::slice::from_ref(&much)))
            .await
            .is_ok()
        {}
    };
    let once_and_a_half = settings::WATCH_STEP * settings::WATCH_STEPS * 3 / 2;
    let told =
        tokio::time::timeout(once_and_a_half, async { tokio::join!(filling, server.handle.closed()).1 });
    assert_eq!(told.await.expect("told in time").code, Some(Code::LinkDead));
}

#[tokio::test]
async fn a_cut_in_both_directions_is_noticed_by_both() {
    let (mut client, mut server, relay) = through_a_relay().await;
    used(&mut client, &mut server).await;
    relay.cut_to_node();
    relay.cut_to_client();
    let (here, there) = soon(async { tokio::join!(client.handle.closed(), server.handle.closed()) }).await;
    assert_eq!((here.code, there.code), (Some(Code::LinkDead), Some(Code::LinkDead)));
}

#[tokio::test]
async fn an_idle_link_stays() {
    let (mut client, mut server) = Node::quic().pair().await;
    used(&mut client, &mut server).await;
    // Longer than a link may be silent: nothing is to happen in this time.
    let quiet = std::time::Duration::from_secs(6);
    assert!(tokio::time::timeout(quiet, client.handle.closed()).await.is_err());
    let mut lane = {
        write_all(&mut server.outbound, Class::Control, "y").await.unwrap();
        client.inbound.accept().await.unwrap()
    };
    assert_eq!(lane.reader.read_u8().await.unwrap(), b'y');
}

/// A listener on a runtime of its own that is killed with everything on it: it can't say that it goes.
struct Killed {
    options: ListenerOptions,
    client: Link,
}

async fn killed() -> Killed {
    let mut options = quic_options(Certs::shared());
    let former = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = {
        let _inside = former.enter();
        Listener::bind(options.clone()).unwrap()
    };
    options.address = listener.local_address().unwrap();
    let endpoint = format!("quic://{}", options.address).parse().unwrap();
    let accepted = former.spawn(async move {
        let link = listener.accept().await.unwrap().finish().await.unwrap();
        (listener, link)
    });
    let client = open(&endpoint, Certs::shared().service("app")).await;
    let (listener, server) = accepted.await.unwrap();
    // To its very end: parts that are dropped while its tasks still run say goodbye.
    let shutdown = move || former.shutdown_timeout(std::time::Duration::from_secs(10));
    tokio::task::spawn_blocking(shutdown).await.unwrap();
    drop((listener, server));
    Killed { options, client }
}

/// A node that was killed and comes back with its key ends the links of its former life at once.
#[tokio::test]
async fn a_restarted_node_resets_its_old_links() {
    let Killed { options, mut client } = killed().await;
    let _back = loop {
        match Listener::bind(options.clone()) {
            Ok(listener) => break listener,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    // Unless a sign of life was quicker.
    write_all(&mut client.outbound, Class::Control, "still there?").await.ok();
    assert_eq!(soon(client.handle.closed()).await.code, Some(Code::LinkReset));
}

/// A node that was killed and stays away: its machine says that nobody has the port.
#[tokio::test]
async fn a_killed_node_is_noticed_by_its_port() {
    let Killed { client, .. } = killed().await;
    let closed = soon(client.handle.closed()).await;
    assert_eq!(closed.code, Some(Code::LinkReset));
    assert!(closed.cause.contains("no process has the port"), "{closed}");
}

/// A socket that is there and says nothing is another matter: the process may only be stopped.
#[tokio::test]
async fn a_silent_node_gets_its_time() {
    let Killed { options, client } = killed().await;
    let _silent = loop {
        match std::net::UdpSocket::bind(options.address) {
            Ok(socket) => break socket,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    assert_eq!(soon(client.handle.closed()).await.code, Some(Code::LinkDead));
}
