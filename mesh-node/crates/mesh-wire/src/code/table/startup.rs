//! Start-up of a node, apart from its socket: 4020 to 4999.

use crate::code::entry::Entry;
use crate::code::{Code, ErrorKind};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        code: Code::HttpAddressInUse,
        name: "http_address_in_use",
        kind: ErrorKind::Conflict,
        retryable: true,
        title: "The admin HTTP address is in use",
        cause: "",
        hint: "",
        explanation: "",
    },
    Entry {
        code: Code::HttpUnusable,
        name: "http_unusable",
        kind: ErrorKind::Config,
        retryable: false,
        title: "The admin HTTP address can't be used",
        cause: "",
        hint: "",
        explanation: "",
    },
    Entry {
        code: Code::DataDirUnusable,
        name: "data_dir_unusable",
        kind: ErrorKind::Config,
        retryable: false,
        title: "The data directory can't be used",
        cause: "",
        hint: "",
        explanation: "",
    },
    Entry {
        code: Code::DataDirLocked,
        name: "data_dir_locked",
        kind: ErrorKind::Conflict,
        retryable: true,
        title: "The data directory belongs to a running node",
        cause: "",
        hint: "",
        explanation: "",
    },
    Entry {
        code: Code::TelemetrySetup,
        name: "telemetry_setup",
        kind: ErrorKind::Config,
        retryable: false,
        title: "Telemetry can't be set up",
        cause: "",
        hint: "",
        explanation: "",
    },
];
