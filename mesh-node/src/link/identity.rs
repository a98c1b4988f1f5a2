//! Who a client is: by its process, its certificate, or its token.

use std::{sync::Arc, time::SystemTime};

use mesh_identity::{
    id::{Kind, SpiffeId},
    peer::PeerCertificate,
    store::Store,
    tokens::Claims,
};
use mesh_transport::{link::Handle, peer::Peer};
use mesh_wire::{
    code::Code,
    ext::{ExtBuilder, Tag},
};

use super::handshake::Fault;
use crate::{config::Config, shared::Shared};

/// Who a client is, as the system, a certificate or a token vouches.
#[derive(Debug)]
pub(crate) struct Identity {
    /// How it is shown: `unix:uid=1000,pid=42`, `spiffe://prod/service/orders`, `loopback:127.0.0.1:40000`.
    pub(crate) text: String,
    /// The same as an entry of an extension area, which travels with calls; empty for one that is too long for it.
    pub(crate) entry: Box<[u8]>,
    /// Whether it may stop the node.
    pub(crate) is_operator: bool,
    proof: Proof,
}

/// What an identity stands on.
#[derive(Debug)]
enum Proof {
    /// The kernel, or that nobody asked.
    Given,
    Certificate(Arc<PeerCertificate>),
    Token(Claims),
}

impl Identity {
    /// Who is at the other end. A certificate counts before a token; over a network one of them has to be there, unless
    /// the node takes clients of this machine without.
    pub(super) fn of(handle: &Handle, token: Option<&str>, shared: &Shared) -> Result<Self, Fault> {
        let config = &shared.config;
        if let Some(process) = handle.process() {
            return Ok(Self::of_process(process));
        }
        if let Some(certificate) = handle.certificate() {
            let id = certificate.id().clone();
            return Ok(Self::of_service(&id, config, Proof::Certificate(certificate)));
        }
        if let (Some(tokens), Some(token)) = (&shared.security.tokens, token) {
            let claims = tokens.verify(token.as_bytes(), SystemTime::now());
            let claims = claims.map_err(|error| Fault::new(error.code(), error.to_string()))?;
            let id = claims.id.clone();
            return Ok(Self::of_service(&id, config, Proof::Token(claims)));
        }
        let remote = handle.remote();
        if let Some(remote) =
            remote.filter(|remote| config.listen.insecure_loopback && remote.ip().is_loopback())
        {
            return Ok(Self::new(format!("loopback:{remote}"), false, Proof::Given));
        }
        Err(match token {
            Some(_) => Fault::new(Code::TokenRefused, "the node takes no tokens"),
            None => Fault::new(Code::IdentityRequired, "the client showed neither a certificate nor a token"),
        })
    }

    /// From the credentials of a Unix socket.
    fn of_process(peer: Peer) -> Self {
        let is_operator = peer.uid == 0 || peer.uid == rustix::process::geteuid().as_raw();
        Self::new(peer.to_string(), is_operator, Proof::Given)
    }

    fn of_service(id: &SpiffeId, config: &Config, proof: Proof) -> Self {
        let is_ours = id.kind() == Kind::Service && *id.cluster() == config.cluster;
        let is_operator = is_ours && config.listen.operators.contains(id.name());
        Self::new(id.to_string(), is_operator, proof)
    }

    fn new(text: String, is_operator: bool, proof: Proof) -> Self {
        let mut entry = ExtBuilder::new();
        // Two names of the greatest length make a text that does not fit: it is shown, and does not travel.
        let entry = entry
            .push(Tag::IDENTITY, text.as_bytes())
            .map_or_else(|_| Box::default(), |e| e.as_bytes().into());
        Self { text, entry, is_operator, proof }
    }

    /// Whether it can lapse while the link is there.
    pub(super) fn can_lapse(&self) -> bool {
        !matches!(self.proof, Proof::Given)
    }

    /// Whether it still holds.
    pub(super) fn recheck(&self, store: Option<&Store>, now: SystemTime) -> Result<(), Fault> {
        match (&self.proof, store) {
            (Proof::Certificate(certificate), Some(store)) => {
                store.recheck(certificate, now).map_err(|error| Fault::new(error.code(), error.to_string()))
            }
            (Proof::Token(claims), _) => {
                claims.recheck(now).map_err(|error| Fault::new(error.code(), error.to_string()))
            }
            _ => Ok(()),
        }
    }

    /// When its certificate ends, if it has one.
    pub(crate) fn certificate_not_after(&self) -> Option<SystemTime> {
        match &self.proof {
            Proof::Certificate(certificate) => Some(certificate.not_after()),
            _ => None,
        }
    }

    /// When its token ends, if it has one.
    pub(crate) fn token_expires(&self) -> Option<SystemTime> {
        match &self.proof {
            Proof::Token(claims) => Some(claims.expires),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use mesh_wire::ext::Ext;

    use super::*;

    #[test]
    fn an_identity_travels_as_an_entry_if_it_fits() {
        for (len, fits) in [(1, true), (255, true), (256, false)] {
            let identity = Identity::new("x".repeat(len), false, Proof::Given);
            let ext = Ext::parse(&identity.entry).unwrap();
            assert_eq!(ext.get(Tag::IDENTITY).map(<[u8]>::len), fits.then_some(len));
            assert_eq!(identity.text.len(), len);
        }
    }

    #[test]
    fn the_node_s_own_user_is_an_operator() {
        let own = rustix::process::geteuid().as_raw();
        let of = |uid| Identity::of_process(Peer { uid, gid: 7, pid: Some(1) });
        assert!(of(own).is_operator && of(0).is_operator);
        assert!(!of(own + 1).is_operator);
        assert_eq!(of(5).text, "unix:uid=5,pid=1");
    }
}
