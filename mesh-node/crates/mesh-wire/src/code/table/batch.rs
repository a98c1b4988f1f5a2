//! Record batches: 1100 to 1149.

use crate::code::entry::Entry;
use crate::code::{Code, ErrorKind};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        code: Code::BatchMalformed,
        name: "batch_malformed",
        kind: ErrorKind::Corrupt,
        retryable: false,
        title: "A record batch can't be read",
        cause: "The bytes are not a record batch, or its lengths contradict each other.",
        hint: "Look at what wrote the batch; see docs/reference/record-batch.md.",
        explanation: "A batch says how long its parts are, and each is checked before anything is read: that it \
        starts with the right mark, that the parts fill it exactly, and that every record lies \
        inside of it. Nothing of this batch was used.",
    },
    Entry {
        code: Code::BatchVersionUnsupported,
        name: "batch_version_unsupported",
        kind: ErrorKind::Invalid,
        retryable: false,
        title: "A record batch has an unknown version",
        cause: "The batch was written by a newer version.",
        hint: "Update the side that reads.",
        explanation: "A batch starts with the version of its form. Readers refuse what they don't know instead \
        of guessing. A cluster writes a new form only once all of its nodes can read it.",
    },
    Entry {
        code: Code::BatchTooLarge,
        name: "batch_too_large",
        kind: ErrorKind::Limit,
        retryable: false,
        title: "A record batch is too large",
        cause: "The batch has more than 1 MiB.",
        hint: "Send several batches; the client library does so by itself.",
        explanation: "A batch has at most 1 MiB, everything included, because it travels in one piece and is \
        kept in memory as one piece.",
    },
    Entry {
        code: Code::TooManyRecords,
        name: "too_many_records",
        kind: ErrorKind::Limit,
        retryable: false,
        title: "A record batch holds too many records",
        cause: "The batch has more than 4,096 records.",
        hint: "Send several batches; the client library does so by itself.",
        explanation: "A batch has at most 4,096 records, so that the work for one step is bounded.",
    },
    Entry {
        code: Code::BatchIndexCorrupt,
        name: "batch_index_corrupt",
        kind: ErrorKind::Corrupt,
        retryable: false,
        title: "The index of a record batch is damaged",
        cause: "The index of the batch does not match its checksum.",
        hint: "Send the batch again; if it came from disk, let the node fetch it from another one.",
        explanation: "The index of a batch (keys, subjects, lengths, times) carries a CRC32C. It does not match, \
        so that nothing in the index can be trusted, and the batch is refused as a whole.\n\n\
        On a link this means damage on the way or a defective writer. On disk it means damage of \
        the medium.",
    },
    Entry {
        code: Code::RecordCorrupt,
        name: "record_corrupt",
        kind: ErrorKind::Corrupt,
        retryable: false,
        title: "A record is damaged",
        cause: "The payload of one record does not match its checksum.",
        hint: "Send it again; if it came from disk, let the node fetch it from another one.",
        explanation: "Each record carries a CRC32C of its headers and its value, which is checked when the \
        record is read. The other records of the batch are not affected.",
    },
    Entry {
        code: Code::BatchEncodingUnsupported,
        name: "batch_encoding_unsupported",
        kind: ErrorKind::Invalid,
        retryable: false,
        title: "A record batch is encoded in a way that this reader does not know",
        cause: "The batch has an encoding or a compression that this reader does not know.",
        hint: "Update the side that reads, or have the writer use what WELCOME agreed on.",
        explanation: "Two bytes of a batch say how its payload is encoded and compressed. The index stays \
        readable either way, so such a batch can be stored and passed on by a node that can't read \
        its payload; taking single records from it needs a reader that can.",
    },
    Entry {
        code: Code::RecordInvalid,
        name: "record_invalid",
        kind: ErrorKind::Invalid,
        retryable: false,
        title: "A record has a field out of its range",
        cause: "A record has a priority, delay, time to live, or another field, out of its range.",
        hint: "Look at the message of this error for the field and its range.",
        explanation: "The limits: priority 0 to 9, delay and time to live up to 365 days, message id and key up \
        to 128 bytes each. Times that don't fit into the 64 bits of a timestamp are refused as \
        well.",
    },
];
