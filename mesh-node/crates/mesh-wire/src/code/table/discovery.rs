//! What can go wrong while a node looks for the others of its cluster: 6100 to 6119.

use crate::code::entry::Entry;
use crate::code::{Code, ErrorKind};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        code: Code::DiscoveryUnreachable,
        name: "discovery_unreachable",
        kind: ErrorKind::Disconnected,
        retryable: true,
        title: "etcd does not answer",
        cause: "None of the endpoints in `--discovery etcd:…` takes a connection.",
        hint: "See that etcd runs and is reached from this machine: `etcdctl --endpoints URL endpoint health`.",
        explanation: "etcd says who is in the cluster, and nothing else goes through it. While it is away no new node \
        is found and none is missed: links between nodes stay, messages flow, groups elect leaders. The node tries \
        the endpoints one after the other, with waits that grow to a few seconds.\n\n\
        After etcd is back the node reads everything again, renews its registration when it has run out, and says so.",
    },
    Entry {
        code: Code::DiscoverySilent,
        name: "discovery_silent",
        kind: ErrorKind::Deadline,
        retryable: true,
        title: "etcd went silent",
        cause: "A connection to etcd is open, and a call on it got no answer in time.",
        hint: "Look at the etcd process and its disk; the node goes on with the next endpoint by itself.",
        explanation: "A process that is stopped, a machine whose disk hangs, or a network that swallows packets keeps \
        a connection open and says nothing. So every call to etcd has a deadline of its own, the one that keeps the \
        lease alive and the watch as well. After the first that passes, the connection is given up and the next \
        endpoint is tried.\n\n\
        Nothing else is concluded: the other nodes of the cluster are taken to be where they were.",
    },
    Entry {
        code: Code::DiscoveryNoLeader,
        name: "discovery_no_leader",
        kind: ErrorKind::Busy,
        retryable: true,
        title: "etcd has no leader",
        cause: "The etcd cluster is electing one, or has lost its majority.",
        hint: "For more than some seconds: `etcdctl endpoint status --cluster`, and bring its members back.",
        explanation: "An etcd of several members answers only while a majority of them is up. During an election it \
        refuses for about a second. The node waits and tries again, and its own cluster goes on meanwhile.",
    },
    Entry {
        code: Code::DiscoveryDenied,
        name: "discovery_denied",
        kind: ErrorKind::Unauthorized,
        retryable: false,
        title: "etcd refused the user, or what it may do",
        cause: "User or password are wrong or missing, or the user's role does not cover the cluster's keys.",
        hint: "The role needs readwrite on the prefix `/mesh/CLUSTER/`: `etcdctl role grant-permission`.",
        explanation: "A node that is refused when it starts ends with this code, since another try would end the \
        same way. A node that was registered before goes on, says this, and asks again from time to time: a password \
        that is changed there and here in turn does no harm.\n\n\
        What a node needs: read and write on every key under `/mesh/CLUSTER/`, and nothing else.",
    },
    Entry {
        code: Code::DiscoveryTlsFailed,
        name: "discovery_tls_failed",
        kind: ErrorKind::Config,
        retryable: false,
        title: "The TLS handshake with etcd failed",
        cause: "Its certificate is of another CA or for another name, or it wants one of ours that it trusts.",
        hint: "Compare the CA with etcd's `--cert-file`, and the host in the URL with the names in that certificate.",
        explanation: "`https://` endpoints are verified against the CA that is configured, by the host name in the \
        URL. When etcd runs with `--client-cert-auth` it wants a certificate as well. A node whose every endpoint \
        fails like this when it starts ends with this code; later it is reported, and tried again.",
    },
    Entry {
        code: Code::DiscoveryRefused,
        name: "discovery_refused",
        kind: ErrorKind::Busy,
        retryable: true,
        title: "etcd refused a request",
        cause: "Its database is full, it is overloaded, or it is of a version below 3.4.",
        hint: "Its own words are in the message; `etcdctl alarm list` tells of a full database.",
        explanation: "A refusal that is neither about the user nor about its leader. The message has etcd's own words. \
        The node tries again, on the next endpoint.",
    },
    Entry {
        code: Code::DiscoveryIdTaken,
        name: "discovery_id_taken",
        kind: ErrorKind::Conflict,
        retryable: false,
        title: "Another node has this node's id",
        cause: "Two nodes of one cluster were started with the same `--node`, and the other one is alive.",
        hint: "Give each node an id of its own with `--node ID`; `etcdctl get --prefix /mesh/` shows who has it.",
        explanation: "A node registers its id with a transaction that succeeds only while nobody has it, or while it \
        is the same data directory's: a node that was killed and comes back takes its place at once. A registration \
        of somebody else is looked at for the time of its lease. When it is renewed, its owner lives, and the second \
        node ends with this code. When it runs out, the second node takes the id.\n\n\
        A node that was registered, lost its lease in an outage, and finds its id taken afterwards does not end: it \
        reports this.",
    },
    Entry {
        code: Code::DiscoveryLeaseLost,
        name: "discovery_lease_lost",
        kind: ErrorKind::Disconnected,
        retryable: true,
        title: "The lease of this node's registration was lost",
        cause: "etcd was away or silent for longer than the lease, or somebody revoked it.",
        hint: "Nothing: the node registers again as soon as it can.",
        explanation: "Other nodes see the registration go and take it for a hint, no more: a node that still answers \
        on its link stays where it is. Only new nodes don't find this one for as long as it is not registered.",
    },
    Entry {
        code: Code::DiscoveryRecordInvalid,
        name: "discovery_record_invalid",
        kind: ErrorKind::Invalid,
        retryable: false,
        title: "What stands under a key of the cluster is no node",
        cause: "Something else than a node wrote it, or it names another id than its key.",
        hint: "Look at it with `etcdctl get KEY`, and delete it if it is nobody's.",
        explanation: "Every key under `/mesh/CLUSTER/nodes/` holds one node's registration: JSON with its id, \
        addresses and versions. What can't be read like that is left out, counted, and reported once for each change \
        of it. Fields that are not known are no error.",
    },
    Entry {
        code: Code::DiscoveryTooManyNodes,
        name: "discovery_too_many_nodes",
        kind: ErrorKind::Limit,
        retryable: false,
        title: "More nodes are registered than a node keeps in mind",
        cause: "The cluster has more than 4,096 nodes, or something registers nodes that there are not.",
        hint: "Count them: `etcdctl get --prefix --count-only --write-out=fields /mesh/CLUSTER/nodes/`.",
        explanation: "What a node keeps of the others is bounded. Nodes beyond that are left out, those with the last \
        ids in the order of the alphabet first, so that all nodes leave out the same ones.",
    },
    Entry {
        code: Code::DiscoveryOtherCluster,
        name: "discovery_other_cluster",
        kind: ErrorKind::Conflict,
        retryable: false,
        title: "etcd knows another cluster under this name",
        cause: "The data directory belongs to a cluster with another UUID than the one in etcd.",
        hint: "Give the node the right `--cluster` and etcd, or an empty data directory to join the other one.",
        explanation: "A cluster's UUID is made once and stands in etcd and in every data directory. A directory that \
        has one never begins another cluster, and never joins one. When etcd lost its data, the nodes write the UUID \
        that they have back.",
    },
    Entry {
        code: Code::DiscoveryCannotFound,
        name: "discovery_cannot_found",
        kind: ErrorKind::Refused,
        retryable: false,
        title: "A cluster can't be founded this way",
        cause: "A list of addresses does not tell the nodes which of them begins the cluster.",
        hint: "Name the first nodes on each of them: `--bootstrap A,B,C`.",
        explanation: "Who founds a cluster is decided in one place, once. With etcd it is a transaction there. With a \
        list of addresses there is no such place, so that a person says it.",
    },
    Entry {
        code: Code::DiscoveryFileUnusable,
        name: "discovery_file_unusable",
        kind: ErrorKind::Config,
        retryable: false,
        title: "The file of peers can't be used",
        cause: "It can't be read, is too large, or has a line that is no address.",
        hint: "One `HOST:PORT` in each line; what follows a `#` is a comment.",
        explanation: "The file is read again every second. One that can't be used when the node starts is an error; \
        later it is reported, and the peers stay what they were until it is right again.",
    },
    Entry {
        code: Code::DiscoveryInvalid,
        name: "discovery_invalid",
        kind: ErrorKind::Config,
        retryable: false,
        title: "The settings for discovery can't be",
        cause: "An endpoint is no URL, there is none, or a certificate is given without its key.",
        hint: "`etcd:http://HOST:2379,…`, or `https://` with a CA; 1 to 16 endpoints.",
        explanation: "Settings are checked before anything is opened, and the message says which one it is.",
    },
];
