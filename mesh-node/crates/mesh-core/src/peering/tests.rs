use std::time::Duration;

use super::*;

mod properties;
mod simulation;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn own(node: &str) -> Own {
    Own { node: name(node), cluster: name("c"), incarnation: 10 }
}

fn peering(node: &str) -> Peering {
    Peering::new(Options::default(), own(node), 1)
}

/// What node `node` says of itself, on the link with this number of the side that dialled.
fn greeting(node: &str, dial: u64) -> Greeting {
    Greeting { certified: name(node), node: name(node), cluster: name("c"), incarnation: 10, dial }
}

fn outputs(peering: &mut Peering) -> Vec<Output> {
    std::iter::from_fn(|| peering.poll_output()).collect()
}

/// The outputs as short texts: `dial 1 a:1`, `admit 1`, `close 1 6070`.
fn told(peering: &mut Peering) -> Vec<String> {
    outputs(peering)
        .into_iter()
        .map(|output| match output {
            Output::Dial { link, address } => format!("dial {} {address}", link.0),
            Output::Admit { link } => format!("admit {}", link.0),
            Output::Close { link, code, .. } => format!("close {} {}", link.0, code.number()),
        })
        .collect()
}

/// A node `node` with the link number 1 dialled to a peer, and admitted.
fn with_dialled(now: Instant, node: &str, peer: &str) -> Peering {
    let mut peering = peering(node);
    peering.handle_addresses(now, &["p:1"]).unwrap();
    assert_eq!(told(&mut peering), ["dial 1 p:1"]);
    peering.handle_welcome(now, LinkNumber(1), &greeting(peer, 1));
    assert_eq!(told(&mut peering), ["admit 1"]);
    peering
}

fn state(peering: &Peering) -> (AddressState, Option<Code>) {
    let known = peering.addresses().next().unwrap();
    (known.state, known.fault)
}

#[test]
fn addresses_are_dialled_at_once_and_a_link_ends_that() {
    let now = Instant::now();
    let mut n = with_dialled(now, "a", "b");
    assert_eq!(n.poll_timeout(), None);
    assert_eq!(state(&n), (AddressState::Linked, None));
    let b = name("b");
    let peer = Peer { node: &b, link: LinkNumber(1), incarnation: 10, is_dialled: true };
    assert_eq!(n.peers().collect::<Vec<_>>(), [peer]);
    n.handle_timeout(now + 100 * SECOND);
    assert_eq!(told(&mut n), [""; 0]);
}

#[test]
fn failures_wait_longer_and_longer_up_to_the_bound() {
    let mut now = Instant::now();
    let mut n = peering("a");
    n.handle_addresses(now, &["p:1"]).unwrap();
    let mut waits = Vec::new();
    for dial in 1..=12 {
        assert_eq!(told(&mut n), [format!("dial {dial} p:1")]);
        n.handle_failed(now, LinkNumber(dial), Code::ConnectFailed, None);
        assert_eq!(state(&n), (AddressState::Waiting, Some(Code::ConnectFailed)));
        let due = n.poll_timeout().unwrap();
        n.handle_timeout(due - MS / 1000);
        assert_eq!(told(&mut n), [""; 0], "nothing before its time");
        waits.push(due - now);
        now = due;
        n.handle_timeout(now);
    }
    for (attempt, wait) in waits.iter().enumerate() {
        let whole = (50 * MS * (1 << attempt)).min(5 * SECOND);
        assert!(*wait >= whole / 2 && *wait <= whole, "attempt {attempt}: {wait:?}");
    }
}

