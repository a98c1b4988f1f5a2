//! Configuration: 4001 to 4009.

use crate::code::entry::Entry;
use crate::code::{Code, ErrorKind};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        code: Code::ConfigUnreadable,
        name: "config_unreadable",
        kind: ErrorKind::Config,
        retryable: false,
        title: "The configuration file can't be read",
        cause: "The file does not exist, or its permissions keep the node from reading it.",
        hint: "Check the path and its permissions: `ls -l FILE`; without `--config` the defaults hold.",
        explanation: "A configuration file that was named has to be there: going on without it would run a node \
        other than the one that was asked for.",
    },
    Entry {
        code: Code::ConfigSyntax,
        name: "config_syntax",
        kind: ErrorKind::Config,
        retryable: false,
        title: "The configuration file is not valid TOML",
        cause: "The file has a typing error.",
        hint: "Correct the line that the message names; `mesh-node --print-config` prints a valid file to \
        start from.",
        explanation: "The configuration file is TOML, and this one can't be read as such. The message names the \
        line and the column.",
    },
    Entry {
        code: Code::ConfigUnknownKey,
        name: "config_unknown_key",
        kind: ErrorKind::Config,
        retryable: false,
        title: "Unknown configuration key",
        cause: "A typing error in a key, or a key of another version.",
        hint: "Compare with `mesh-node --print-config`, which lists every key with its value and its \
        source.",
        explanation: "Keys that mean nothing are refused, in the file and in the environment (`MESH_NODE_*`): a \
        misspelt key would otherwise leave its default in force, and nobody would notice.",
    },
    Entry {
        code: Code::ConfigBadValue,
        name: "config_bad_value",
        kind: ErrorKind::Config,
        retryable: false,
        title: "A configuration value is not valid",
        cause: "A value is of the wrong type or out of its range.",
        hint: "Correct the value that the message names; `mesh-node --print-config` shows the form of \
        each.",
        explanation: "The value was understood as text but is not what the key takes. The message names the key, \
        where the value came from, and what is allowed.",
    },
];
