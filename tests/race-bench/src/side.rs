//! The sides of the race: ours, the peers, and the floors.

use std::path::Path;

use crate::broker;
use crate::cluster;
use crate::direct::Tonic;
use crate::floor::Floor;
use crate::measurement::Measurement;
use crate::mesh::Mesh;
use crate::nats::Nats;
use crate::row::{Carrier, Row, Work};

/// One side, with where its programs are.
pub(crate) enum Side {
    Ours(Mesh),
    /// Over plain TCP, or over TLS.
    Nats(Nats),
    Tonic(Tonic),
    Floor(Floor),
}

impl Side {
    /// Its name in the results and in `--sides`.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Ours(_) => "ours",
            Self::Nats(nats) if nats.tls => "nats-tls",
            Self::Nats(_) => "nats",
            Self::Tonic(_) => "tonic",
            Self::Floor(_) => "floor",
        }
    }

    /// Whether it can do the work of `row`, and doing it says something there.
    pub(crate) fn takes_part(&self, row: Row) -> bool {
        let quic = row.carrier == Carrier::Quic;
        if row.work.is_durable() {
            // What peers keep is raced once there are queues.
            let floor = matches!(self, Self::Floor(_)) && row.work.is_bound_by_disk();
            return floor || matches!(self, Self::Ours(_));
        }
        match self {
            Self::Ours(_) => true,
            Self::Nats(nats) => !nats.tls || quic,
            Self::Tonic(_) => matches!(row.work, Work::Request { .. }) && !quic,
            Self::Floor(_) => match row.work {
                Work::Request { .. } | Work::Publish { .. } | Work::Bulk { .. } => true,
                Work::Connections { .. } => quic,
                _ => false,
            },
        }
    }

    /// What is raced, with its version; nothing for the floors, which are of this build.
    pub(crate) async fn version(&self) -> anyhow::Result<Option<String>> {
        match self {
            Self::Ours(mesh) => mesh.version().await.map(Some),
            // The programs are the same.
            Self::Nats(nats) if nats.tls => Ok(None),
            Self::Nats(nats) => nats.version().await.map(Some),
            Self::Tonic(tonic) => tonic.version().await.map(Some),
            Self::Floor(_) => Ok(None),
        }
    }

    /// Does the work of `row` once, with its files in the empty folder `scratch`.
    pub(crate) async fn measure(&self, row: Row, smoke: bool, scratch: &Path) -> anyhow::Result<Measurement> {
        match self {
            Self::Ours(mesh) if row.work.is_durable() => cluster::measure(mesh, row.work, scratch).await,
            Self::Ours(mesh) => broker::measure(mesh, "mesh", row, scratch).await,
            Self::Nats(nats) => broker::measure(nats, "nats", row, scratch).await,
            Self::Tonic(tonic) => tonic.measure(row.work, scratch).await,
            Self::Floor(floor) => floor.measure(row, smoke, scratch).await,
        }
    }
}
