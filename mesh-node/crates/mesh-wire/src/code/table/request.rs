//! Requests and replies: 3001 to 3999.

use crate::code::entry::Entry;
use crate::code::{Code, ErrorKind};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        code: Code::RequestDeadline,
        name: "request_deadline",
        kind: ErrorKind::Deadline,
        retryable: true,
        title: "The request was not answered before its deadline",
        cause: "The responder needed longer than the timeout of the request.",
        hint: "Allow more time with `--timeout 10s`, or see how the service does: `mesh service stats`.",
        explanation: "Each request has a deadline, which travels along and shrinks on its way. It passed without \
        a reply. The responder may still have done the work: repeat the request only if doing it \
        twice does no harm, and mark such calls as idempotent.\n\n\
        Usual causes: the service is overloaded, waits for something else, or the timeout is \
        shorter than its slowest normal answer.",
    },
    Entry {
        code: Code::RequestCancelled,
        name: "request_cancelled",
        kind: ErrorKind::Cancelled,
        retryable: false,
        title: "The request was cancelled",
        cause: "The requester gave the request up.",
        hint: "Nothing: whoever cancelled it knows. Keep the future of a request alive to get its reply.",
        explanation: "Dropping a request in the client library cancels it. The node tells the responder, which \
        stops where it can, and drops a reply that comes anyway.",
    },
    Entry {
        code: Code::ResponderGone,
        name: "responder_gone",
        kind: ErrorKind::Disconnected,
        retryable: true,
        title: "The responder went away before it answered",
        cause: "The connection to the responder was lost while it worked on the request.",
        hint: "Repeat the request if doing it twice does no harm; see why the service ended.",
        explanation: "The request had reached a responder, whose link closed before it answered. How far it got \
        is not known. Calls marked as idempotent are repeated by the client library, inside the \
        deadline and its retry budget.",
    },
    Entry {
        code: Code::RequestRefused,
        name: "request_refused",
        kind: ErrorKind::Refused,
        retryable: true,
        title: "The responder refused the request",
        cause: "The responder is at its limit and gave the request back.",
        hint: "Try again in a moment, or run more instances of the service.",
        explanation: "The responder answered that it does not take the request, usually because its concurrency \
        limit is reached or because it is draining. It did no work, so repeating is safe.",
    },
    Entry {
        code: Code::RequestIdInUse,
        name: "request_id_in_use",
        kind: ErrorKind::Conflict,
        retryable: false,
        title: "The request id is in use",
        cause: "The client sent a request under an id that is still under way.",
        hint: "Look at the client library that wrote it: number the requests of a link upwards.",
        explanation: "The id of a request brings the reply back to it. Two under one id could not be told apart. \
        The second was refused; the first goes on.",
    },
    Entry {
        code: Code::TooManyRequests,
        name: "too_many_requests",
        kind: ErrorKind::Busy,
        retryable: true,
        title: "Too many requests under way on the link",
        cause: "The link has 65,536 requests under way.",
        hint: "Wait for replies before you send more, or use shorter timeouts.",
        explanation: "Each request that waits for its reply costs memory at the node, so their number is bounded \
        per link. That many at once usually mean that a service has stopped answering: look at its \
        deadline errors.",
    },
    Entry {
        code: Code::TimeoutOutOfRange,
        name: "timeout_out_of_range",
        kind: ErrorKind::Invalid,
        retryable: false,
        title: "The timeout of a request is out of range",
        cause: "The timeout is zero or longer than an hour.",
        hint: "Use a timeout from 1 ms to 1 h; for longer work answer at once and publish the result \
        later.",
        explanation: "Every request has a deadline, so that nothing waits for ever. Work that takes longer than \
        an hour does not suit a request: a restart of either side would lose it.",
    },
    Entry {
        code: Code::RetryBudgetSpent,
        name: "retry_budget_spent",
        kind: ErrorKind::Busy,
        retryable: true,
        title: "The retry budget is spent",
        cause: "Too many of the recent calls had to be repeated.",
        hint: "Look why the service fails: `mesh service stats`; the budget fills up again by itself.",
        explanation: "Calls that are marked as idempotent are repeated when they fail, but only for about one in \
        ten calls. More would multiply the load on a service that is in trouble already. The error \
        that was not retried is the cause of this one.",
    },
    Entry {
        code: Code::ResponderBusy,
        name: "responder_busy",
        kind: ErrorKind::Busy,
        retryable: true,
        title: "The responder holds as many calls as it takes at once",
        cause: "The responder that was chosen has its full number of calls under way.",
        hint: "Start another instance of the service, or raise its concurrency; `mesh service stats` shows the load.",
        explanation: "A responder says how many calls it takes at once. A call beyond that is refused at once \
        instead of waiting where nobody sees it, so that the caller can try later, try elsewhere or shed the work. \
        The refused call was never started.",
    },
    Entry {
        code: Code::ReplyForeign,
        name: "reply_foreign",
        kind: ErrorKind::Protocol,
        retryable: false,
        title: "A reply to a call that was not made to this client",
        cause: "The client answered a call that it was never given.",
        hint: "Look at the client library that wrote it: reply with the id of the CALL, on the link that \
        it came by.",
        explanation: "A reply names its call. This client has no such call: it belongs to another link, or never \
        existed. The reply was dropped and counted, the real call is not affected.",
    },
    Entry {
        code: Code::ReplyRepeated,
        name: "reply_repeated",
        kind: ErrorKind::Protocol,
        retryable: false,
        title: "A second reply to the same call",
        cause: "The client answered one call twice.",
        hint: "Reply once per call; for several replies set MORE on all but the last.",
        explanation: "The first reply, or the end of the series, had ended the call. This one was dropped and \
        counted. The requester got the first.",
    },
    Entry {
        code: Code::ReplyBeyondCredit,
        name: "reply_beyond_credit",
        kind: ErrorKind::Protocol,
        retryable: false,
        title: "More replies than the requester gave credit for",
        cause: "A responder sent more replies of a series than it may.",
        hint: "Wait for REPLY_CREDIT before you send on; the client library does so by itself.",
        explanation: "The requester of a series says how many replies it can take, and grants more as it takes \
        them. A reply beyond that is dropped, counted and refused with this code; the call stays \
        open, and the series can go on once there is credit again.",
    },
    Entry {
        code: Code::ReplyLate,
        name: "reply_late",
        kind: ErrorKind::Deadline,
        retryable: false,
        title: "The reply came too late",
        cause: "The request had reached its deadline, or was cancelled, when the reply came.",
        hint: "Answer faster, or have the requester allow more time: `--timeout 10s`.",
        explanation: "The reply was dropped and counted: its request had ended. A responder sees how much time a \
        call has left and can stop early.",
    },
    Entry {
        code: Code::ReplyCreditOutOfRange,
        name: "reply_credit_out_of_range",
        kind: ErrorKind::Invalid,
        retryable: false,
        title: "The credit for replies is out of range",
        cause: "The credit, or the largest number of replies, is zero or over the limit.",
        hint: "Ask for 1 to 65,535 replies at a time.",
        explanation: "A request for a series says how many replies it can take before it grants more. Zero would \
        never get an answer, and more than 65,535 is not kept for one request.",
    },
    Entry {
        code: Code::ApplicationError,
        name: "application_error",
        kind: ErrorKind::Application,
        retryable: false,
        title: "The responder answered with an error of its own",
        cause: "The service worked on the request and failed in its own way.",
        hint: "Look at the number and the text of the error: they are the service's, and it documents \
        them.",
        explanation: "The reply is marked as failed and carries a number that belongs to the application. Mesh \
        carried it and does not judge it. It is not retried, because only the application knows \
        whether that helps.",
    },
    Entry {
        code: Code::MethodUnknown,
        name: "method_unknown",
        kind: ErrorKind::NotFound,
        retryable: false,
        title: "The service has no such method",
        cause: "The service is there, but has no handler for this subject.",
        hint: "See what it offers: `mesh service info NAME`.",
        explanation: "A request reached a service that serves the first part of the subject and has no method \
        for the rest. Usual causes are a typing error, or instances of different versions during \
        an update.",
    },
    Entry {
        code: Code::RequestBodyInvalid,
        name: "request_body_invalid",
        kind: ErrorKind::Invalid,
        retryable: false,
        title: "The service could not read the body of the request",
        cause: "The body is not what the method of the service takes.",
        hint: "Compare the types on both sides; see what the service says with `mesh service info NAME`.",
        explanation: "The service tried to decode the body into the type of its handler, and failed; the cause \
        names the place. The handler did not run. Usual causes are a field that only one side has, \
        or JSON sent to a method that takes another encoding.",
    },
    Entry {
        code: Code::HandlerPanicked,
        name: "handler_panicked",
        kind: ErrorKind::Internal,
        retryable: false,
        title: "The handler of the request panicked",
        cause: "A defect in the service.",
        hint: "Look at the log of the service for the panic.",
        explanation: "The handler panicked while it worked on the request. The service caught that, answered \
        with this code, and goes on. How far the handler got is not known.",
    },
    Entry {
        code: Code::NodeRequestUnknown,
        name: "node_request_unknown",
        kind: ErrorKind::NotFound,
        retryable: false,
        title: "The node has no such request",
        cause: "The node has no request of this name.",
        hint: "Use one of `$mesh.node.info`, `$mesh.links`, `$mesh.subscriptions`, `$mesh.services`, \
        `$mesh.metrics`, `$mesh.node.drain`.",
        explanation: "Subjects under `$mesh.` are answered by the node itself, and it knows none of this name. A \
        newer client may ask an older node for what it does not have yet.",
    },
    Entry {
        code: Code::NodeRequestInvalid,
        name: "node_request_invalid",
        kind: ErrorKind::Invalid,
        retryable: false,
        title: "The node could not read the body of the request",
        cause: "The body of a request to the node is not the JSON that it takes.",
        hint: "Send an empty body for the defaults; see docs/reference/protocol.md, \"Requests to the \
        node\".",
        explanation: "Requests under `$mesh.` take JSON. This body is not JSON, has a field that is not known, \
        or a value out of range.",
    },
];
