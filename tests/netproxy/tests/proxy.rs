//! The proxy between plain sockets.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::collections::HashSet;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use mesh_netproxy::{Counters, Direction, Fate, Faults, Plan, Probability, Proxy};

const PATIENCE: Duration = Duration::from_secs(30);

/// A socket that waits for datagrams, up to a point.
fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

fn address(socket: &UdpSocket) -> SocketAddr {
    socket.local_addr().unwrap()
}

fn receive(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = vec![0; 64 * 1024];
    let (bytes, from) = socket.recv_from(&mut buffer).unwrap();
    buffer.truncate(bytes);
    (buffer, from)
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "waited too long until {what}");
        std::thread::yield_now();
    }
}

/// Waits until everything that came was decided over.
fn settled(proxy: &Proxy, direction: Direction, received: u64) -> Counters {
    wait_until("all are through", || {
        let counters = proxy.counters(direction);
        counters.received == received && counters.waiting == 0
    });
    proxy.counters(direction)
}

#[test]
fn datagrams_of_any_size_go_both_ways_and_clients_stay_apart() {
    let target = socket();
    let proxy = Proxy::start(address(&target), 1, Plan::NONE).unwrap();
    let clients = [socket(), socket()];
    let mut seen = HashSet::new();
    for round in 0..2 {
        for (which, client) in clients.iter().enumerate() {
            for len in [0, 1, 1200, 65_507] {
                let datagram = vec![which as u8 + 1; len];
                client.send_to(&datagram, proxy.address()).unwrap();
                let (got, from) = receive(&target);
                assert_eq!(got, datagram);
                seen.insert(from);
                target.send_to(&datagram, from).unwrap();
                assert_eq!(receive(client), (datagram, proxy.address()), "round {round}");
            }
        }
    }
    assert_eq!((seen.len(), proxy.clients()), (2, 2), "one socket per client, and the same one again");
    for direction in Direction::ALL {
        let Counters { received, forwarded, .. } = proxy.counters(direction);
        assert_eq!((received, forwarded), (16, 16));
    }
}

#[test]
fn each_direction_is_cut_alone_and_healed() {
    let target = socket();
    let proxy = Proxy::start(address(&target), 1, Plan::NONE).unwrap();
    let client = socket();
    client.send_to(b"hello", proxy.address()).unwrap();
    let (_, back) = receive(&target);

    proxy.cut(Direction::Down);
    target.send_to(b"into the hole", back).unwrap();
    wait_until("it fell in", || proxy.counters(Direction::Down).cut == 1);
    client.send_to(b"still up", proxy.address()).unwrap();
    assert_eq!(receive(&target).0, b"still up");

    proxy.heal();
    proxy.cut(Direction::Up);
    client.send_to(b"into the hole", proxy.address()).unwrap();
    wait_until("it fell in", || proxy.counters(Direction::Up).cut == 1);
    target.send_to(b"still down", back).unwrap();
    assert_eq!(receive(&client).0, b"still down", "and not what was dropped before");

    proxy.heal();
    client.send_to(b"whole", proxy.address()).unwrap();
    assert_eq!(receive(&target).0, b"whole");
}

#[test]
fn what_arrives_is_what_the_seed_says() {
    let faults = Faults::NONE.loss(Probability::percent(20)).duplicate(Probability::percent(10));
    let fates: Vec<_> = (0..200).map(|n| Fate::of(7, Direction::Up, n, &faults)).collect();
    let expected: Vec<u16> = (0_u16..200)
        .zip(&fates)
        .filter(|(_, fate)| !fate.lost)
        .flat_map(|(number, fate)| std::iter::repeat_n(number, 1 + usize::from(fate.duplicated)))
        .collect();
    for _ in 0..2 {
        let target = socket();
        let proxy = Proxy::start(address(&target), 7, Plan::NONE.up(faults)).unwrap();
        let client = socket();
        for number in 0_u16..200 {
            client.send_to(&number.to_be_bytes(), proxy.address()).unwrap();
        }
        let got = expected.iter().map(|_| {
            let (datagram, _) = receive(&target);
            u16::from_be_bytes([datagram[0], datagram[1]])
        });
        assert_eq!(got.collect::<Vec<_>>(), expected);
        let counters = settled(&proxy, Direction::Up, 200);
        assert_eq!(counters.forwarded, expected.len() as u64);
        assert_eq!(counters.lost, fates.iter().filter(|fate| fate.lost).count() as u64);
    }
}

#[test]
fn delayed_ones_arrive_in_order_reordered_ones_later_and_corrupt_ones_changed() {
    let ms = Duration::from_millis(1);
    let target = socket();
    let proxy = Proxy::start(address(&target), 3, Plan::NONE).unwrap();
    let client = socket();
    let pass = |faults: Faults| -> Vec<Vec<u8>> {
        proxy.faults(Direction::Up, faults);
        for number in 0_u8..200 {
            client.send_to(&[number, !number], proxy.address()).unwrap();
        }
        (0..200).map(|_| receive(&target).0).collect()
    };
    let whole: Vec<Vec<u8>> = (0..200).map(|number| vec![number, !number]).collect();

    assert_eq!(pass(Faults::NONE.delay(ms, 5 * ms)), whole, "in order");
    let mut shuffled = pass(Faults::NONE.reorder(Probability::percent(20)));
    assert_ne!(shuffled, whole);
    shuffled.sort();
    assert_eq!(shuffled, whole, "all of them, in another order");
    let corrupt = pass(Faults::NONE.corrupt(Probability::percent(50)));
    let changed = corrupt.iter().zip(&whole).filter(|(got, sent)| got != sent).count() as u64;
    let counters = proxy.counters(Direction::Up);
    assert_eq!(counters.corrupted, changed);
    assert!((60..140).contains(&changed), "{changed} of 200");
    assert!(counters.delayed >= 200 && counters.reordered > 10);
}

#[test]
fn clients_are_bounded_and_the_longest_silent_makes_room() {
    let target = socket();
    let proxy = Proxy::start(address(&target), 1, Plan::NONE.clients_max(2)).unwrap();
    let clients = [socket(), socket(), socket()];
    let mut backs = Vec::new();
    for (which, known) in [(0, 1), (1, 2), (2, 2)] {
        clients[which].send_to(b"hello", proxy.address()).unwrap();
        backs.push(receive(&target).1);
        assert_eq!(proxy.clients(), known);
    }
    for which in [1, 2] {
        target.send_to(b"you", backs[which]).unwrap();
        assert_eq!(receive(&clients[which]).0, b"you");
    }
}

#[test]
fn a_target_that_comes_back_is_found_again() {
    let target = socket();
    let at = address(&target);
    let proxy = Proxy::start(at, 1, Plan::NONE).unwrap();
    let client = socket();
    client.send_to(b"one", proxy.address()).unwrap();
    receive(&target);
    drop(target);
    for sent in 2..=20 {
        client.send_to(b"nobody there", proxy.address()).unwrap();
        settled(&proxy, Direction::Up, sent);
    }
    let target = UdpSocket::bind(at).unwrap();
    target.set_read_timeout(Some(PATIENCE)).unwrap();
    client.send_to(b"again", proxy.address()).unwrap();
    let (got, back) = receive(&target);
    assert_eq!(got, b"again");
    target.send_to(b"welcome", back).unwrap();
    assert_eq!(receive(&client).0, b"welcome");
}

#[test]
fn an_address_in_use_is_an_error() {
    let taken = socket();
    let plan = Plan::NONE.listen(address(&taken));
    assert_eq!(Proxy::start(address(&taken), 1, plan).unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
}