#[test]
fn a_lost_link_is_dialled_again_soon_and_one_that_lasted_makes_waits_short_again() {
    let start = Instant::now();
    let mut n = with_dialled(start, "a", "b");
    n.handle_closed(start + SECOND, LinkNumber(1), Some(Code::LinkDead));
    let first = n.poll_timeout().unwrap() - (start + SECOND);
    assert!(first <= 50 * MS);
    // Cut as soon as it is up, again and again: the waits grow.
    let mut now = start + SECOND;
    for dial in 2..=9 {
        now = n.poll_timeout().unwrap();
        n.handle_timeout(now);
        n.handle_welcome(now, LinkNumber(dial), &greeting("b", dial));
        assert_eq!(told(&mut n), [format!("dial {dial} p:1"), format!("admit {dial}")]);
        n.handle_closed(now, LinkNumber(dial), Some(Code::CertificateRevoked));
    }
    assert!(n.poll_timeout().unwrap() - now >= 2500 * MS);
    let at = n.poll_timeout().unwrap();
    n.handle_timeout(at);
    n.handle_welcome(at, LinkNumber(10), &greeting("b", 10));
    let stable = at + Options::default().stable;
    n.handle_closed(stable, LinkNumber(10), Some(Code::LinkDead));
    assert!(n.poll_timeout().unwrap() - stable <= 50 * MS);
}

#[test]
fn a_peer_that_left_on_purpose_is_not_dialled_at_once() {
    for code in [None, Some(Code::NodeStopped), Some(Code::NodeDraining)] {
        let now = Instant::now();
        let mut n = with_dialled(now, "a", "b");
        n.handle_closed(now + 60 * SECOND, LinkNumber(1), code);
        let wait = n.poll_timeout().unwrap() - (now + 60 * SECOND);
        assert!(wait >= 2500 * MS && wait <= 5 * SECOND, "{code:?}: {wait:?}");
        // When it is back and dials by itself, it is taken.
        let link = n.open();
        n.handle_hello(now + 61 * SECOND, link, &Greeting { incarnation: 11, ..greeting("b", 1) });
        assert_eq!(told(&mut n), ["admit 2"]);
        assert_eq!(n.poll_timeout(), None);
    }
}

#[test]
fn what_comes_in_is_judged() {
    let now = Instant::now();
    let table = [
        (greeting("b", 1), "admit 1"),
        (Greeting { cluster: name("other"), ..greeting("b", 1) }, "close 1 6010"),
        (Greeting { certified: name("c"), ..greeting("b", 1) }, "close 1 6011"),
        (Greeting { certified: name("a"), ..greeting("b", 1) }, "close 1 6011"),
        (Greeting { node: name("a"), ..greeting("b", 1) }, "close 1 6011"),
        (greeting("a", 1), "close 1 6071"),
        (Greeting { incarnation: 9, ..greeting("a", 1) }, "close 1 6072"),
        (Greeting { incarnation: 11, ..greeting("a", 1) }, "close 1 6072"),
    ];
    for (greeting, want) in table {
        let mut n = peering("a");
        let link = n.open();
        n.handle_hello(now, link, &greeting);
        assert_eq!(told(&mut n), [want], "{greeting:?}");
        // The same as an answer to a dial; the dial is number 1 as well.
        let mut n = peering("a");
        n.handle_addresses(now, &["p:1"]).unwrap();
        told(&mut n);
        n.handle_welcome(now, LinkNumber(1), &greeting);
        assert_eq!(told(&mut n), [want], "{greeting:?}");
        let is_own = state(&n).0 == AddressState::Own;
        assert_eq!(is_own, want == "close 1 6071", "{greeting:?}");
    }
}

#[test]
fn an_answer_to_another_dial_is_refused() {
    let now = Instant::now();
    let mut n = peering("a");
    n.handle_addresses(now, &["p:1"]).unwrap();
    told(&mut n);
    n.handle_welcome(now, LinkNumber(1), &greeting("b", 2));
    assert_eq!(told(&mut n), [format!("close 1 {}", Code::FieldOutOfRange.number())]);
    n.handle_welcome(now, LinkNumber(7), &greeting("b", 7));
    assert_eq!(told(&mut n), [""; 0]);
}

#[test]
fn the_own_address_is_not_dialled_again() {
    let now = Instant::now();
    let mut n = peering("a");
    n.handle_addresses(now, &["a:1"]).unwrap();
    let link = n.open();
    n.handle_hello(now, link, &greeting("a", 1));
    assert_eq!(told(&mut n), ["dial 1 a:1", "close 2 6071"]);
    n.handle_failed(now, LinkNumber(1), Code::PeerIsSelf, Some(name("a")));
    assert_eq!((state(&n).0, n.poll_timeout()), (AddressState::Own, None));
    n.handle_timeout(now + 1000 * SECOND);
    assert_eq!(told(&mut n), [""; 0]);
}

