//! A peer with a certificate of the cluster and a number in it says what can't be: it is counted under its code, at most
//! its own link is closed, and the cluster goes on.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    time::{Duration, SystemTime},
};

use bytes::{Bytes, BytesMut};
use mesh_e2e::{CLUSTER, Cluster, PATIENCE, RunningNode, everything, register, wait_until};
use mesh_hostile::{Credentials, Hostile};
use mesh_log::{
    directory::DataDir,
    id::{GroupId, LaneId},
    payload::Payload,
    record::{Entry, EntryKind},
};
use mesh_replica::{
    codec::Encoder,
    door::MessageKind,
    id::NodeNumber,
    ident::Ident,
    members::Members,
    message::{Beat, Extent, Manifest, Message, Offer, Part, Raft},
};
use mesh_wire::{
    body,
    class::Class,
    frame::{Kind, PREFACE, Parts},
    hello::{Features, Versions},
    peer::PeerHelloV1,
};
use quinn::{Connection, ConnectionError, SendStream};
use serde_json::Value;
use tokio::time::timeout;

const UNKNOWN: GroupId = GroupId(4_000_000);
/// A lane that nothing was put into.
const LANE: LaneId = LaneId(3_000);

/// Somebody with the certificate, the directory's UUID and the number of a node that is down.
struct Impostor {
    connection: Connection,
    lanes: BTreeMap<Class, SendStream>,
}

impl Impostor {
    /// Says hello and who it is, to the node at `target`.
    async fn of(cluster: &Cluster, name: &str, lost: &RunningNode, target: SocketAddr) -> Self {
        let certificate = cluster.certificates().file(&format!("node-{name}.pem"));
        let key = cluster.certificates().file(&format!("node-{name}.key"));
        let hostile = Hostile::new(&Credentials::Files { certificate, key }, None);
        let connection = timeout(PATIENCE, hostile.connect(target)).await.unwrap().unwrap();
        let mut this = Self { connection, lanes: BTreeMap::new() };
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let hello = PeerHelloV1 {
            node: name.to_owned(),
            cluster: CLUSTER.to_owned(),
            incarnation: u64::try_from(since.as_micros()).unwrap(),
            dial: 1,
            address: String::new(),
            version: "0".to_owned(),
        };
        let mut bytes = BytesMut::from(&PREFACE[..]);
        let body = body::encode(&hello).unwrap();
        let hello = Parts::bare(Kind::PeerHello, Features::OURS_BETWEEN_NODES.bits());
        hello.aux(Versions::OURS.to_aux()).body(&body).encode(&mut bytes).unwrap();
        this.send(Class::Control, &bytes).await;
        // What it is answered nobody here wants to know, but it has to be taken.
        let incoming = this.connection.clone();
        tokio::spawn(async move {
            while let Ok(mut lane) = incoming.accept_uni().await {
                tokio::spawn(async move { lane.read_to_end(usize::MAX).await });
            }
        });
        let directory = DataDir::open_offline(lost.directory()).unwrap();
        let own = Ident {
            cluster: directory.cluster(),
            directory: directory.uuid(),
            number: directory.number().map(NodeNumber),
            level: u32::MAX,
            cluster_level: 0,
            founders: None,
        };
        let mut encoder = Encoder::new();
        encoder.push_ident(&own);
        for frame in encoder.finish() {
            this.send(frame.class, &frame.frame).await;
        }
        this
    }

    async fn send(&mut self, class: Class, bytes: &[u8]) {
        if !self.lanes.contains_key(&class) {
            let mut lane = self.connection.open_uni().await.unwrap();
            lane.write_all(&[class as u8]).await.unwrap();
            self.lanes.insert(class, lane);
        }
        self.lanes.get_mut(&class).unwrap().write_all(bytes).await.unwrap();
    }

    /// Waits until the node has closed the link for this reason.
    async fn ends_with(self, node: &RunningNode, code: &str) {
        let closed = timeout(PATIENCE, self.connection.closed()).await.unwrap();
        assert!(matches!(closed, ConnectionError::ApplicationClosed(_)), "{closed}");
        wait_until(code, || node.metric("mesh_peer_links_closed_total", &[code]) == 1);
    }

    async fn say(&mut self, message: &Message) {
        let mut encoder = Encoder::new();
        encoder.push(message).unwrap();
        for frame in encoder.finish() {
            self.send(frame.class, &frame.frame).await;
        }
    }
}

fn refused(node: &RunningNode, code: &str) -> u64 {
    node.metric("mesh_group_messages_refused_total", &[code])
}

fn group(node: &RunningNode, number: u32) -> Value {
    let groups = node.api("groups")["groups"].as_array().unwrap().clone();
    groups.into_iter().find(|entry| entry["group"] == number).unwrap()
}

