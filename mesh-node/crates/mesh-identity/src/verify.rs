//! Verifying the other side in a handshake.

mod alert;
mod error;
mod verifier;

use std::time::SystemTime;

use mesh_wire::code::Code;
use mesh_wire::name::Name;
use rustls::pki_types::{CertificateDer, TrustAnchor};
use webpki::{EndEntityCert, KeyUsage};

pub use self::alert::{code_in, code_of_alert};
pub use self::error::Error;
pub(crate) use self::error::{text, unix};
pub use self::verifier::Verifier;

use crate::id::{Kind, SpiffeId};

/// Who the other side must be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expect {
    /// A service: the listening side of the port for clients.
    Service {
        /// The cluster that it must be of.
        cluster: Name,
        /// Whether it may show no certificate at all; who it is must then come from elsewhere (a token).
        optional: bool,
    },
    /// A node: both sides of the port for peers.
    Node {
        /// The cluster that it must be of.
        cluster: Name,
    },
    /// A node at the address that was dialled: a client.
    ///
    /// Its certificate must be valid for the host name or IP address **and** name a node; of the same cluster if the
    /// client has a certificate of its own or `cluster` says so. Without any CA a node on this machine (`localhost`,
    /// a loopback address) is taken as it is, and nobody else.
    Host {
        /// The cluster that it must be of; none takes that of the own certificate.
        cluster: Option<Name>,
    },
    /// Anybody: the listening side asks for no certificate, the dialling side takes each. Only for links that can't
    /// leave this machine.
    Anything,
}

/// Why this side refused the other one, if that is what an error of rustls is about.
pub fn refusal_of(error: &rustls::Error) -> Option<Error> {
    alert::refusal_of(error)
}

/// The code of [`refusal_of`].
pub fn code_of(error: &rustls::Error) -> Option<Code> {
    refusal_of(error).map(|error| error.code())
}

/// Checks that a certificate leads to one of the CAs, is valid now, and may be used for this.
pub(crate) fn chain<'a>(
    anchors: &[TrustAnchor<'_>],
    leaf: &'a CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    usage: KeyUsage,
    now: SystemTime,
) -> Result<EndEntityCert<'a>, Error> {
    let leaf = EndEntityCert::try_from(leaf).map_err(error::of_webpki)?;
    leaf.verify_for_usage(
        webpki::ALL_VERIFICATION_ALGS,
        anchors,
        intermediates,
        unix(now),
        usage,
        None,
        None,
    )
    .map_err(error::of_webpki)?;
    Ok(leaf)
}

pub(crate) fn is_kind(id: &SpiffeId, wanted: Kind) -> Result<(), Error> {
    if id.kind() == wanted { Ok(()) } else { Err(Error::WrongKind { id: id.clone(), wanted }) }
}

pub(crate) fn is_of(id: &SpiffeId, wanted: &Name) -> Result<(), Error> {
    let same = id.cluster() == wanted;
    if same { Ok(()) } else { Err(Error::WrongCluster { id: id.clone(), wanted: wanted.clone() }) }
}

pub(crate) fn is_named(id: &SpiffeId, wanted: &Name) -> Result<(), Error> {
    let same = id.name() == wanted;
    if same { Ok(()) } else { Err(Error::WrongNode { id: id.clone(), wanted: wanted.clone() }) }
}
