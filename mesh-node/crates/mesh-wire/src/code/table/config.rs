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
        cause: "",
        hint: "",
        explanation: "",
    },
    Entry {
        code: Code::ConfigSyntax,
        name: "config_syntax",
        kind: ErrorKind::Config,
        retryable: false,
        title: "The configuration file is not valid TOML",
        cause: "",
        hint: "",
        explanation: "",
    },
    Entry {
        code: Code::ConfigUnknownKey,
        name: "config_unknown_key",
        kind: ErrorKind::Config,
        retryable: false,
        title: "Unknown configuration key",
        cause: "",
        hint: "",
        explanation: "",
    },
    Entry {
        code: Code::ConfigBadValue,
        name: "config_bad_value",
        kind: ErrorKind::Config,
        retryable: false,
        title: "A configuration value is not valid",
        cause: "",
        hint: "",
        explanation: "",
    },
];
