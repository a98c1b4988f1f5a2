//! What this side of a handshake knows, by which the faults of handshakes get their codes.

use std::sync::Arc;
use std::time::SystemTime;

use mesh_identity::peer::PeerCertificate;
use mesh_identity::store::Store;
use mesh_identity::verify::{self, Expect};
use mesh_wire::code::Code;
use rustls::pki_types::CertificateDer;

use crate::link::Closed;

/// The alert of a side that knows none of the protocols that it was offered (RFC 7301, section 3.2).
const NO_APPLICATION_PROTOCOL: u8 = 120;

/// The certificates of this side, and whom it expects at the other.
#[derive(Debug, Clone)]
pub(crate) struct Side {
    pub(crate) store: Store,
    pub(crate) expect: Expect,
}

impl Side {
    /// The code of a handshake that ended with `alert`, sent or received, whose reason is known as far as `reason` says.
    pub(crate) fn code(&self, alert: u8, reason: &str) -> Code {
        let by_alert = || match alert {
            NO_APPLICATION_PROTOCOL => Some(Code::AlpnMismatch),
            _ => verify::code_of_alert(alert, &self.store.current(), &self.expect, SystemTime::now()),
        };
        verify::code_in(reason).or_else(by_alert).unwrap_or(Code::TlsHandshakeFailed)
    }
}

/// Who the other side is, by the certificates that it showed in the handshake. Where nothing is expected of it, nothing
/// is read from them.
pub(crate) fn certificate(
    chain: &[CertificateDer<'_>],
    side: &Side,
) -> Result<Option<Arc<PeerCertificate>>, Closed> {
    match PeerCertificate::from_chain(chain) {
        Ok(certificate) => Ok(Some(Arc::new(certificate))),
        Err(_) if side.expect == Expect::Anything || !side.store.current().has_ca() => Ok(None),
        Err(error) => Err(Closed::new(error.code(), error.to_string())),
    }
}
