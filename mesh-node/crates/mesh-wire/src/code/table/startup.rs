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
        cause: "Another process, often another node, listens on the admin HTTP address.",
        hint: "Choose another one: `mesh-node --http 127.0.0.1:7481`, or 127.0.0.1:0 for any free port.",
        explanation: "The admin HTTP server (health, metrics, API) listens on 127.0.0.1:7480 by default. `ss \
        -ltnp` shows who has it.",
    },
    Entry {
        code: Code::HttpUnusable,
        name: "http_unusable",
        kind: ErrorKind::Config,
        retryable: false,
        title: "The admin HTTP address can't be used",
        cause: "The address is not one of this machine, or the port needs rights that the node doesn't \
        have.",
        hint: "Use an address of this machine and a port above 1023: `mesh-node --http 127.0.0.1:7480`.",
        explanation: "The operating system refused to listen on the address; the cause has its words.",
    },
    Entry {
        code: Code::HttpHostRefused,
        name: "http_host_refused",
        kind: ErrorKind::Refused,
        retryable: false,
        title: "The admin HTTP server does not answer for this host name",
        cause: "The request's `Host` or `Origin` is a name that was not allowed.",
        hint: "Ask by IP address or as localhost, or add the name to `http.allow_hosts`.",
        explanation: "The admin HTTP server has no passwords; it relies on being reachable from this machine or \
        network only. A web page could reach it through a visitor's browser, by a host name that it \
        lets point here. So a request is answered only if its `Host` is `localhost`, an IP address or \
        a name in `http.allow_hosts`, and if its `Origin`, where a browser sends one, is the same host.",
    },
    Entry {
        code: Code::ListenInUse,
        name: "listen_in_use",
        kind: ErrorKind::Conflict,
        retryable: true,
        title: "The address for clients or peers is in use",
        cause: "Another process, often another node, has the port.",
        hint: "Choose another port, `mesh-node --listen 0.0.0.0:7410`, or port 0 for any free one; `ss \
        -lntup` shows who has it.",
        explanation: "A node that listens on a network takes UDP (for QUIC) and TCP (for TLS) on the same port for \
        clients, and UDP on another one for its peers. One of them is taken. Two nodes never share a port, even of \
        the same user.",
    },
    Entry {
        code: Code::ListenUnusable,
        name: "listen_unusable",
        kind: ErrorKind::Config,
        retryable: false,
        title: "The address for clients or peers can't be used",
        cause: "The address is not one of this machine, or the port needs rights that the node doesn't have.",
        hint: "Use an address of this machine (`0.0.0.0` for all of them) and a port above 1023: `mesh-node \
        --listen 0.0.0.0:7400`.",
        explanation: "The operating system refused to listen on the address; the cause has its words.",
    },
    Entry {
        code: Code::InsecureNotLoopback,
        name: "insecure_not_loopback",
        kind: ErrorKind::Config,
        retryable: false,
        title: "Insecure links are for this machine only",
        cause: "`--insecure-loopback` stands beside an address that others can reach.",
        hint: "Listen on this machine, `--listen 127.0.0.1:7400 --insecure-loopback`, or with certificates: \
        `--listen ADDR --certs DIR`.",
        explanation: "With `--insecure-loopback` a node asks its clients for no certificate and no token, so that a \
        laptop needs neither. Whoever reaches the port may then do everything, so it may be one of this machine \
        alone: an address in 127.0.0.0/8, or ::1.",
    },
    Entry {
        code: Code::ListenNeedsCertificates,
        name: "listen_needs_certificates",
        kind: ErrorKind::Config,
        retryable: false,
        title: "Listening on a network needs certificates",
        cause: "`--listen` was given without `--certs`.",
        hint: "Name them: `--listen ADDR --certs DIR`; for this machine alone: `--listen 127.0.0.1:7400 \
        --insecure-loopback`.",
        explanation: "Links that leave the machine are encrypted, and each side shows who it is by a certificate. A \
        node without one has nothing to show, so it does not listen. `mesh cert init DIR --cluster NAME` and `mesh \
        cert issue DIR --node ID` make certificates to start with.",
    },
    Entry {
        code: Code::PeerConfigIncomplete,
        name: "peer_config_incomplete",
        kind: ErrorKind::Config,
        retryable: false,
        title: "The settings for peers are not complete",
        cause: "A node that is to find its peers was not told everything that this takes.",
        hint: "Give all of them: `--node ID --cluster NAME --certs DIR --peer-listen ADDR --discovery \
        static:HOST:PORT,…`.",
        explanation: "Nodes of a cluster prove to each other who they are, so each needs a certificate; and of two \
        nodes each may be the one that dials, so each needs an address that the others can reach. A node that is to \
        be alone needs none of these: `--discovery standalone`.",
    },
    Entry {
        code: Code::DataDirUnusable,
        name: "data_dir_unusable",
        kind: ErrorKind::Config,
        retryable: false,
        title: "The data directory can't be used",
        cause: "The data directory can't be made, or this user may not write to it.",
        hint: "Name another one: `mesh-node --data DIR`, or correct its owner and mode.",
        explanation: "A node keeps its identity, and whatever it stores, in its data directory, and checks at \
        the start that it can. The cause has the operating system's words.",
    },
    Entry {
        code: Code::DataDirLocked,
        name: "data_dir_locked",
        kind: ErrorKind::Conflict,
        retryable: true,
        title: "The data directory belongs to a running node",
        cause: "Another node runs on the same data directory.",
        hint: "Stop it: `mesh-node drain --socket PATH`; or give this one its own: `mesh-node --data \
        DIR`.",
        explanation: "Two nodes on one data directory would destroy it, so a node holds a lock on it for as long \
        as it runs. The lock goes with the process: it needs no cleaning up after a crash.",
    },
    Entry {
        code: Code::TelemetrySetup,
        name: "telemetry_setup",
        kind: ErrorKind::Config,
        retryable: false,
        title: "Telemetry can't be set up",
        cause: "A log filter or an export address is not valid.",
        hint: "Check `--log`, `MESH_LOG` and the `OTEL_*` variables; without them the defaults hold.",
        explanation: "Logs, metrics and traces are set up before anything else, and a setting for them is \
        refused. The message names it.",
    },
];