#[test]
fn of_two_links_the_one_dialled_by_the_smaller_name_stays_whatever_comes_first() {
    let now = Instant::now();
    // At the smaller one, its own dial is link 1, and that of the other one comes in as link 2.
    for hello_first in [true, false] {
        let mut a = peering("a");
        a.handle_addresses(now, &["b:1"]).unwrap();
        told(&mut a);
        let link = a.open();
        if hello_first {
            a.handle_hello(now, link, &greeting("b", 1));
            assert_eq!(told(&mut a), ["admit 2"]);
            a.handle_welcome(now, LinkNumber(1), &greeting("b", 1));
            assert_eq!(told(&mut a), ["close 2 6070", "admit 1"]);
        } else {
            a.handle_welcome(now, LinkNumber(1), &greeting("b", 1));
            a.handle_hello(now, link, &greeting("b", 1));
            assert_eq!(told(&mut a), ["admit 1", "close 2 6070"]);
        }
        assert_eq!(a.peers().map(|peer| peer.link.0).collect::<Vec<_>>(), [1]);
    }
    for hello_first in [true, false] {
        let mut b = peering("b");
        b.handle_addresses(now, &["a:1"]).unwrap();
        told(&mut b);
        let link = b.open();
        if hello_first {
            b.handle_hello(now, link, &greeting("a", 1));
            assert_eq!(told(&mut b), ["admit 2"]);
            b.handle_welcome(now, LinkNumber(1), &greeting("a", 1));
            assert_eq!(told(&mut b), ["close 1 6070"]);
        } else {
            b.handle_welcome(now, LinkNumber(1), &greeting("a", 1));
            b.handle_hello(now, link, &greeting("a", 1));
            assert_eq!(told(&mut b), ["admit 1", "close 1 6070", "admit 2"]);
        }
        assert_eq!(b.peers().map(|peer| peer.link.0).collect::<Vec<_>>(), [2]);
        // The end of the one that lost changes nothing.
        b.handle_closed(now, LinkNumber(1), Some(Code::PeerDuplicate));
        assert_eq!((b.peers().count(), b.poll_timeout()), (1, None));
    }
}

#[test]
fn a_newer_process_takes_the_place_of_an_older_one_and_not_the_reverse() {
    let now = Instant::now();
    let mut n = with_dialled(now, "a", "b");
    for (incarnation, want) in [(9, vec!["close 2 6072"]), (11, vec!["close 1 6070", "admit 3"])] {
        let link = n.open();
        n.handle_hello(now, link, &Greeting { incarnation, ..greeting("b", 1) });
        assert_eq!(told(&mut n), want, "{incarnation}");
    }
    assert_eq!(n.peers().next().unwrap().incarnation, 11);
}

#[test]
fn two_addresses_of_one_node_end_with_one_link() {
    let now = Instant::now();
    let mut n = peering("a");
    n.handle_addresses(now, &["b:1", "b:2", "b:1"]).unwrap();
    assert_eq!(told(&mut n), ["dial 1 b:1", "dial 2 b:2"]);
    n.handle_welcome(now, LinkNumber(2), &greeting("b", 2));
    n.handle_welcome(now, LinkNumber(1), &greeting("b", 1));
    assert_eq!(told(&mut n), ["admit 2", "close 1 6070"]);
    assert_eq!(n.poll_timeout(), None);
    // When it is lost, one is tried, and the other one only after that has failed.
    n.handle_closed(now, LinkNumber(2), Some(Code::LinkDead));
    n.handle_timeout(now + SECOND);
    assert_eq!(told(&mut n), ["dial 3 b:1"]);
    n.handle_failed(now + 2 * SECOND, LinkNumber(3), Code::ConnectFailed, None);
    assert_eq!(told(&mut n), ["dial 4 b:2"]);
}

