//! One line of the table.

use super::{Code, ErrorKind};

/// What there is to say about a code; the fields are those of the methods of [`Code`].
pub(super) struct Entry {
    pub(super) code: Code,
    pub(super) name: &'static str,
    pub(super) kind: ErrorKind,
    pub(super) retryable: bool,
    pub(super) title: &'static str,
    pub(super) cause: &'static str,
    pub(super) hint: &'static str,
    pub(super) explanation: &'static str,
}