fn is_led(node: &RunningNode, number: u32, not_by: &str) -> bool {
    group(node, number)["leader"].as_str().is_some_and(|leader| leader != not_by)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_member_must_not_say_is_counted_and_the_cluster_goes_on() {
    let mut cluster = Cluster::of(&["a", "b", "c"]);
    let first = register(&cluster.nodes[0], "kept").await;
    let number = first.group();
    for n in 0..20 {
        first.append([n.to_string()]).await.unwrap();
    }
    cluster.nodes[2].kill();
    let a = &cluster.nodes[0];
    wait_until("the group is led by one that is there", || is_led(a, number, "c"));
    first.append(["between"]).await.unwrap();
    let target = cluster.place(0);
    let mut impostor = Impostor::of(&cluster, "c", &cluster.nodes[2], target).await;
    let (to, from) = (NodeNumber(1), NodeNumber(3));
    // Lanes are in no order with each other: until it is known who it is, what it says is not heard at all.
    let beat = |group, term| {
        Message::Beat(vec![Beat { group, term, commit: 0, rests: false, lost: false, read: 0 }])
    };
    while refused(a, "MESH-7049") == 0 {
        impostor.say(&beat(UNKNOWN, 1)).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let now = group(a, number);
    let (term, commit) = (now["term"].as_u64().unwrap(), now["commit"].as_u64().unwrap());
    let entry = Entry {
        term: term + 1,
        index: commit + 1,
        kind: EntryKind::Commands,
        payload: Payload::new(Bytes::from_static(b"\xff\xff\xff")),
    };
    let append = Raft {
        group: GroupId(number),
        from,
        to,
        kind: MessageKind::Append as u8,
        term: term + 1,
        log_term: term,
        index: commit,
        commit,
        commit_term: 0,
        reject: false,
        reject_hint: 0,
        context: Bytes::new(),
        entries: vec![entry],
        priority: 0,
        request_snapshot: 0,
    };
    let voters = [1, 2, 3].into_iter().map(NodeNumber).collect();
    let manifest = Manifest {
        index: commit + 1_000,
        term,
        time_ms: 1,
        members: Members { voters, ..Members::default() },
        state: Payload::new(Bytes::from_static(b"a state")),
        extents: vec![Extent { lane: LANE, first: 1, last: 2, bytes: 10, digest: 1 }],
    };
    let offer = Offer { group: GroupId(number), from, to, term: term + 1, loss: 0, manifest };
    let backwards = vec![Extent { lane: LANE, first: 9, last: 2, bytes: 10, digest: 1 }];
    let backwards = Manifest { extents: backwards, ..offer.manifest.clone() };
    let past = Manifest { term: term - 1, ..offer.manifest.clone() };
    let five = || Payload::new(Bytes::from_static(b"12345"));
    let part = Part {
        group: GroupId(number),
        from,
        snapshot: offer.manifest.index,
        lane: LANE,
        pieces: vec![(1, 1, five()), (2, 1, five())],
        gone: false,
    };
    let table: Vec<(&str, Vec<Message>, &str)> = vec![
        ("an entry that does not decode", vec![Message::Raft(append.clone())], "MESH-7058"),
        (
            "somebody else's name",
            vec![Message::Raft(Raft { from: NodeNumber(2), ..append.clone() })],
            "MESH-7051",
        ),
        ("a kind that there is not", vec![Message::Raft(Raft { kind: 99, ..append.clone() })], "MESH-7052"),
        (
            "a stale term",
            vec![Message::Offer(Offer { term: term - 1, manifest: past, ..offer.clone() })],
            "MESH-7053",
        ),
        ("ranges that lie", vec![Message::Offer(offer.clone()), Message::Part(part)], "MESH-7059"),
    ];
    for (what, messages, code) in table {
        // A vote that came too late was none, for instance.
        let before = refused(a, code);
        for message in &messages {
            impostor.say(message).await;
        }
        wait_until(what, || refused(a, code) > before);
    }
    // An append of a term that is over: who sends it is told of the later one, and nothing is taken of it.
    impostor.say(&Message::Raft(Raft { term: 1, log_term: 1, entries: Vec::new(), ..append })).await;
    let now = group(a, number);
    assert_eq!(now["term"].as_u64(), Some(term));
    assert_eq!(now["quarantined"], false);
    assert_eq!(impostor.connection.close_reason(), None, "a link is not closed for what can be told apart");
    // Bytes that are no messages, and a snapshot that can't be, close the link they came on, and no other one.
    let mut garbage = BytesMut::new();
    Parts::bare(Kind::Raft, 0).body(b"\x01\x02\x03").encode(&mut garbage).unwrap();
    impostor.send(Class::Raft, &garbage).await;
    impostor.ends_with(a, "MESH-7045").await;
    let mut impostor = Impostor::of(&cluster, "c", &cluster.nodes[2], target).await;
    impostor.say(&Message::Offer(Offer { manifest: backwards, ..offer })).await;
    impostor.ends_with(a, "MESH-7048").await;
    for node in &cluster.nodes[..2] {
        register(node, "kept").await.append(["after"]).await.unwrap();
    }
    // The real one comes back, and everybody has everything.
    cluster.nodes[2].start_again();
    let mut wanted: Vec<String> = (0..20).map(|n| n.to_string()).collect();
    wanted.extend(["between", "after", "after"].map(str::to_owned));
    for node in &cluster.nodes {
        assert_eq!(everything(&register(node, "kept").await).await, wanted);
    }
}
