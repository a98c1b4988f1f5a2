//! Links over QUIC: a stream per class of traffic and direction.
//!
//! ```text
//!  Listener::bind ─► accept ─► Incoming ─► finish ─┐
//!                                                  ├─► Whole ── Inbound   streams of the other side, class first
//!  dial ───────────────────────────────────────────┘      └──── Outbound  streams of ours, opened by first use
//!                                                    watch ─┘             closes what nothing is heard from
//! ```

mod congestion;
mod dial;
mod end;
mod inbound;
mod listener;
mod outbound;
mod refused;
mod reset_key;
mod runtime;
pub mod settings;
mod whole;

use std::sync::Arc;

use rustls::pki_types::CertificateDer;

pub(crate) use self::dial::dial;
pub(crate) use self::inbound::{Inbound, LaneReader};
pub use self::listener::{Incoming, Listener, ListenerOptions, TurnedAway};
pub(crate) use self::outbound::Outbound;
pub use self::reset_key::ResetKey;
pub use self::runtime::Tasks;
pub(crate) use self::whole::Whole;
use crate::link::{Closed, Link};
use crate::side::Side;

/// Which end of a link this side is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Dialled,
    Listened,
}

/// A link over a connection whose handshake is done. Starts the watch, so it is called on the runtime of the link.
fn link(connection: quinn::Connection, side: Arc<Side>, role: Role) -> Result<Link, Closed> {
    let certificate =
        match connection.peer_identity().map(|chain| chain.downcast::<Vec<CertificateDer<'_>>>()) {
            Some(Ok(chain)) => crate::side::certificate(&chain, &side)?,
            _ => None,
        };
    let whole = Whole::watched(connection, side, certificate, role);
    Ok(Link::quic(Inbound::new(Arc::clone(&whole)), Outbound::new(Arc::clone(&whole)), whole))
}
