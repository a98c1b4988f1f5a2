//! Who the other side of a link is: certificates, their revocation, tokens.
//!
//! # The picture
//! ```text
//!  ca.pem  node-a.pem  node-a.key  crl.pem          one directory, looked at every second
//!        \      |         |        /
//!         set::CertSet (checked as a whole)
//!                   |
//!         store::Store ── current() ──> tls::server_config ── Verifier ──> Expect: a service? a node?
//!                   |                   tls::client_config ──/              |
//!                   |                                                       v
//!                   '── recheck(PeerCertificate) <── links, every few seconds   SpiffeId
//! ```
//! A [`set::CertSet`] never changes. A [`store::Store`] holds the current one and is asked at **each** handshake, by
//! the listening and by the dialling side, so that new files count at once and no configuration of rustls is built
//! twice. Who somebody is says one URI in their certificate, in the form of SPIFFE ([`id::SpiffeId`]); whether that is
//! the right one for a port says [`verify::Expect`].
//!
//! Sources: RFC 5280 (certificates, revocation lists), RFC 8446 (TLS 1.3), RFC 7515, 7517, 7519 and 8725 (tokens),
//! the SPIFFE standards *SPIFFE-ID* and *X509-SVID*; ADRs 0070 to 0073.
//!
//! # Features
//! * `self-signed`: a node's certificate in memory, for links that stay on this machine.
//! * `authority`: a development CA in a directory, as `mesh cert` makes it.
//! * `tokens`: JWTs instead of certificates.

#[cfg(feature = "authority")]
pub mod authority;
pub mod crl;
pub mod describe;
mod facts;
mod file;
pub mod id;
pub mod peer;
mod poll;
#[cfg(feature = "self-signed")]
mod self_signed;
pub mod set;
pub mod store;
pub mod tls;
#[cfg(feature = "tokens")]
pub mod tokens;
pub mod verify;
