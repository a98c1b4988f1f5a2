//! The peers of a node, from its configuration, on its first data thread.

use std::rc::Rc;

use mesh_core::peering::{self, Own};

use super::{BindError, Options, Peers, frames::FrameHandler};
use crate::{config::Discovery, node::Error, shared::Shared};

/// Takes part in the cluster, if the configuration says so; on the first data thread.
pub(crate) fn open(shared: &Shared, handler: Rc<dyn FrameHandler>) -> Result<Option<Peers>, Error> {
    let (config, security) = (&shared.config, &shared.security);
    // The configuration is refused when there is a port for peers and no certificate.
    let (Some(listen), Some(store)) = (config.peer.listen, &security.store) else { return Ok(None) };
    let addresses = match &config.discovery {
        Discovery::Standalone => Vec::new(),
        Discovery::Static(addresses) => addresses.clone(),
    };
    let options = Options {
        own: Own {
            node: config.name.clone(),
            cluster: config.cluster.clone(),
            incarnation: shared.incarnation,
        },
        listen: Some(listen),
        advertise: config.peer.advertise.clone(),
        addresses,
        store: store.clone(),
        reset_key: security.reset_key.clone(),
        handshake_timeout: config.limits.handshake_timeout,
        // All that there may be can come back at once.
        greeting_max: config.peer.max_peers,
        peering: peering::Options { peers_max: config.peer.max_peers, ..peering::Options::default() },
        seed: shared.seed,
        handler,
        counters: shared.metrics.thread(0),
    };
    let failed = |BindError { address, source }| Error::Network { address, source };
    Peers::start(options).map(Some).map_err(failed)
}
