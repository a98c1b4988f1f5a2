//! Links between nodes: who gets one, which one stays, and how soon a lost one is back.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use mesh_e2e::{Authority, CLUSTER, Certificates, NodeBuilder, RunningNode, Subject, Validity, wait_until};
use mesh_netproxy::{Direction, Faults, Plan, Probability, Proxy};
use rustix::process::Signal;
use serde_json::Value;

/// How soon a link is back after a crash, at the latest: on a machine that is busy with other tests.
const BACK: Duration = Duration::from_secs(10);
/// How soon a peer that says nothing is given up: 5 s, and what a machine needs that is busy with other tests.
const NOTICED: Duration = Duration::from_secs(8);
/// How soon a link is cut whose certificate counts no more.
const CUT: Duration = Duration::from_secs(60);

/// Where a node takes its peers: an address that no other process of the tests has, at a port that no socket is given by
/// chance.
fn place() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(7401);
    let [_, high, middle, low] = std::process::id().to_be_bytes();
    let ip = Ipv4Addr::new(127, high.wrapping_add(1), middle, low);
    SocketAddr::from((ip, NEXT.fetch_add(1, Ordering::Relaxed)))
}

/// Nodes of one cluster and one directory of certificates.
struct Cluster {
    authority: Authority,
    certificates: Certificates,
}

impl Cluster {
    fn of(nodes: &[&str]) -> Self {
        let authority = Authority::new("authority");
        let certificates = Certificates::trusting(&[&authority]);
        let this = Self { authority, certificates };
        nodes.iter().for_each(|node| this.issue(node));
        this
    }

    /// A new certificate for a node, in place of any that it had.
    fn issue(&self, node: &str) {
        let issued = self.authority.issue(Subject::Node(node), Validity::Now);
        self.certificates.put_node(node, &issued);
    }

    /// A node at `place` that knows these others.
    fn start(&self, node: &str, place: SocketAddr, others: &[SocketAddr]) -> RunningNode {
        builder(&self.certificates, node, CLUSTER, place, others).start()
    }
}

fn builder(
    certificates: &Certificates,
    node: &str,
    cluster: &str,
    place: SocketAddr,
    others: &[SocketAddr],
) -> NodeBuilder {
    let mut builder = NodeBuilder::default().with_http();
    let certs = certificates.path().display().to_string();
    for (flag, value) in
        [("--node", node), ("--cluster", cluster), ("--certs", &certs), ("--peer-listen", &place.to_string())]
    {
        builder = builder.arg(flag).arg(value);
    }
    if others.is_empty() {
        return builder;
    }
    let others: Vec<String> = others.iter().map(ToString::to_string).collect();
    builder.arg("--discovery").arg(format!("static:{}", others.join(",")))
}

fn peers(node: &RunningNode) -> Vec<Value> {
    node.api("peers")["peers"].as_array().unwrap().clone()
}

/// The link of `node` with `peer`, if it is up.
fn link(node: &RunningNode, peer: &str) -> Option<Value> {
    peers(node).into_iter().find(|entry| entry["id"] == peer && entry["state"] == "up")
}

fn up(node: &RunningNode) -> usize {
    peers(node).iter().filter(|peer| peer["state"] == "up").count()
}

/// How many lanes of the links of `node` have answered.
fn lanes(node: &RunningNode) -> usize {
    peers(node).iter().filter_map(|peer| peer["rtt_us"].as_object()).map(serde_json::Map::len).sum()
}

/// Waits until both have the same link, and gives it as the first one sees it.
fn until_linked(one: (&RunningNode, &str), other: (&RunningNode, &str)) -> Value {
    let same = || {
        let (here, there) = (link(one.0, other.1)?, link(other.0, one.1)?);
        // While an address is being dialled there may be a second link in a moment, which takes the place of the first.
        let is_dialling = |node| peers(node).iter().any(|peer| peer["state"] == "dialling");
        if is_dialling(one.0) || is_dialling(other.0) {
            return None;
        }
        // Of one link, one side has dialled it, and the other has not.
        (here["dialled"] != there["dialled"]).then_some(here)
    };
    let mut found = None;
    wait_until(&format!("{} and {} have one link", one.1, other.1), || {
        found = same();
        found.is_some()
    });
    found.unwrap()
}

/// Waits for something that has to happen so soon.
fn within(most: Duration, what: &str, is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    wait_until(what, is_so);
    let took = began.elapsed();
    assert!(took <= most, "{took:?} until {what}");
}

/// Waits until an address of `node` is not reached for this reason.
fn until_error(node: &RunningNode, code: &str) {
    wait_until(code, || peers(node).iter().any(|peer| peer["error"] == code));
}

