//! Replicas, what they say to each other, snapshots: 7045 to 7069.

use crate::code::entry::Entry;
use crate::code::{Code, ErrorKind};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        code: Code::PeerFrameMalformed,
        name: "peer_frame_malformed",
        kind: ErrorKind::Protocol,
        retryable: false,
        title: "A frame of the durable plane between nodes can't be read",
        cause: "The other node is of another version, or has a fault; the network can't be it, since links are sealed.",
        hint: "Compare the versions of both nodes: `mesh-node --version`; then look at the log of the other one.",
        explanation: "Nodes tell each other about groups in frames of a fixed layout (docs/reference/peer-frames.md). One \
        that is cut off, has bytes left over, or has a byte with a meaning that is not known closes the \
        link: what comes behind it can't be trusted. The link is made again by itself, and nothing that was \
        acknowledged depends on it.\n\nWhen it happens again and again, one of the nodes runs a version that \
        should not be in this cluster yet.",
    },
    Entry {
        code: Code::PeerFrameTooLarge,
        name: "peer_frame_too_large",
        kind: ErrorKind::Limit,
        retryable: false,
        title: "Something between nodes is larger than it may be",
        cause: "A message between nodes announces more bytes than its kind may have.",
        hint: "Compare the versions of both nodes: `mesh-node --version`.",
        explanation: "Each kind of message between nodes has a limit: an entry, a manifest, the answer to a pull. It is \
        checked before any memory is given to it, and the link is closed. The limits are in \
        docs/reference/peer-frames.md; nodes of one version never reach them.",
    },
    Entry {
        code: Code::PayloadDamaged,
        name: "payload_damaged",
        kind: ErrorKind::Corrupt,
        retryable: false,
        title: "What a node sent does not have its checksum",
        cause: "The memory or the disk of the sending node gave back something else than what was put there.",
        hint: "Check the memory and the disk of the node that sent it, and run `mesh-node log verify DIR` there.",
        explanation: "Entries and records carry the CRC32C that was computed when they were formed. It is looked at again \
        wherever they arrive: on links, in the log, in segments. Links are sealed, so damage on the way \
        would have been found there; what arrives with another checksum was damaged in the node that sent \
        it.\n\nThe link is closed and nothing of it is written. Other replicas have the same entries.",
    },
    Entry {
        code: Code::ManifestMalformed,
        name: "manifest_malformed",
        kind: ErrorKind::Corrupt,
        retryable: false,
        title: "A manifest can't be read, or can't be true",
        cause: "A checkpoint or an offered snapshot was damaged, or a later version wrote it.",
        hint: "With other replicas: nothing, another snapshot is offered. Alone: `mesh-node log verify DIR`.",
        explanation: "A manifest is a point in a group's history: the last entry in it, the members, the state, and which \
        records the lanes have. It is kept as a checkpoint, and offered to replicas that lag too far behind. \
        One whose checksum is wrong, whose members can't vote together, or whose records overlap is refused \
        as a whole: nothing is deleted because of it, and nothing is served from it.",
    },
    Entry {
        code: Code::GroupUnknown,
        name: "group_unknown",
        kind: ErrorKind::Refused,
        retryable: true,
        title: "No replica of the group is on this node",
        cause: "A message for a group came to a node that has no replica of it: not yet, or not any more.",
        hint: "Nothing, as a rule; `mesh group ls` shows who has a replica.",
        explanation: "While members of a group change, nodes learn of it one after the other, and messages reach nodes \
        that have no replica yet, or none any more. They are dropped and counted. The sender tries again by \
        itself.",
    },
    Entry {
        code: Code::GroupQuarantined,
        name: "group_quarantined",
        kind: ErrorKind::Refused,
        retryable: false,
        title: "The replica of a group on this node is in quarantine",
        cause: "It lost something that it had acknowledged: damage in its log, or writes that the disk forgot.",
        hint: "Wait where there are other replicas: they fill it again. Alone: `mesh-node log verify DIR`, then `repair \
        --accept-loss DIR`.",
        explanation: "A replica that acknowledged an entry counts in the majority that made it safe. When it is found to \
        have lost such an entry it must not vote or acknowledge any more: a majority could then be had \
        without the entry. So it takes no part, and says so to its leader.\n\nAs long as a majority of the voters \
        has lost nothing, they take it out of the group, take it in again without a vote, fill it from a snapshot, and \
        let it vote when it has caught up: that takes seconds, and nothing is lost. Without such a majority, or in a group \
        of one replica, it stays as it is: what is missing may be nowhere else. A node whose files are whole may still \
        bring it back; else `mesh-node log repair --accept-loss DIR` goes on without what is lost, on purpose.",
    },
    Entry {
        code: Code::ReplicaSender,
        name: "replica_sender",
        kind: ErrorKind::Protocol,
        retryable: false,
        title: "A message about a group is not from whom it says, or not for this node",
        cause: "The sender or the receiver named in it is not at the ends of the link, or is not a member.",
        hint: "Nothing when members have just changed; else compare `mesh group ls` on both nodes.",
        explanation: "Messages of consensus name their sender and receiver. A node takes them only from the node that the \
        link has proved to be on the other side, and answers only from members of the group. Around a change \
        of members a late answer of a node that has left is normal; it is dropped and counted.",
    },
    Entry {
        code: Code::ReplicaMalformed,
        name: "replica_malformed",
        kind: ErrorKind::Protocol,
        retryable: false,
        title: "A message about a group can't be true",
        cause: "It contradicts itself: entries with a gap, a term that there can't be, a vote that nobody asked for.",
        hint: "Compare the versions of both nodes; report it when they are the same.",
        explanation: "Before a message reaches consensus it is checked against what a replica may say and against what is \
        known here: its type, its term, that entries follow each other, that an answer was asked for. What \
        does not fit would break the group, so it is dropped and counted, and the replica goes on as if it \
        had been lost on the way.",
    },
    Entry {
        code: Code::ReplicaStale,
        name: "replica_stale",
        kind: ErrorKind::Refused,
        retryable: false,
        title: "A message about a group comes too late",
        cause: "It is of a term that is over, or of a snapshot that is older than what is here.",
        hint: "Nothing: it was overtaken.",
        explanation: "Messages may be late by any time: a leader was cut off, a network held them back. What belongs to a \
        term that is over, or offers what the replica already has, changes nothing and is dropped.",
    },
    Entry {
        code: Code::TwoLeaders,
        name: "two_leaders",
        kind: ErrorKind::Internal,
        retryable: false,
        title: "Two nodes say that they lead the same group in the same term",
        cause: "A replica forgot whom it had voted for: its data directory was put back from a copy, or its disk lost a write that it had confirmed.",
        hint: "Find the node whose directory was restored or copied and remove it from the cluster: `mesh node ls`.",
        explanation: "In a term each replica votes once, so one node at most can be elected. Two leaders in one term mean \
        that some replica voted twice, which it can only do if it lost its vote. The second leader is not \
        followed. Entries that were committed are safe as long as a majority has kept its word.\n\nNever \
        copy a data directory to two nodes, and never put back an old copy of one.",
    },
    Entry {
        code: Code::LogConflict,
        name: "log_conflict",
        kind: ErrorKind::Internal,
        retryable: false,
        title: "A leader's log contradicts an entry that is committed here",
        cause: "The leader, or this node, lost entries that were acknowledged: see MESH-7054 for how.",
        hint: "Stop writing to the group, keep the data directories, and run `mesh-node log verify DIR` on its nodes.",
        explanation: "What is committed never changes: every later leader has it. A leader with another entry in its place \
        shows that a majority forgot what it had acknowledged, by lost disks or by directories that were put \
        back. The message is not let in: this node keeps what it has and serves it.\n\nWhich side is right \
        is for a person to decide; both are left as they are.",
    },
    Entry {
        code: Code::AckBeyondLog,
        name: "ack_beyond_log",
        kind: ErrorKind::Protocol,
        retryable: false,
        title: "An entry is acknowledged that the leader does not have",
        cause: "The acknowledging node has a fault, or a directory that was put back from a copy.",
        hint: "Run `mesh-node log verify DIR` on the node that sent it.",
        explanation: "In its own term a leader has every entry there is. A follower that acknowledges more speaks of \
        entries of somebody else. Counted, such an acknowledgement would make later entries look safe that \
        the follower never had; it is dropped.",
    },
    Entry {
        code: Code::LostTail,
        name: "lost_tail",
        kind: ErrorKind::Corrupt,
        retryable: false,
        title: "This replica lost entries that it had acknowledged",
        cause: "The disk confirmed a write and forgot it, the data directory was put back from a copy, or files were deleted.",
        hint: "Look at the disk of this node (write caches without power protection), then let the replica be filled anew.",
        explanation: "A leader's heartbeat says up to where the entries on this replica are committed, which is never more \
        than the replica itself has acknowledged in this term. When that is beyond the end of its log, it \
        has lost what it had promised to keep. It goes into quarantine (MESH-7050) instead of taking part \
        with a gap.\n\nNothing is lost as long as the other members of the majority have kept theirs.",
    },
    Entry {
        code: Code::EntryUnreadable,
        name: "entry_unreadable",
        kind: ErrorKind::Protocol,
        retryable: false,
        title: "An entry can't be read by this node",
        cause: "The leader is of a later version than this node, and writes entries that it does not know.",
        hint: "Upgrade this node; the feature level of the cluster should not have been raised before: `mesh node ls`.",
        explanation: "An entry has to be read by every replica when it is applied. One that can't be is not let into the \
        log of this node: a node that has it and can't apply it would have to stop. The replica lags behind \
        until it is upgraded. New formats are written only when every voter can read them, so this shows a \
        node that came back with an older version.",
    },
    Entry {
        code: Code::SnapshotLied,
        name: "snapshot_lied",
        kind: ErrorKind::Corrupt,
        retryable: false,
        title: "A snapshot is not what its manifest says",
        cause: "The node that offered it sent records that overlap, are out of order, are too many, or don't have their digest.",
        hint: "Run `mesh-node log verify DIR` on the node that offered it.",
        explanation: "A replica that lags too far behind gets a manifest, and then pulls the records that it lacks. Each \
        part is checked when it comes: that it was asked for, that it follows the one before, its checksums, \
        and in the end the digest of each run. What does not fit is not installed: the replica stays as it \
        was and takes another offer.",
    },
    Entry {
        code: Code::SnapshotGone,
        name: "snapshot_gone",
        kind: ErrorKind::Refused,
        retryable: true,
        title: "A snapshot that is being fetched is not there any more",
        cause: "The leader changed, was started anew, or gave the snapshot up after nobody had asked for it for a while.",
        hint: "Nothing: another one is offered, and what was fetched is not fetched again.",
        explanation: "A leader keeps the records of a snapshot that it offered for a bounded time, also when they are not \
        wanted any more. After that, or after a restart, it tells whoever asks that the snapshot is gone and \
        offers a new one. Records that arrived already count for that one too.",
    },
    Entry {
        code: Code::SnapshotRefused,
        name: "snapshot_refused",
        kind: ErrorKind::Refused,
        retryable: false,
        title: "A part of a snapshot was asked for that was not offered",
        cause: "The node asks for a lane or for numbers that are not in the manifest, or for too much at once.",
        hint: "Compare the versions of both nodes: `mesh-node --version`.",
        explanation: "Who fetches a snapshot asks for runs of records that its manifest names. Anything else is refused, \
        so that a faulty node can't make this one read its disk for nothing. The node that asked gives the \
        snapshot up after a few tries and takes another offer.",
    },
    Entry {
        code: Code::NoIntactCopy,
        name: "no_intact_copy",
        kind: ErrorKind::Corrupt,
        retryable: true,
        title: "Damaged records have no intact copy that can be reached",
        cause: "Every peer with a replica of the group was asked, and none gave the records with the checksum that they were written with.",
        hint: "Bring back the nodes that are away: `mesh node ls`; damaged records are asked for again by themselves.",
        explanation: "Records that the disk does not give back as they were written are never served. They are fetched \
        from the other replicas, and taken only with the checksum that they had when they were written. \
        While no replica that can be reached has them, reading them fails; the others of their lane are \
        served. They are asked for again as long as this node runs.",
    },
];