#[test]
fn peers_are_bounded() {
    let now = Instant::now();
    let options = Options { peers_max: 2, ..Options::default() };
    let mut n = Peering::new(options, own("a"), 1);
    for (peer, want) in [("b", "admit 1"), ("c", "admit 2"), ("d", "close 3 6074")] {
        let link = n.open();
        n.handle_hello(now, link, &greeting(peer, 1));
        assert_eq!(told(&mut n), [want], "{peer}");
    }
    // A newer process of one that is there is no further peer, and nobody is dialled who could not be taken.
    let link = n.open();
    n.handle_hello(now, link, &Greeting { incarnation: 11, ..greeting("c", 1) });
    n.handle_addresses(now, &["d:1"]).unwrap();
    assert_eq!(told(&mut n), ["close 2 6070", "admit 4"]);
    assert_eq!(n.poll_timeout(), None);
    n.handle_closed(now, LinkNumber(1), Some(Code::LinkDead));
    assert_eq!(told(&mut n), ["dial 5 d:1"]);
    // Somebody came in while it was being dialled.
    let link = n.open();
    n.handle_hello(now, link, &greeting("e", 1));
    n.handle_welcome(now, LinkNumber(5), &greeting("d", 5));
    assert_eq!(told(&mut n), ["admit 6", "close 5 6074"]);
}

#[test]
fn addresses_are_bounded() {
    let now = Instant::now();
    let most = Options::default().addresses_max;
    let list: Vec<String> = (0..=most).map(|port| format!("h:{port}")).collect();
    let mut n = peering("a");
    assert_eq!(n.handle_addresses(now, &list), Err(TooManyAddresses { given: most + 1, most }));
    assert_eq!(n.addresses().count(), 0);
    n.handle_addresses(now, &list[1..]).unwrap();
    assert_eq!(outputs(&mut n).len(), most);
}

#[test]
fn addresses_may_change() {
    let now = Instant::now();
    let mut n = with_dialled(now, "a", "b");
    n.handle_addresses(now, &["q:1"]).unwrap();
    assert_eq!(told(&mut n), ["dial 2 q:1"]);
    assert_eq!(n.peers().count(), 1, "the link stays");
    n.handle_closed(now, LinkNumber(1), Some(Code::LinkDead));
    assert_eq!(n.poll_timeout(), None, "its address is gone");
    // A dial that is under way when its address goes ends as any other, and is not repeated.
    n.handle_addresses(now, &["r:1"]).unwrap();
    assert_eq!(told(&mut n), ["dial 3 r:1"]);
    n.handle_failed(now, LinkNumber(2), Code::ConnectFailed, None);
    assert_eq!(n.addresses().map(|known| known.address).collect::<Vec<_>>(), ["r:1"]);
    // Another node answers where one was before.
    n.handle_welcome(now, LinkNumber(3), &greeting("b", 3));
    n.handle_closed(now, LinkNumber(3), Some(Code::LinkDead));
    n.handle_timeout(now + SECOND);
    n.handle_welcome(now + SECOND, LinkNumber(4), &greeting("z", 4));
    assert_eq!(told(&mut n), ["admit 3", "dial 4 r:1", "admit 4"]);
    assert_eq!(n.addresses().next().unwrap().node, Some(&name("z")));
}

#[test]
fn a_node_that_leaves_closes_all_and_takes_none() {
    let now = Instant::now();
    let mut n = with_dialled(now, "a", "b");
    n.handle_addresses(now, &["p:1", "q:1"]).unwrap();
    assert_eq!(told(&mut n), ["dial 2 q:1"]);
    n.handle_drain();
    assert_eq!(told(&mut n), ["close 1 1051", "close 2 1051"]);
    n.handle_welcome(now, LinkNumber(2), &greeting("c", 2));
    n.handle_failed(now, LinkNumber(2), Code::ConnectFailed, None);
    n.handle_closed(now, LinkNumber(1), None);
    let link = n.open();
    n.handle_hello(now, link, &greeting("d", 1));
    n.handle_timeout(now + 100 * SECOND);
    assert_eq!(told(&mut n), ["close 3 1050"]);
    assert_eq!((n.peers().count(), n.poll_timeout()), (0, None));
}
