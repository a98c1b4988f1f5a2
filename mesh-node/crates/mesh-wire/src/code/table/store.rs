//! Segments and checkpoints: 7030 to 7044.

use crate::code::entry::Entry;
use crate::code::{Code, ErrorKind};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        code: Code::CheckpointDamaged,
        name: "checkpoint_damaged",
        kind: ErrorKind::Corrupt,
        retryable: false,
        title: "A checkpoint is damaged",
        cause: "The disk gave back something else than what was written to it, or the file was changed or cut short.",
        hint: "With other replicas: nothing, the group is filled again from them. Alone: `mesh-node log verify DIR`.",
        explanation: "A checkpoint is the state of a group up to an entry; the log before that entry is not kept. \
        When it can't be read, the group can't go on from it: it takes no part in votes, nothing of it is served, and \
        nothing of it is deleted. A replica gets a new one from the group's leader. A node without other replicas \
        needs the directory back from a copy.",
    },
    Entry {
        code: Code::IndexDamaged,
        name: "index_damaged",
        kind: ErrorKind::Corrupt,
        retryable: false,
        title: "The index of a segment is damaged",
        cause: "The disk gave back something else than what was written to it, or the file was changed, cut short or lost.",
        hint: "With other replicas: nothing, what is missing is fetched from them. Alone: `mesh-node log verify DIR`.",
        explanation: "A segment holds records, and its index (`.idx`) says where. The index of a segment that was built \
        (`.seg`) is made again from the segment itself, so nothing is lost. That of a file of the log that was kept as a \
        segment (`.wal`) can't be: its records count as missing and are fetched from other replicas. The file stays as \
        it is.",
    },
    Entry {
        code: Code::SegmentDamaged,
        name: "segment_damaged",
        kind: ErrorKind::Corrupt,
        retryable: false,
        title: "A segment is damaged, cut short or gone",
        cause: "The disk gave back something else than what was written to it, or the file was changed, cut short or lost.",
        hint: "With other replicas: nothing, what is missing is fetched from them. Alone: `mesh-node log verify DIR`.",
        explanation: "Every record in a segment has a checksum, which is compared at every read and, slowly, in the \
        background. A record that is not what was written is never served: another replica answers, and this one \
        fetches a good copy from it. The damaged file is left alone until nothing in it is wanted any more.",
    },
    Entry {
        code: Code::StoreVersionUnsupported,
        name: "store_version_unsupported",
        kind: ErrorKind::Config,
        retryable: false,
        title: "A segment, an index or a checkpoint has another format",
        cause: "Another version of mesh-node wrote it.",
        hint: "Run the version that wrote it, or a newer one that says it can read that format.",
        explanation: "Each file of the store says in its head in which format it is. What a version does not know it \
        neither reads by guess nor deletes: the records in it count as missing here.",
    },
    Entry {
        code: Code::StoreUnreadable,
        name: "store_unreadable",
        kind: ErrorKind::Config,
        retryable: false,
        title: "Segments and checkpoints can't be read",
        cause: "The system refuses to open, list or make files in the data directory.",
        hint: "Look at the permissions of the directories `seg` and `checkpoint` there, and at the disk.",
        explanation: "A node reads the directories of its segments and its checkpoints before it does anything else. \
        When the system does not let it, it ends: what it can't see it must not take for missing.",
    },
];
