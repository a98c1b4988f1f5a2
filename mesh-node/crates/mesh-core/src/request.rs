//! Requests, seen from both of their ends.
//!
//! ```text
//!   requester's link                                   responder's link
//!   Requests: id → deadline, whom it was sent to       Calls: call → where it came from
//!        │ ── CALL ───────────────────────────────────────► │
//!        │ ◄───────────────────────── REPLY … REPLY ─────── │
//!        │ ── cancelled, deadline ────────────────────────► │   the call is forgotten, a reply to it is late
//!        │ ◄────────────────────────── link or handler gone │
//! ```
//! A request ends in exactly one of: its reply (or series and end), no responders, deadline, cancelled, refused,
//! responder gone. The requester's end decides which; what comes after that is late, and dropped by count.

mod incoming;
mod outgoing;

pub use incoming::{Answer, Calls, Origin, ReplyRefusal};
pub use outgoing::{Ended, Requests, Shape, Targets, Verdict};