#[test]
fn two_nodes_with_one_list_have_one_link_and_every_lane_of_it_works() {
    let cluster = Cluster::of(&["a", "b"]);
    let list = [place(), place()];
    let a = cluster.start("a", list[0], &list);
    let b = cluster.start("b", list[1], &list);
    let at_a = until_linked((&a, "a"), (&b, "b"));
    assert_eq!((at_a["carrier"].as_str(), at_a["protocol"].as_u64()), (Some("quic"), Some(1)));
    assert_eq!(at_a["features"].as_u64(), Some(1 << 32));
    let incarnation = b.api("node")["incarnation"].as_u64();
    assert_eq!(at_a["incarnation"].as_u64(), incarnation);
    assert!(at_a["since"].is_string() && at_a["certificate_not_after"].is_string(), "{at_a}");
    for node in [&a, &b] {
        // Its own address is in the list as well.
        wait_until("the own address is known", || peers(node).iter().any(|peer| peer["state"] == "self"));
        wait_until("the other one's address is known", || peers(node).len() == 2);
        wait_until("every lane has answered", || lanes(node) == 6);
        assert_eq!(node.metric("mesh_peer_links", &[]), 1);
        assert_eq!(up(node), 1);
        node.assert_serves();
    }
    let by_request = a.mesh(&["request", "$mesh.peers", ""]);
    assert!(by_request.stdout.contains("\"id\":\"b\""), "{}{}", by_request.stdout, by_request.stderr);
}

#[test]
fn one_side_that_knows_the_other_is_enough() {
    let cluster = Cluster::of(&["a", "b"]);
    for (knows, known) in [("a", "b"), ("b", "a")] {
        let at = place();
        let other = cluster.start(known, at, &[]);
        let one = builder(&cluster.certificates, knows, CLUSTER, place(), &[at]);
        let one = one.arg("--advertise").arg("elsewhere.example:7401").start();
        let here = until_linked((&one, knows), (&other, known));
        assert_eq!(here["dialled"], true);
        assert_eq!((up(&one), up(&other)), (1, 1));
        // The one who was dialled knows where the other one says it is.
        assert_eq!(here["address"], at.to_string());
        assert_eq!(link(&other, knows).unwrap()["address"], "elsewhere.example:7401");
    }
}

#[test]
fn three_nodes_that_start_and_crash_together_have_a_link_for_each_two() {
    let names = ["a", "b", "c"];
    let cluster = Cluster::of(&names);
    let list = [place(), place(), place()];
    let mut nodes: Vec<RunningNode> =
        names.iter().zip(list).map(|(name, at)| cluster.start(name, at, &list)).collect();
    let whole = |nodes: &[RunningNode]| {
        for one in 0..3 {
            for other in one + 1..3 {
                until_linked((&nodes[one], names[one]), (&nodes[other], names[other]));
            }
        }
        assert!(nodes.iter().all(|node| up(node) == 2));
    };
    whole(&nodes);
    // All of them are gone at once, and come back one after the other.
    nodes.iter().for_each(|node| node.signal(Signal::KILL));
    nodes.iter_mut().for_each(RunningNode::restart);
    whole(&nodes);
    // One leaves in good order: the others stay together.
    let c = nodes.pop().unwrap();
    c.signal(Signal::TERM);
    assert_eq!(c.finish().status, Some(0));
    wait_until("c has left", || nodes.iter().all(|node| up(node) == 1));
    for node in &nodes {
        assert_eq!(node.metric("mesh_peer_links_closed_total", &["MESH-1051"]), 1);
    }
    until_linked((&nodes[0], "a"), (&nodes[1], "b"));
}

#[test]
fn a_killed_node_is_back_with_its_new_incarnation() {
    let cluster = Cluster::of(&["a", "b"]);
    let list = [place(), place()];
    let a = cluster.start("a", list[0], &list);
    let mut b = cluster.start("b", list[1], &list);
    for _ in 0..3 {
        let before = until_linked((&a, "a"), (&b, "b"));
        b.restart();
        within(BACK, "the link is back", || {
            link(&a, "b").is_some_and(|link| link["incarnation"] != before["incarnation"])
        });
        until_linked((&a, "a"), (&b, "b"));
        assert_eq!(link(&a, "b").unwrap()["incarnation"], b.api("node")["incarnation"]);
        assert_eq!(up(&a), 1);
    }
    // The same when only the other one dials.
    let at = place();
    let mut d = cluster.start("b", at, &[]);
    let e = cluster.start("a", place(), &[at]);
    let before = until_linked((&e, "a"), (&d, "b"));
    d.restart();
    within(BACK, "the link is back", || {
        link(&e, "b").is_some_and(|link| link["incarnation"] != before["incarnation"])
    });
}

