//! Subjects, names and subscriptions: 2001 to 2999.

use crate::code::entry::Entry;
use crate::code::{Code, ErrorKind};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        code: Code::SubjectMalformed,
        name: "subject_malformed",
        kind: ErrorKind::Invalid,
        retryable: false,
        title: "The subject is malformed",
        cause: "The subject is empty, has an empty token, white space, a control character, or is not \
        UTF-8.",
        hint: "Write it as tokens joined by single dots: `orders.eu.created`.",
        explanation: "A subject is one or more tokens with a dot between each two. Tokens are UTF-8 without \
        white space and control characters. A dot at the start, at the end, or after another dot \
        makes an empty token, which is refused: no two spellings mean the same.",
    },
    Entry {
        code: Code::SubjectTooLong,
        name: "subject_too_long",
        kind: ErrorKind::Limit,
        retryable: false,
        title: "The subject is too long",
        cause: "The subject has more than 256 bytes.",
        hint: "Shorten it, and put the details into headers.",
        explanation: "A subject has at most 256 bytes of UTF-8. It names a place; what belongs to the single \
        message goes into headers or the body.",
    },
    Entry {
        code: Code::SubjectTooManyTokens,
        name: "subject_too_many_tokens",
        kind: ErrorKind::Limit,
        retryable: false,
        title: "The subject has too many tokens",
        cause: "The subject has more than 32 tokens.",
        hint: "Use fewer levels, and put the details into headers.",
        explanation: "A subject has at most 32 tokens. Matching walks them one by one, so their number is \
        bounded.",
    },
    Entry {
        code: Code::SubjectReserved,
        name: "subject_reserved",
        kind: ErrorKind::Refused,
        retryable: false,
        title: "The subject belongs to the node",
        cause: "The subject starts with `$mesh`, which belongs to the node.",
        hint: "Use another first token; to ask the node something: `mesh request '$mesh.node.info' ''`.",
        explanation: "What lies under `$mesh.` is answered by the node itself. It can be asked with requests, \
        and never be published to, subscribed to or served: otherwise a client could speak for the \
        node, or listen to what others ask it.",
    },
    Entry {
        code: Code::SubjectWildcard,
        name: "subject_wildcard",
        kind: ErrorKind::Invalid,
        retryable: false,
        title: "A wildcard stands where only a plain subject may",
        cause: "The subject contains `*` or `>`, which only subscriptions may use.",
        hint: "Publish and request on one plain subject; use wildcards with `mesh sub 'orders.>'`.",
        explanation: "A message goes to one subject, and patterns decide who gets it. A wildcard in the subject \
        of a message has no meaning, so it is refused instead of being taken literally.",
    },
    Entry {
        code: Code::PatternMalformed,
        name: "pattern_malformed",
        kind: ErrorKind::Invalid,
        retryable: false,
        title: "The pattern is malformed",
        cause: "A wildcard is not a token of its own, or `>` is not the last token.",
        hint: "Write `*` for exactly one token and `>` at the end for all the rest: `orders.*.created`, \
        `orders.>`.",
        explanation: "Wildcards stand for whole tokens: `ord*` is refused, `orders.*` is fine. `>` stands for \
        one or more tokens and ends the pattern, so that `orders.>` matches `orders.a` and \
        `orders.a.b`, and not `orders`. Everything else follows the rules of subjects.",
    },
    Entry {
        code: Code::NameMalformed,
        name: "name_malformed",
        kind: ErrorKind::Invalid,
        retryable: false,
        title: "The name is malformed",
        cause: "The name is empty or has a character other than a-z, 0-9, dot, underscore and hyphen.",
        hint: "Use lower-case letters, digits and `. _ -` only.",
        explanation: "Names of groups, services, queues, streams, nodes and clusters appear in file names, \
        metrics and URLs, so they keep to characters that are safe everywhere.",
    },
    Entry {
        code: Code::NameTooLong,
        name: "name_too_long",
        kind: ErrorKind::Limit,
        retryable: false,
        title: "The name is too long",
        cause: "The name has more than 128 bytes.",
        hint: "Use a shorter name.",
        explanation: "Names of groups, services, queues, streams, nodes and clusters have at most 128 bytes.",
    },
    Entry {
        code: Code::SubscriptionUnknown,
        name: "subscription_unknown",
        kind: ErrorKind::NotFound,
        retryable: false,
        title: "No such subscription on this link",
        cause: "A frame names a subscription that this link does not have.",
        hint: "Nothing, after an unsubscribe; otherwise look at the client library that wrote it.",
        explanation: "The client named an id that it never subscribed under, or has unsubscribed since. Frames \
        that cross on the way can cause it once; the node ignores those that it can explain.",
    },
    Entry {
        code: Code::SubscriptionIdInUse,
        name: "subscription_id_in_use",
        kind: ErrorKind::Conflict,
        retryable: false,
        title: "The subscription id is in use",
        cause: "The client subscribed under an id that it uses already.",
        hint: "Look at the client library that wrote it: give every subscription of a link its own id.",
        explanation: "Clients choose the ids of their subscriptions, unique on their link. The second \
        subscription was refused; the first one goes on.",
    },
    Entry {
        code: Code::TooManySubscriptions,
        name: "too_many_subscriptions",
        kind: ErrorKind::Limit,
        retryable: false,
        title: "The link holds as many subscriptions as it may",
        cause: "The link has as many subscriptions as the node allows one link.",
        hint: "Use one subscription with a wildcard instead of many: `orders.>`.",
        explanation: "Each subscription costs memory at the node, so their number is bounded per link. A pattern \
        that covers many subjects costs as much as one subject.",
    },
    Entry {
        code: Code::PendingLimitOutOfRange,
        name: "pending_limit_out_of_range",
        kind: ErrorKind::Invalid,
        retryable: false,
        title: "A subscription asks for a pending limit out of range",
        cause: "The number of messages or bytes to keep for a slow subscription is over the limit.",
        hint: "Ask for at most 1,048,576 messages and 256 MiB; 0 takes what the node has by default.",
        explanation: "A node keeps messages for a subscription that can't take them right now, up to a limit \
        that the subscription chooses. How high it may be is bounded, to protect the node.",
    },
    Entry {
        code: Code::CreditOutOfRange,
        name: "credit_out_of_range",
        kind: ErrorKind::Invalid,
        retryable: false,
        title: "A subscription asks for a credit out of range",
        cause: "The subscription asks for a credit that is zero or over 65,535 messages.",
        hint: "Ask for 1 to 65,535 messages, with `capacity` in the client library.",
        explanation: "Credit is how many messages the node may send before the client asks for more; the client \
        holds a buffer of that size. 65,535 is more than enough to keep a link busy.",
    },
    Entry {
        code: Code::CreditOverflow,
        name: "credit_overflow",
        kind: ErrorKind::Protocol,
        retryable: false,
        title: "More credit was granted than a subscription may hold",
        cause: "The client granted more messages than the credit of a subscription can hold.",
        hint: "Look at the client library that wrote it: grant as many as were taken from the buffer, \
        never more.",
        explanation: "The credit that a subscription has left, together with what was granted, may not exceed \
        65,535. A client that grants more has lost count. The grant was refused, and the credit \
        stays as it was.",
    },
    Entry {
        code: Code::SubscriptionOverflow,
        name: "subscription_overflow",
        kind: ErrorKind::Busy,
        retryable: true,
        title: "The subscription was closed because it could not keep up",
        cause: "Messages came faster than the subscriber took them, and its policy is to close.",
        hint: "Take messages faster, use a group to share them, or choose to drop: \
        `.on_slow(SlowPolicy::DropOldest)`.",
        explanation: "The subscription's messages filled the client's buffer and what the node keeps for it. \
        With this policy, the subscription then ends, so that the subscriber knows for sure that \
        it missed something. It can subscribe again at once.",
    },
    Entry {
        code: Code::MessagesDropped,
        name: "messages_dropped",
        kind: ErrorKind::Busy,
        retryable: false,
        title: "Messages were dropped",
        cause: "Messages came faster than the subscriber took them, and its policy is to drop.",
        hint: "Take messages faster, ask for a larger `capacity`, or share the work in a group.",
        explanation: "The subscription's messages filled the client's buffer and what the node keeps for it. \
        What did not fit was dropped as its policy says, and counted: the count comes with the \
        next message, and the node's metrics have it too. The subscription goes on.\n\n\
        Messages that must not be lost belong into a queue or a stream, not on the message plane.",
    },
];
