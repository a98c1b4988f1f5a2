//! What can be wrong with a message and its parts, and that nobody answers it: 1020 to 1049.

use crate::code::entry::Entry;
use crate::code::{Code, ErrorKind};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        code: Code::HeaderMalformed,
        name: "header_malformed",
        kind: ErrorKind::Invalid,
        retryable: false,
        title: "A message header is malformed",
        cause: "A header has an empty name, a control character in its name, a reserved type, or a value \
        that does not fit its type.",
        hint: "Give headers as `-H key:value`, with a name of 1 to 255 bytes without control characters.",
        explanation: "Headers are checked once, by the side that first takes them, so that everyone later can \
        read them without looking again. The message of this error says which rule was broken.\n\n\
        Names are case-sensitive UTF-8. Values have types; 8 to 127 are reserved, and 128 to 255 \
        carry what belongs to other systems. See docs/reference/protocol.md, \"Message headers\".",
    },
    Entry {
        code: Code::TooManyHeaders,
        name: "too_many_headers",
        kind: ErrorKind::Limit,
        retryable: false,
        title: "More headers than a message may have",
        cause: "The message has more than 64 headers.",
        hint: "Put what belongs together into one header, or into the body.",
        explanation: "A message has at most 64 headers. Headers that middleware adds, such as those of a trace, \
        count as well.",
    },
    Entry {
        code: Code::HeadersTooLarge,
        name: "headers_too_large",
        kind: ErrorKind::Limit,
        retryable: false,
        title: "The headers of a message are too large",
        cause: "The headers of the message have more than 16 KiB together.",
        hint: "Move the large value into the body.",
        explanation: "All headers of a message, encoded, have at most 16 KiB. Headers are for routing, tracing \
        and other small things that are read without the body.",
    },
    Entry {
        code: Code::BodyTooLarge,
        name: "body_too_large",
        kind: ErrorKind::Limit,
        retryable: false,
        title: "The body of a message is too large",
        cause: "The body is larger than the node takes.",
        hint: "Send less, for instance a reference to where the data is; `mesh node info` shows the limit \
        of the node.",
        explanation: "A body has at most 8 MiB by default, and a node can be configured for up to 64 MiB. \
        WELCOME tells a client the limit, so most bodies that are too large are refused before \
        they leave. Nothing of the message was delivered.",
    },
    Entry {
        code: Code::MessageIdTooLong,
        name: "message_id_too_long",
        kind: ErrorKind::Limit,
        retryable: false,
        title: "The message id is too long",
        cause: "The message id has more than 128 bytes.",
        hint: "Use a shorter id, for instance a UUID or a hash.",
        explanation: "A message id names a message so that a second copy can be recognised. It is kept for as \
        long as copies are recognised, so it has to be small.",
    },
    Entry {
        code: Code::KeyTooLong,
        name: "key_too_long",
        kind: ErrorKind::Limit,
        retryable: false,
        title: "The message key is too long",
        cause: "The key has more than 128 bytes.",
        hint: "Use a shorter key, for instance the id of the thing that the message is about.",
        explanation: "Messages of one key stay together and in order. Keys are kept in memory and in indexes, so \
        they have to be small.",
    },
    Entry {
        code: Code::TooManyChunkSeries,
        name: "too_many_chunk_series",
        kind: ErrorKind::Limit,
        retryable: false,
        title: "Too many chunked messages under way",
        cause: "The sender cuts more large messages into chunks at the same time than a link may carry.",
        hint: "Finish one series before the next one is started; the client library does so by itself.",
        explanation: "Large bodies travel in chunks, which the receiver collects in memory. That is bounded: \
        four messages at a time in each direction of a link. The link was closed, since the rest \
        of the fifth would have no meaning.",
    },
    Entry {
        code: Code::ChunkUnknownSeries,
        name: "chunk_unknown_series",
        kind: ErrorKind::Protocol,
        retryable: false,
        title: "A chunk belongs to no series that is open",
        cause: "A CHUNK names a series that was never opened or is finished.",
        hint: "Look at the client library that wrote it: the first frame of the series carries the \
        extension entry CHUNK.",
        explanation: "A series is opened by the frame that carries the subject and the headers, and ends with \
        the first chunk without MORE. A chunk outside of that belongs to nothing, and the link is \
        closed.",
    },
    Entry {
        code: Code::ChunkSeriesInUse,
        name: "chunk_series_in_use",
        kind: ErrorKind::Protocol,
        retryable: false,
        title: "A chunk series was opened twice",
        cause: "The sender opened a series under a number that is still under way.",
        hint: "Look at the client library that wrote it: number the series of a link upwards.",
        explanation: "Chunks of several messages may be interleaved; the number of the series tells them apart. \
        Two with one number can't be told apart, so the link is closed.",
    },
    Entry {
        code: Code::ChunkLengthMismatch,
        name: "chunk_length_mismatch",
        kind: ErrorKind::Protocol,
        retryable: false,
        title: "A chunked body is longer or shorter than announced",
        cause: "The chunks of a series have more or fewer bytes than its first frame announced.",
        hint: "Look at the client library that wrote it: `total` counts the whole body, the part in the \
        first frame included.",
        explanation: "The first frame of a series announces the length of the whole body, so that the limit is \
        checked at once. The parts that came differ from it, so the body can't be what was sent, \
        and the link is closed.",
    },
    Entry {
        code: Code::NoResponders,
        name: "no_responders",
        kind: ErrorKind::NoResponders,
        retryable: true,
        title: "No responders",
        cause: "Nothing that answers requests on this subject is connected.",
        hint: "See what is there with `mesh service ls`, or answer it yourself: `mesh reply SUBJECT \
        --echo`.",
        explanation: "A request is given to one of those who serve its subject. When there is none, the node \
        says so at once instead of letting the request wait for its deadline. Plain subscriptions \
        get published messages and never requests, so they don't count.\n\n\
        Usual causes: the service is not running, is connected to another node that this one \
        doesn't know, is draining, or serves another subject. Compare the subject letter by \
        letter: subjects are case-sensitive, and `orders.*` does not match `orders.eu.get`.",
    },
];
