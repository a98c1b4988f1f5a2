//! What is put and read on the durable plane: 7090 to 7099.

use crate::code::entry::Entry;
use crate::code::{Code, ErrorKind};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        code: Code::DurableDisabled,
        name: "durable_disabled",
        kind: ErrorKind::Refused,
        retryable: false,
        title: "The node keeps no records",
        cause: "The node runs without a data directory, or what was asked for is switched off in its settings.",
        hint: "Start the node with `--data DIR`; for registers, switch `storage.registers` on as well.",
        explanation: "Records are kept in a node's data directory. A node without one carries messages and requests \
        only, and refuses DECLARE, PUT and FETCH with this code.\n\n\
        Registers are what the tests and benchmarks of the log write to; a node takes them only when its \
        configuration says so (`storage.registers`).",
    },
    Entry {
        code: Code::LaneUndeclared,
        name: "lane_undeclared",
        kind: ErrorKind::NotFound,
        retryable: false,
        title: "There is nothing of this name or number to put to or read from",
        cause: "It was never declared, it was removed, or it belongs to another cluster.",
        hint: "Create it: `mesh register create NAME`.",
        explanation: "What keeps records has to be declared first. A declaration gives it a number (its lane) that is \
        never given to another one, also when one of the same name is declared later: so a batch that is sent again \
        never ends up in something that only has the same name.\n\n\
        A client library declares on first use. It meets this code when what it declared was removed since, or when \
        its address leads to another cluster now.",
    },
    Entry {
        code: Code::SequenceGap,
        name: "sequence_gap",
        kind: ErrorKind::Conflict,
        retryable: true,
        title: "The batch does not follow what its producer put before",
        cause: "A batch in front of this one was refused or lost on its way, and this one came after it.",
        hint: "Send what is not acknowledged again, from the oldest on; the client library does so by itself.",
        explanation: "A producer numbers its records without gaps, and a lane takes them in that order only. When one \
        of several batches under way is refused, those behind it are refused with this code, so that nothing changes \
        places.\n\nThe producer sends again from the oldest batch that is not acknowledged on, under the same \
        numbers. What is there already is not written a second time.",
    },
    Entry {
        code: Code::ProducerFenced,
        name: "producer_fenced",
        kind: ErrorKind::Conflict,
        retryable: false,
        title: "The producer has a later life",
        cause: "Another process took over this producer's id with a higher epoch.",
        hint: "Stop this process, or let it put as a producer of its own.",
        explanation: "A producer that is started anew under the same id raises its epoch. From then on batches of the \
        earlier epoch are refused, so that a process that was only slow, and was taken for dead, can't write behind \
        the one that took its place.",
    },
    Entry {
        code: Code::SequenceForgotten,
        name: "sequence_forgotten",
        kind: ErrorKind::Conflict,
        retryable: false,
        title: "The batch was kept so long ago that it is not known where",
        cause: "The batch was sent again after many others of its producer had been kept behind it.",
        hint: "Nothing has to be done: the records are there. Read the lane to find their numbers.",
        explanation: "A lane takes a producer's batches in their order only. So one whose numbers are below those that come \
        next has been kept, once, and is not written again. Where it is, is remembered of the latest batches only, and this \
        one is older.\n\n\
        The client library reports such a batch as kept, as a duplicate without a number.",
    },
    Entry {
        code: Code::NoLeader,
        name: "no_leader",
        kind: ErrorKind::Busy,
        retryable: true,
        title: "Nobody leads the group",
        cause: "The group is electing a leader, or fewer than half of its nodes reach each other.",
        hint: "Try again in a moment; if it stays so, look who is missing: `mesh group ls`, `mesh node ls`.",
        explanation: "Each group of nodes that keeps records has one leader, through which everything goes. After the \
        loss of a leader another one is elected within about a second. Without a majority of the group's nodes there \
        is none, and nothing is written or read by way of it.\n\nNothing was done. The client library tries again \
        until its deadline.",
    },
    Entry {
        code: Code::OutcomeUnknown,
        name: "outcome_unknown",
        kind: ErrorKind::Deadline,
        retryable: true,
        title: "It is not known whether it was committed",
        cause: "The leader was lost, or the time was up, while it was on its way.",
        hint: "Send the same batch again under the same sequence; the client library does so by itself.",
        explanation: "The records may be kept, may still be, or never will be: nobody who could tell was there in \
        time. A batch that is sent again under its producer's sequence is written once, whichever of these it was.\n\n\
        The client library repeats it until its deadline, and reports this code when it still does not know.",
    },
    Entry {
        code: Code::CommitQueueFull,
        name: "commit_queue_full",
        kind: ErrorKind::Busy,
        retryable: true,
        title: "Too much waits to be committed",
        cause: "More was put than the disks of a majority take.",
        hint: "Try again in a moment, or put fewer and larger batches.",
        explanation: "What waits for the disk is bounded, in bytes and in number, for each group and for the node. \
        Beyond that a PUT is refused at once, and nothing of it is done.\n\n\
        The client library tries again until its deadline, so that a program only notices that it is slowed down.",
    },
    Entry {
        code: Code::StorageFull,
        name: "storage_full",
        kind: ErrorKind::Busy,
        retryable: true,
        title: "There is no room on the disk for more records",
        cause: "The file system of the data directory of the leader, or of a majority, is full.",
        hint: "Make room on the nodes' disks; writing goes on by itself then.",
        explanation: "Nothing was written, and nothing that was acknowledged is lost. Reading goes on. A node has one \
        file of its log made in advance, so it notices early that there is no room for the next one, and takes \
        records again as soon as there is.",
    },
    Entry {
        code: Code::RecordsDamaged,
        name: "records_damaged",
        kind: ErrorKind::Corrupt,
        retryable: true,
        title: "The records are damaged on the disk of this node",
        cause: "What was read is not what was written: the checksum differs.",
        hint: "Try again; if it stays so, look for the damage: `mesh-node log verify DIR` on a stopped node.",
        explanation: "Every record has a checksum that is looked at before it is handed out. What does not match is \
        never served; a node fetches an undamaged copy from another one of its group, and then serves it again.\n\n\
        A node that is alone has no other copy. Look at its disk, and at `mesh-node log verify`.",
    },
];
