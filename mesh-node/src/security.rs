//! By what links over a network are secured: the node's certificates, the keys of tokens, the key of resets.

use std::time::SystemTime;

use mesh_identity::{set::Source, set::Who, store::Store, tokens::TokenVerifier, verify::Expect};
use mesh_log::directory;
use mesh_transport::quic::ResetKey;

use crate::{
    config::{Certs, Config},
    node::Error,
};

mod status;
mod watch;

pub(crate) use status::{Snapshot, Status};
pub(crate) use watch::start as watch;

/// Name of the file in the data directory that holds the key of resets.
const RESET_KEY: &str = "reset.key";

/// See the module. Everything in it is read anew when its files change.
pub(crate) struct Security {
    /// The node's own certificates, for clients and for peers; `None` when none are named.
    pub(crate) store: Option<Store>,
    /// What tokens of clients are verified by; `None` when none are taken.
    pub(crate) tokens: Option<TokenVerifier>,
    /// By which a restarted node ends the links of its former life.
    pub(crate) reset_key: ResetKey,
    /// What became of the files of certificates.
    pub(crate) certificates_status: Status,
    /// What became of the file of keys of tokens.
    pub(crate) token_keys_status: Status,
}

impl Security {
    /// Reads the files that the configuration names.
    pub(crate) fn open(config: &Config) -> Result<Self, Error> {
        let store = source(config).map(Store::open).transpose()?;
        if let Some(store) = &store {
            watch::warn_of(&store.current());
        }
        let tokens = match &config.tokens.jwks {
            Some(path) => {
                let audience = Some(config.tokens.audience.to_string());
                Some(TokenVerifier::open(path, config.cluster.clone(), audience)?)
            }
            None => None,
        };
        for warning in tokens.iter().flat_map(TokenVerifier::warnings) {
            tracing::warn!("keys of tokens: {warning}");
        }
        let listens = config.listen.address.is_some() || config.peer.listen.is_some();
        let path = config.data.join(RESET_KEY);
        let reset_key = if listens { ResetKey::load_or_make(&path) } else { ResetKey::random() };
        let reset_key = reset_key.map_err(|source| directory::Error::Io { path, source })?;
        let now = SystemTime::now();
        Ok(Self {
            store,
            tokens,
            reset_key,
            certificates_status: Status::new(now),
            token_keys_status: Status::new(now),
        })
    }

    /// What the port for clients shows, and whom it lets in.
    pub(crate) fn for_clients(&self, config: &Config) -> Result<(Store, Expect), Error> {
        let optional = self.tokens.is_some() || config.listen.insecure_loopback;
        match &self.store {
            Some(store) => Ok((store.clone(), Expect::Service { cluster: config.cluster.clone(), optional })),
            None => {
                let store = Store::self_signed(config.cluster.clone(), config.name.clone())?;
                Ok((store, Expect::Anything))
            }
        }
    }
}

fn source(config: &Config) -> Option<Source> {
    let who = Who::Node { cluster: config.cluster.clone(), id: config.name.clone() };
    let Certs { dir, ca, cert, key, crl } = config.certs.clone();
    match (dir, ca) {
        (Some(path), _) => Some(Source::Directory { path, who }),
        (None, Some(ca)) => Some(Source::Files { ca, cert, key, crl, who }),
        (None, None) => None,
    }
}
