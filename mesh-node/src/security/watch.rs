//! Takes new certificates and keys of tokens into use while the node runs, and says so.

use std::{sync::Arc, time::SystemTime};

use mesh_identity::{
    set::CertSet,
    store::{self, Store},
    tokens::{self, TokenVerifier},
};

use super::Security;
use crate::shared::Shared;

/// Looks at the files for as long as the current thread runs.
pub(crate) fn start(shared: &Arc<Shared>) {
    if let Some(store) = shared.security.store.clone() {
        actix_rt::spawn(certificates(store, Arc::clone(shared)));
    }
    if let Some(tokens) = shared.security.tokens.clone() {
        actix_rt::spawn(token_keys(tokens, Arc::clone(shared)));
    }
}

/// What is not wrong and should be mended.
pub(super) fn warn_of(set: &CertSet) {
    for warning in set.warnings() {
        tracing::warn!("certificates: {warning}");
    }
}

async fn certificates(store: Store, shared: Arc<Shared>) {
    let status = &shared.security.certificates_status;
    store::watch(store, |event| match event {
        store::Event::Changed(set) => {
            status.changed(SystemTime::now());
            let not_after = set.not_after().map(|at| humantime::format_rfc3339_seconds(at).to_string());
            tracing::info!(not_after, "new certificates are in use");
            warn_of(&set);
        }
        store::Event::Failed(error) => {
            let (code, hint) = (error.code(), error.hint());
            tracing::error!(%code, %error, hint, "new certificates are not used, the old ones stay");
            status.failed(SystemTime::now(), code, error.to_string());
        }
        store::Event::Restored => {
            status.restored();
            tracing::info!("the files of certificates are those in use again");
        }
    })
    .await;
}

async fn token_keys(verifier: TokenVerifier, shared: Arc<Shared>) {
    let Security { token_keys_status: status, .. } = &shared.security;
    verifier
        .watch(|event| match event {
            tokens::Event::Changed => {
                status.changed(SystemTime::now());
                tracing::info!("new keys of tokens are in use");
            }
            tokens::Event::Failed(error) => {
                let (code, hint) = (error.code(), error.hint());
                tracing::error!(%code, %error, hint, "new keys of tokens are not used, the old ones stay");
                status.failed(SystemTime::now(), code, error.to_string());
            }
            tokens::Event::Restored => {
                status.restored();
                tracing::info!("the file of keys of tokens is the one in use again");
            }
        })
        .await;
}
