//! What is to be done for peer links.

use std::sync::Arc;

use mesh_wire::code::Code;

use super::LinkNumber;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Dial this address and send a greeting with the link's number. Ends in exactly one of
    /// [`super::Peering::handle_welcome`] and [`super::Peering::handle_failed`].
    Dial {
        /// The link that it is to become.
        link: LinkNumber,
        /// `host:port`.
        address: Arc<str>,
    },
    /// The link is now the one with its peer. If the peer dialled it, answer its greeting.
    Admit {
        /// The link.
        link: LinkNumber,
    },
    /// Tell the other side, and close. The link is forgotten already; its end need not be reported.
    Close {
        /// The link.
        link: LinkNumber,
        /// What the other side is told.
        code: Code,
        /// What happened, in words.
        cause: String,
    },
}
