//! Connecting to a node, with the certificates of the moment.

use std::sync::Arc;
use std::time::Duration;

use mesh_identity::store::{self, Event, Store};
use mesh_transport::connect::{self, ConnectOptions};
use mesh_transport::endpoint::Endpoint;
use mesh_wire::code::Code;
use tokio::task::AbortHandle;

use super::handshake::{self, Introduction, Opened};
use super::shared::Shared;
use crate::credentials;
use crate::error::Error;

/// Opens links.
pub(crate) struct Dialer {
    store: Store,
    who: Introduction,
    timeout: Duration,
}

impl Dialer {
    /// With the certificates of `store`; `timeout` is how long one attempt may take, the handshake included.
    pub(crate) fn new(store: Store, who: Introduction, timeout: Duration) -> Self {
        Self { store, who, timeout }
    }

    /// How long one attempt may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The certificates of the moment.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Opens a link to `endpoint`.
    ///
    /// # Cancel safety
    /// Safe: the connection is closed.
    pub(crate) async fn open(&self, endpoint: &Endpoint) -> Result<Opened, Error> {
        // Boxed: it is large, and whoever awaits a connect carries it.
        match tokio::time::timeout(self.timeout, Box::pin(self.connect(endpoint))).await {
            Ok(opened) => opened,
            Err(_) => {
                Err(Error::new(Code::ConnectTimeout, format!("connecting to {endpoint} took too long"))
                    .with_cause(format!("the node did not answer within {:?}", self.timeout)))
            }
        }
    }

    async fn connect(&self, endpoint: &Endpoint) -> Result<Opened, Error> {
        let local = endpoint.socket_path().is_some();
        if !local {
            self.reload().await;
        }
        // Without a CA whoever listens on this machine is taken as it is.
        let trusted = local || self.store.current().has_ca();
        let options = ConnectOptions { timeout: self.timeout, ..ConnectOptions::new(self.store.clone()) };
        let link = connect::open(endpoint, &options).await.map_err(refused)?;
        handshake::greet(link, endpoint, &self.who, trusted).await
    }

    /// Takes certificates that were replaced a moment ago. A set with a fault is not taken, which [`watch`] tells.
    async fn reload(&self) {
        if self.store.source().is_some() {
            let store = self.store.clone();
            // A few small files, on a disk that may be slow.
            drop(tokio::task::spawn_blocking(move || store.reload()).await);
        }
    }
}

fn refused(error: connect::Error) -> Error {
    Error::new(error.code(), error.to_string()).with_hint(error.hint()).with_source(error)
}

/// Looks at the certificate files for as long as it is held, and tells when they have a fault.
pub(crate) fn watch(dialer: &Dialer, shared: &Arc<Shared>) -> Option<Watch> {
    dialer.store.source()?;
    let shared = Arc::clone(shared);
    let watching = store::watch(dialer.store.clone(), move |event| {
        if let Event::Failed(error) = event {
            shared.tell_error(credentials::refused(error));
        }
    });
    Some(Watch(tokio::spawn(watching).abort_handle()))
}

/// A task that looks at certificate files; dropped, it ends.
pub(crate) struct Watch(AbortHandle);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}
