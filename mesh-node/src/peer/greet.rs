//! What both sides of a greeting share.

use std::{io, sync::Arc, time::Duration};

use mesh_identity::peer::PeerCertificate;
use mesh_transport::link::{Handle, Outbound};
use mesh_wire::{class::Class, code::Code};
use tokio::time::timeout;

use super::{
    Fault,
    handshake::{self, Opening},
    view::Facts,
};

/// How long a refusal may take to be taken.
const REFUSAL_TIME: Duration = Duration::from_secs(1);

/// The certificate of the other side, which the carrier has verified.
pub(super) fn certified(handle: &Handle) -> Result<Arc<PeerCertificate>, Fault> {
    let missing = || Fault::new(Code::CertificateMissing, "the peer showed no certificate");
    handle.certificate().ok_or_else(missing)
}

/// What there is to know of a link that was greeted. `dialled` is the address that this node dialled.
pub(super) fn facts(
    opening: &Opening,
    certificate: &PeerCertificate,
    handle: &Handle,
    dialled: Option<Arc<str>>,
) -> Arc<Facts> {
    let remote = handle.remote().map(|remote| remote.to_string());
    Arc::new(Facts::new(opening, certificate.not_after(), handle.carrier(), remote, dialled))
}

/// Tells the other side why there is no link, unless it said so itself, and closes. Bounded in time.
pub(super) async fn turn_away(mut outbound: Outbound, handle: &Handle, fault: &Fault) {
    if !fault.is_theirs {
        let farewell = async {
            outbound.write_all(Class::Control, handshake::refusal(fault.code, &fault.cause)).await?;
            outbound.finish().await?;
            // It closes when it has read this; closing first could take the reason away from it.
            handle.closed().await;
            Ok::<(), io::Error>(())
        };
        // Who does not listen misses the reason; it was counted.
        timeout(REFUSAL_TIME, farewell).await.map(Result::unwrap_or_default).unwrap_or_default();
    }
    handle.close(fault.code, &fault.cause);
}
