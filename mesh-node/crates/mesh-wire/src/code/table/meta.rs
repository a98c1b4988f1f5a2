//! What a cluster knows of itself: 7070 to 7089.

use crate::code::entry::Entry;
use crate::code::{Code, ErrorKind};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        code: Code::ClusterNotFounded,
        name: "cluster_not_founded",
        kind: ErrorKind::Busy,
        retryable: true,
        title: "The cluster is not founded yet",
        cause: "Its first leader is not elected yet: too few of the nodes named in `--bootstrap` are up.",
        hint: "Start a majority of the nodes of `--bootstrap`; the list has to be the same on all of them.",
        explanation: "A cluster comes into being with its first leader, who gives it a UUID and writes down its nodes \
        and groups. That takes a majority of the nodes that `--bootstrap` names, all with the same list in the same \
        order. Until then nothing can be declared, joined or changed.\n\n\
        A node that stands alone founds its cluster when it starts for the first time.",
    },
    Entry {
        code: Code::ClusterFounded,
        name: "cluster_founded",
        kind: ErrorKind::Conflict,
        retryable: false,
        title: "The cluster is founded already",
        cause: "A second leader meant to found it.",
        hint: "Nothing: what was founded first counts.",
        explanation: "A cluster is founded once, by the first entry of its meta group. A leader that was elected \
        before it had heard of that entry proposes one of its own; that one changes nothing.",
    },
    Entry {
        code: Code::MetaCommandInvalid,
        name: "meta_command_invalid",
        kind: ErrorKind::Invalid,
        retryable: false,
        title: "The command to the meta group can't be read, or says what can't be",
        cause: "A value is out of its range, a number names nothing, or a later version wrote it.",
        hint: "Read the cause; with nodes of several versions, see which feature level they agreed on.",
        explanation: "The meta group keeps what a cluster knows of itself: nodes, groups, declarations. Each change \
        is a command that every node applies in the same order, so each one is checked by all in the same way, and one \
        that says what can't be changes nothing anywhere.\n\n\
        A command of a later version is never proposed before the feature level says that every node can read it.",
    },
    Entry {
        code: Code::NodeNumberUnknown,
        name: "node_number_unknown",
        kind: ErrorKind::NotFound,
        retryable: false,
        title: "No node of the cluster has this number",
        cause: "It was removed from the cluster, or never belonged to it.",
        hint: "To take it back, give it an empty data directory and start it without `--bootstrap`.",
        explanation: "Nodes are numbered when they come to a cluster, and a number is never given twice. A node that \
        was removed has had its replicas moved to others; what its directory still holds is out of date, and it may \
        not vote with it.\n\nWith an empty directory it joins like any new node, under its old name and a new number.",
    },
    Entry {
        code: Code::NodeNumberTaken,
        name: "node_number_taken",
        kind: ErrorKind::Conflict,
        retryable: false,
        title: "The node's number belongs to another data directory",
        cause: "The node lost its data directory, or two machines were given the same place in `--bootstrap`.",
        hint: "If the directory is lost: start it without `--bootstrap`, it then joins under a new number by itself.",
        explanation: "A node that votes must never forget how it voted. What it has to remember stands in its data \
        directory, so its number belongs to that directory, not to its name. A node that comes back with another \
        directory is not who it was, and is refused as a voter.\n\n\
        Without `--bootstrap` it asks for a new number, gets copies of what it is to hold, and votes only when it has \
        caught up. Then the old number is removed from every group.",
    },
    Entry {
        code: Code::NodeOutdated,
        name: "node_outdated",
        kind: ErrorKind::Conflict,
        retryable: false,
        title: "A later start of the same node is known",
        cause: "An earlier process of the node told of itself after a later one had, or a clock was set back.",
        hint: "See that only one process runs under this name, and that the clock of its machine is right.",
        explanation: "Each start of a node's process has a number that rises, and the latest one counts. What an \
        earlier one says, because it was held up or because a copy of it runs elsewhere, changes nothing.",
    },
    Entry {
        code: Code::FeatureLevelTooLow,
        name: "feature_level_too_low",
        kind: ErrorKind::Refused,
        retryable: false,
        title: "The node's version can't read what the cluster writes",
        cause: "All nodes were upgraded, the feature level rose, and this one is of an older version.",
        hint: "Start it with the version that the other nodes run.",
        explanation: "New formats are written only when every node of the cluster can read them. The feature level \
        says so; it rises by itself when the last node is upgraded, and never falls. Until then any node may go back \
        to the version before, after that none may.",
    },
    Entry {
        code: Code::TooFewNodes,
        name: "too_few_nodes",
        kind: ErrorKind::Refused,
        retryable: false,
        title: "There would be fewer nodes than replicas",
        cause: "More replicas were asked for than there are nodes to hold them, or a node that is needed was to leave.",
        hint: "Add nodes first, or ask for fewer replicas first.",
        explanation: "Each replica of a group is on a node of its own. For three replicas there have to be three nodes \
        that stay; a node that is on its way out does not count.\n\n\
        To grow from three to five: start the two new nodes, then set five replicas. To shrink: set three, then let \
        two nodes leave.",
    },
    Entry {
        code: Code::TooManyNodes,
        name: "too_many_nodes",
        kind: ErrorKind::Limit,
        retryable: false,
        title: "The cluster has as many nodes as it may have",
        cause: "There are 1,024 nodes, those included that are on their way out.",
        hint: "Let nodes leave that are not needed; sidecars need no number.",
        explanation: "Every node with a number has a copy of what the cluster knows of itself, so their number is \
        bounded. Nodes that keep no records (edge nodes) don't need one.",
    },
    Entry {
        code: Code::NodeInUse,
        name: "node_in_use",
        kind: ErrorKind::Conflict,
        retryable: true,
        title: "The node still has replicas, or has not left",
        cause: "It was to be forgotten before its replicas had gone to other nodes.",
        hint: "Let it leave first; it is forgotten by itself when the last replica is gone.",
        explanation: "A node leaves in steps: others get a copy of what it holds, each group changes its members, and \
        when no group has it any more its number is forgotten. Forgetting it earlier could take away a copy that is \
        needed.",
    },
    Entry {
        code: Code::PlacementOutdated,
        name: "placement_outdated",
        kind: ErrorKind::Conflict,
        retryable: true,
        title: "The plan is for a group that has changed since",
        cause: "Two leaders planned at the same time, around a change of leader.",
        hint: "Nothing: the leader plans again on what is so now.",
        explanation: "Where replicas go is planned by the leader of the meta group on what it knows, and written down \
        with the version of the group that it saw. When another plan came first the version differs, and this one \
        changes nothing.",
    },
    Entry {
        code: Code::TooManyDeclarations,
        name: "too_many_declarations",
        kind: ErrorKind::Limit,
        retryable: false,
        title: "The cluster has as many declarations as it may have",
        cause: "262,144 registers, queues and streams are declared.",
        hint: "Remove those that are not needed.",
        explanation: "Every node keeps the list of what is declared, so its length is bounded.",
    },
    Entry {
        code: Code::TooManyProducers,
        name: "too_many_producers",
        kind: ErrorKind::Busy,
        retryable: true,
        title: "As many producers as may be are remembered",
        cause: "Very many producers put to this lane, or this shard, within an hour.",
        hint: "Use one producer for many batches, not one for each; or try again later.",
        explanation: "So that a batch that is sent again is written once, a lane remembers what each of its producers \
        put last. That memory is bounded: 4,096 producers for each lane and 16,384 for each shard. One that has put \
        nothing for an hour gives way to another; when there is none, a new producer is refused. It is never let in \
        without being remembered.",
    },
    Entry {
        code: Code::TooManyLanes,
        name: "too_many_lanes",
        kind: ErrorKind::Limit,
        retryable: false,
        title: "The shard has as many lanes as it may have",
        cause: "65,536 registers of this shard hold records.",
        hint: "Use fewer registers, or a cluster with more shards.",
        explanation: "A shard knows of each of its lanes how far it goes, and who put to it. That table is bounded.",
    },
    Entry {
        code: Code::ShardCommandInvalid,
        name: "shard_command_invalid",
        kind: ErrorKind::Invalid,
        retryable: false,
        title: "The command to the shard can't be read, or can't be done",
        cause: "It has a form that is not known, its batch has gaps between its records, or a number is out of range.",
        hint: "Put batches as the client library builds them; with several versions, see the feature level.",
        explanation: "A register numbers its records without gaps, so a batch for it must have none either: as many \
        records as its header says that it spans. What a batch says of itself is checked before it is proposed, and \
        once more by every node that applies it.",
    },
    Entry {
        code: Code::BootstrapInvalid,
        name: "bootstrap_invalid",
        kind: ErrorKind::Config,
        retryable: false,
        title: "The list in `--bootstrap` can't begin a cluster",
        cause: "A name is there twice or malformed, the node's own is not there, or there are too many.",
        hint: "Give all first nodes the same list of their names: `--bootstrap a,b,c`.",
        explanation: "`--bootstrap` names the first nodes of a cluster, in the order that gives them their numbers. \
        Each of them has to have the same list, in the same order, and find its own name (`--node`) in it. It counts \
        for an empty data directory only: once the directory belongs to a cluster, the list is not looked at any \
        more.\n\nNodes that come later are not in it: they join through the nodes in `--discovery`.",
    },
];