#[test]
fn a_node_that_stands_still_is_noticed_and_comes_back() {
    let cluster = Cluster::of(&["a", "b"]);
    let list = [place(), place()];
    let a = cluster.start("a", list[0], &list);
    let b = cluster.start("b", list[1], &list);
    until_linked((&a, "a"), (&b, "b"));
    b.signal(Signal::STOP);
    within(NOTICED, "a has noticed", || up(&a) == 0);
    assert_eq!(a.metric("mesh_peer_links_closed_total", &["MESH-6054"]), 1);
    b.signal(Signal::CONT);
    until_linked((&a, "a"), (&b, "b"));
    assert_eq!((up(&a), up(&b)), (1, 1));
}

#[test]
fn nobody_gets_in_who_is_no_node_of_the_cluster() {
    let cluster = Cluster::of(&["a"]);
    let at = place();
    let a = cluster.start("a", at, &[]);
    let refuses = |certificates: &Certificates, name: &str, of: &str, here: &str, there: &str| {
        let node = builder(certificates, name, of, place(), &[at]).start();
        until_error(&node, here);
        wait_until("it is counted", || a.metric("mesh_peer_links_refused_total", &[there]) > 0);
        assert_eq!((up(&node), up(&a)), (0, 0), "{name} of {of}");
        node
    };
    // Another cluster of the same authority: its certificate says so, and it sees that of the other side first.
    let foreign = Certificates::trusting(&[&cluster.authority]);
    let uri = Subject::Uri("spiffe://other/node/x");
    foreign.put_node("x", &cluster.authority.issue(uri, Validity::Now));
    let node = builder(&foreign, "x", "other", place(), &[at]).start();
    until_error(&node, "MESH-6010");
    assert_eq!((up(&node), up(&a)), (0, 0));
    // Another authority that is trusted by the one who dials, and not by the one who is dialled.
    let stranger = Authority::new("stranger");
    let certificates = Certificates::trusting(&[&cluster.authority, &stranger]);
    certificates.put_node("y", &stranger.issue(Subject::Node("y"), Validity::Now));
    refuses(&certificates, "y", CLUSTER, "MESH-6002", "MESH-6002");
    // Revoked.
    let certificates = Certificates::trusting(&[&cluster.authority]);
    let revoked = cluster.authority.issue(Subject::Node("z"), Validity::Now);
    certificates.put_node("z", &revoked);
    cluster.certificates.put_revoked(&cluster.authority.revoke(&[&revoked]));
    refuses(&certificates, "z", CLUSTER, "MESH-6005", "MESH-6005");
    a.assert_serves();
}

#[test]
fn of_two_nodes_with_one_name_the_later_one_has_the_peers() {
    let cluster = Cluster::of(&["a", "b"]);
    let at = place();
    let a = cluster.start("a", at, &[]);
    let first = cluster.start("b", place(), &[at]);
    until_linked((&a, "a"), (&first, "b"));
    let second = cluster.start("b", place(), &[at]);
    until_linked((&a, "a"), (&second, "b"));
    until_error(&first, "MESH-6072");
    assert_eq!((up(&a), up(&first), up(&second)), (1, 0, 1));
    assert_eq!(link(&a, "b").unwrap()["incarnation"], second.api("node")["incarnation"]);
    assert!(a.metric("mesh_peer_links_refused_total", &["MESH-6072"]) > 0);
    // They do not push each other out in turn.
    let before = link(&a, "b").unwrap()["link"].clone();
    let tries = first.metric("mesh_peer_dials_total", &[]);
    wait_until("it has tried again", || first.metric("mesh_peer_dials_total", &[]) >= tries + 2);
    assert_eq!(link(&a, "b").unwrap()["link"], before);
    second.signal(Signal::TERM);
    assert_eq!(second.finish().status, Some(0));
    until_linked((&a, "a"), (&first, "b"));
}

