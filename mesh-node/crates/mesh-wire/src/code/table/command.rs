//! The command line: 5040 to 5999.

use crate::code::entry::Entry;
use crate::code::{Code, ErrorKind};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        code: Code::EndpointInvalid,
        name: "endpoint_invalid",
        kind: ErrorKind::Usage,
        retryable: false,
        title: "The address of the node is not valid",
        cause: "The address can't be read.",
        hint: "Write it as `unix:///path/to/mesh.sock`, `quic://host:7400` or `tls://host:7400`.",
        explanation: "The address of a node comes from `--url`, `MESH_URL`, or the context. A Unix socket has \
        three slashes before an absolute path; over a network it is a host name or an IP address with a port \
        (7400 when it is left out), an IPv6 address in brackets: `quic://[2001:db8::1]:7400`. Several addresses \
        have commas between them, at most 16. The message says what could not be read.",
    },
    Entry {
        code: Code::EndpointNotSupported,
        name: "endpoint_not_supported",
        kind: ErrorKind::Usage,
        retryable: false,
        title: "The address of the node is of a kind that is not supported",
        cause: "The address names a kind of link that this version does not have.",
        hint: "Use a Unix socket, QUIC or TLS: `unix:///path/to/mesh.sock`, `quic://host:7400`, `tls://host:7400`.",
        explanation: "The scheme of the address is known, and planned or belongs to another build. This one \
        can't connect to it. There is no link over TCP without TLS: on one machine use the Unix socket.",
    },
    Entry {
        code: Code::ContextUnknown,
        name: "context_unknown",
        kind: ErrorKind::NotFound,
        retryable: false,
        title: "There is no context of this name",
        cause: "A typing error, or the context was made by another user.",
        hint: "See which there are with `mesh context ls`, or make it: `mesh context add NAME --url \
        unix:///path/to/mesh.sock`.",
        explanation: "A context is a name for the settings of a connection. The one that was named with \
        `--context` or `MESH_CONTEXT` is not there.",
    },
    Entry {
        code: Code::ContextUnreadable,
        name: "context_unreadable",
        kind: ErrorKind::Config,
        retryable: false,
        title: "The contexts can't be read or written",
        cause: "The file of the contexts is damaged, or this user may not use it.",
        hint: "Check the file that the message names; it can be removed, then there are no contexts.",
        explanation: "Contexts are kept in a file in the user's configuration directory. It could not be read or \
        written; the cause has the details.",
    },
    Entry {
        code: Code::UsageError,
        name: "usage_error",
        kind: ErrorKind::Usage,
        retryable: false,
        title: "The command was not used properly",
        cause: "An argument is missing, misspelt or out of its range.",
        hint: "See how it is used: `mesh help COMMAND`.",
        explanation: "The command line could not be understood, so nothing was done. The message names the \
        argument.",
    },
    Entry {
        code: Code::InputUnreadable,
        name: "input_unreadable",
        kind: ErrorKind::Usage,
        retryable: false,
        title: "The input can't be read",
        cause: "A file can't be read, or standard input is closed.",
        hint: "Check the path and its permissions; `-` reads the body from standard input.",
        explanation: "What should have been sent could not be read, so nothing was sent. The cause has the \
        operating system's words.",
    },
    Entry {
        code: Code::OutputFailed,
        name: "output_failed",
        kind: ErrorKind::Internal,
        retryable: false,
        title: "The output can't be written",
        cause: "The disk is full, or the program that reads the output has ended.",
        hint: "Look at the cause, and at the program behind the pipe.",
        explanation: "Standard output, or a file, could not be written. Messages that came since are lost.",
    },
    Entry {
        code: Code::CodeUnknown,
        name: "code_unknown",
        kind: ErrorKind::NotFound,
        retryable: false,
        title: "There is no such error code",
        cause: "A typing error, or a code of another version.",
        hint: "Name it as `mesh explain MESH-1042`, `mesh explain 1042` or `mesh explain no_responders`.",
        explanation: "Codes never change their meaning and never go away, so a code that is unknown here belongs \
        to a newer version.",
    },
    Entry {
        code: Code::CheckFailed,
        name: "check_failed",
        kind: ErrorKind::Config,
        retryable: false,
        title: "The check found problems",
        cause: "At least one check ended with a cross.",
        hint: "Follow the hints under the lines that start with a cross.",
        explanation: "`mesh check` looks at everything that has to be right for a client to work, and says for \
        each what is wrong and what to do. This is only its exit status.",
    },
    Entry {
        code: Code::CommandFailed,
        name: "command_failed",
        kind: ErrorKind::Application,
        retryable: false,
        title: "The command that answers requests failed",
        cause: "The command behind `mesh reply --command` could not be started, or ended with a failure.",
        hint: "Run the command by hand with the same input: `echo BODY | CMD`.",
        explanation: "`mesh reply --command` starts the command for each request, gives it the body on standard \
        input, and answers with its output. A failure is answered as an application error with the \
        exit status of the command; the next request starts it anew.",
    },
    Entry {
        code: Code::BenchIncomplete,
        name: "bench_incomplete",
        kind: ErrorKind::Internal,
        retryable: false,
        title: "The benchmark lost messages",
        cause: "Not every message that was sent was received before the time was up.",
        hint: "Use a smaller `--window` or `--count`, or start the receiving side first.",
        explanation: "A benchmark counts what arrives, so that a figure is never made of messages that were \
        dropped. Drops are allowed on the message plane when a receiver can't keep up, but they \
        make the figure of no use.",
    },
    Entry {
        code: Code::NodeUnhealthy,
        name: "node_unhealthy",
        kind: ErrorKind::Busy,
        retryable: true,
        title: "The node is not healthy",
        cause: "The node runs but is not ready, or does not answer.",
        hint: "See its log, and what it says itself: `mesh check`.",
        explanation: "`mesh-node health` asks the node whether it is ready. It is starting, draining, or hangs; \
        probes treat it as not ready.",
    },
    Entry {
        code: Code::DrainTimeout,
        name: "drain_timeout",
        kind: ErrorKind::Deadline,
        retryable: true,
        title: "The node did not finish draining in time",
        cause: "Handlers or requests took longer than the time that the drain may take.",
        hint: "Allow more time, or see what is still under way: `mesh node info`.",
        explanation: "A node that drains waits for what is under way, for a bounded time. What was left when the \
        time was up is ended with a coded error to whoever waits for it.",
    },
];
