//! The data directory and the log in it: 7001 to 7029.

use crate::code::entry::Entry;
use crate::code::{Code, ErrorKind};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        code: Code::DataDirVersion,
        name: "data_dir_version",
        kind: ErrorKind::Config,
        retryable: false,
        title: "The data directory has another format",
        cause: "Another version of mesh-node wrote it.",
        hint: "Run the version that wrote it, or a newer one that says it can read that format.",
        explanation: "The file DATA in a data directory, and the head of each file of its log, say in which format \
        everything is written. A version that does not know the format changes nothing there and does not start: \
        reading it by guess could lose what is in it.",
    },
    Entry {
        code: Code::DataDirOtherCluster,
        name: "data_dir_other_cluster",
        kind: ErrorKind::Conflict,
        retryable: false,
        title: "The data directory belongs to another cluster",
        cause: "The node was started with another `--cluster` before, or with a wrong `--data` now.",
        hint: "Look into the file DATA there; start with that cluster's name, or with another directory.",
        explanation: "A data directory belongs to one cluster for good: its records have their numbers from there. \
        A node that took it into another cluster could serve records that are not that cluster's, or overwrite them.",
    },
    Entry {
        code: Code::DataDirOtherNode,
        name: "data_dir_other_node",
        kind: ErrorKind::Conflict,
        retryable: false,
        title: "The data directory belongs to another node",
        cause: "The node was started under another name before, or with a wrong `--data` now.",
        hint: "Look into the file DATA there; start with `--node` and that name, or with another directory.",
        explanation: "The other nodes know a data directory by its node's name, and what the node has voted for is \
        in it. Two nodes that exchange directories, or a node that changes its name, would break what was promised.\n\n\
        The default name of a node is the host's name. Where that changes (a container), say `--node`.",
    },
    Entry {
        code: Code::DataDirReadOnly,
        name: "data_dir_read_only",
        kind: ErrorKind::Config,
        retryable: false,
        title: "The data directory can't be written to",
        cause: "The file system is mounted read-only, or the user of the process has no right to write there.",
        hint: "Look with `ls -ld DIR` and `findmnt -T DIR`; or choose another directory with `--data`.",
        explanation: "A node writes to its data directory all the time. A file system that had errors is often turned \
        read-only by the system: `dmesg` says so. Nothing was changed.",
    },
    Entry {
        code: Code::DataDirIncomplete,
        name: "data_dir_incomplete",
        kind: ErrorKind::Corrupt,
        retryable: false,
        title: "The data directory is not whole",
        cause: "It was copied in part, or something in it was removed.",
        hint: "Copy it again, as a whole and while no node runs on it; or start with an empty directory.",
        explanation: "A directory that lacks its file DATA or one of its parts is not taken for a new one: the node \
        would forget what it has promised. Nothing was changed.\n\n\
        In a cluster, a node with an empty directory gets its records from the others again.",
    },
    Entry {
        code: Code::DataDirDamaged,
        name: "data_dir_damaged",
        kind: ErrorKind::Corrupt,
        retryable: false,
        title: "The file DATA of a data directory is damaged",
        cause: "The file is not what the node wrote: an error of the disk, or somebody edited it.",
        hint: "Restore the file DATA from a copy; it is text and changes only when a node joins a cluster.",
        explanation: "The file DATA says which format, which directory and which cluster it is, with a checksum in \
        its last line. Without it nothing can be read safely. Nothing was changed.",
    },
    Entry {
        code: Code::DataDirMissing,
        name: "data_dir_missing",
        kind: ErrorKind::NotFound,
        retryable: false,
        title: "There is no data directory",
        cause: "The directory has no file DATA, so that no node has used it.",
        hint: "Say the directory that the node was started with: `mesh-node log verify DIR`.",
        explanation: "`mesh-node log` works on the data directory of a node that does not run. What it was given is \
        not one.",
    },
    Entry {
        code: Code::LogUnreadable,
        name: "log_unreadable",
        kind: ErrorKind::Config,
        retryable: false,
        title: "The log can't be read",
        cause: "The system refused to open, read or make a file of the log; its own words are in the message.",
        hint: "Look at the file that is named, its rights and the disk: `dmesg` may have more.",
        explanation: "The files of the log are in `log/` of the data directory. The node can't start without them. \
        Nothing was changed.",
    },
    Entry {
        code: Code::LogDamaged,
        name: "log_damaged",
        kind: ErrorKind::Corrupt,
        retryable: false,
        title: "The log is damaged",
        cause: "Something that was durable can't be read as it was written: an error of the disk, most often.",
        hint: "See what: `mesh-node log verify DIR`. To go on without it: `mesh-node log repair --accept-loss DIR`.",
        explanation: "What was being written when a machine lost its power is cut off at the next start, without a \
        word: nobody was told that it was stored. This is something else: records that had been acknowledged are not \
        readable any more.\n\n\
        A node of a cluster sets the groups concerned aside, takes no part in their votes and gets their records from \
        the others. A node that stands alone does not start. Restore its data directory from a copy, or let `repair` \
        cut the log at the damage: it says exactly what is lost, and keeps a copy of each damaged file.",
    },
    Entry {
        code: Code::LogWriteFailed,
        name: "log_write_failed",
        kind: ErrorKind::Internal,
        retryable: false,
        title: "The log could not be written",
        cause: "The disk failed to write, or to make durable, what was given to it.",
        hint: "Look at the disk (`dmesg`); then start the node again.",
        explanation: "After such a failure nobody knows what is on the disk, and the system may forget that there was \
        one. So the process ends at once and acknowledges nothing more. When it starts again, it reads what is really \
        there. In a cluster the others go on meanwhile.",
    },
    Entry {
        code: Code::LogFull,
        name: "log_full",
        kind: ErrorKind::Busy,
        retryable: true,
        title: "The log has no room on the disk",
        cause: "The next file of the log could not be made: the disk is full.",
        hint: "Make room on the disk; the node goes on by itself within seconds.",
        explanation: "The log is written into files that were made before, so that a full disk never interrupts a \
        write in its midst. When no next file can be made, what would be stored is refused, and everything else goes \
        on. As soon as there is room the node takes records again.",
    },
    Entry {
        code: Code::LogRecordTooLarge,
        name: "log_record_too_large",
        kind: ErrorKind::Limit,
        retryable: false,
        title: "A record is too large for the log",
        cause: "One record has more bytes than a file of the log.",
        hint: "Store less at a time, or start the node with larger files: `storage.file_size`.",
        explanation: "A record is never split between two files. Limits on messages and batches are checked long \
        before, so that this is met only with files that are made very small.",
    },
    Entry {
        code: Code::RepairNeedsConsent,
        name: "repair_needs_consent",
        kind: ErrorKind::Usage,
        retryable: false,
        title: "A repair loses records, and nobody agreed to that",
        cause: "`mesh-node log repair` was called without `--accept-loss`.",
        hint: "Read what would be lost; then say `mesh-node log repair --accept-loss DIR`.",
        explanation: "A repair cuts the log where it is damaged, so that the node starts again. What was acknowledged \
        behind the damage is gone then. Without the flag the command says what would be lost, and changes nothing.",
    },
];