#[test]
fn certificates_are_rotated_under_links_that_stay() {
    let cluster = Cluster::of(&["a", "b"]);
    let list = [place(), place()];
    let a = cluster.start("a", list[0], &list);
    let mut b = cluster.start("b", list[1], &list);
    // An address that is still waited for may become a second link with the same node, which takes the first one's place.
    let is_settled = |node: &RunningNode| peers(node).iter().all(|peer| peer["state"] != "waiting");
    wait_until("no address is left to dial", || is_settled(&a) && is_settled(&b));
    let before = until_linked((&a, "a"), (&b, "b"));
    let reloads = |node: &RunningNode| node.api("certificates")["files"]["reloads"].as_u64().unwrap();
    // New leaves; then a new authority beside the old one, its leaves, and the old one away.
    cluster.issue("a");
    cluster.issue("b");
    let next = Authority::new("next");
    wait_until("the leaves are in use", || reloads(&a) > 0 && reloads(&b) > 0);
    let so_far = [reloads(&a), reloads(&b)];
    cluster.certificates.trust(&[&next, &cluster.authority]);
    wait_until("both are trusted", || reloads(&a) > so_far[0] && reloads(&b) > so_far[1]);
    for node in ["a", "b"] {
        let issued = next.issue(Subject::Node(node), Validity::Now);
        cluster.certificates.put_node(node, &issued);
    }
    cluster.certificates.trust(&[&next]);
    let is_new = |node: &RunningNode| {
        let certificates = node.api("certificates");
        certificates["files"]["failing"].is_null()
    };
    let so_far = [reloads(&a), reloads(&b)];
    wait_until("only the new one is trusted", || reloads(&a) > so_far[0] && reloads(&b) > so_far[1]);
    wait_until("nothing is wrong with the files", || is_new(&a) && is_new(&b));
    assert_eq!(link(&a, "b").unwrap()["link"], before["link"], "the link has stayed");
    // New links take the new certificates, whoever dials.
    b.restart();
    until_linked((&a, "a"), (&b, "b"));
}

#[test]
fn a_link_is_cut_when_the_certificate_of_its_peer_is_revoked() {
    let cluster = Cluster::of(&["a"]);
    let revoked = cluster.authority.issue(Subject::Node("b"), Validity::Now);
    cluster.certificates.put_node("b", &revoked);
    let list = [place(), place()];
    let a = cluster.start("a", list[0], &list);
    let own = Certificates::trusting(&[&cluster.authority]);
    own.put_node("b", &revoked);
    let b = builder(&own, "b", CLUSTER, list[1], &list).start();
    until_linked((&a, "a"), (&b, "b"));
    cluster.certificates.put_revoked(&cluster.authority.revoke(&[&revoked]));
    within(CUT, "the link is cut", || up(&a) == 0);
    assert!(a.metric("mesh_peer_links_closed_total", &["MESH-6005"]) >= 1);
    until_error(&b, "MESH-6005");
    // It gets in again with another one.
    own.put_node("b", &cluster.authority.issue(Subject::Node("b"), Validity::Now));
    until_linked((&a, "a"), (&b, "b"));
}

#[test]
fn a_link_that_is_heard_in_one_direction_only_is_noticed_by_both() {
    let cluster = Cluster::of(&["a", "b"]);
    let at = place();
    let b = cluster.start("b", at, &[]);
    let proxy = Proxy::start(at, 25, Plan::NONE).unwrap();
    let a = cluster.start("a", place(), &[proxy.address()]);
    for cut in [Direction::Up, Direction::Down] {
        until_linked((&a, "a"), (&b, "b"));
        // While much of what was sent is not acknowledged yet, quinn holds back even the end of a connection.
        wait_until("every lane has answered", || lanes(&a) == 6 && lanes(&b) == 6);
        proxy.cut(cut);
        within(NOTICED, "both have noticed", || up(&a) + up(&b) == 0);
        proxy.heal();
    }
    until_linked((&a, "a"), (&b, "b"));
}

#[test]
fn a_bad_network_keeps_no_two_nodes_apart() {
    let cluster = Cluster::of(&["a", "b", "c"]);
    let places = [place(), place(), place()];
    let percent = Probability::percent;
    let faults = Faults::NONE.loss(percent(5)).duplicate(percent(5)).corrupt(percent(2));
    let faults = faults.delay(Duration::from_millis(1), Duration::from_millis(10)).reorder(percent(10));
    let proxies = places.map(|at| Proxy::start(at, 8, Plan::both(faults)).unwrap());
    let list = [0, 1, 2].map(|node: usize| proxies[node].address());
    let names = ["a", "b", "c"];
    let nodes = [0, 1, 2].map(|node: usize| cluster.start(names[node], places[node], &list));
    for one in 0..3 {
        for other in one + 1..3 {
            until_linked((&nodes[one], names[one]), (&nodes[other], names[other]));
        }
    }
    wait_until("every lane has answered", || nodes.iter().all(|node| lanes(node) == 12));
    assert!(nodes.iter().all(|node| up(node) == 2));
}
