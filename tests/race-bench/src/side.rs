//! The sides of the race: ours, the peers, and the floors.

use std::path::Path;

use crate::broker;
use crate::direct::Tonic;
use crate::floor::Floor;
use crate::measurement::Measurement;
use crate::mesh::Mesh;
use crate::nats::Nats;
use crate::row::Work;

/// One side, with where its programs are.
pub(crate) enum Side {
    Ours(Mesh),
    Nats(Nats),
    Tonic(Tonic),
    Floor(Floor),
}

impl Side {
    /// Its name in the results and in `--sides`.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Ours(_) => "ours",
            Self::Nats(_) => "nats",
            Self::Tonic(_) => "tonic",
            Self::Floor(_) => "floor",
        }
    }

    /// Whether it can do `work` at all.
    pub(crate) fn takes_part(&self, work: Work) -> bool {
        match self {
            Self::Ours(_) | Self::Nats(_) => true,
            Self::Tonic(_) => matches!(work, Work::Request { .. }),
            Self::Floor(_) => matches!(work, Work::Request { .. } | Work::Publish { .. }),
        }
    }

    /// What is raced, with its version; nothing for the floors, which are of this build.
    pub(crate) async fn version(&self) -> anyhow::Result<Option<String>> {
        match self {
            Self::Ours(mesh) => mesh.version().await.map(Some),
            Self::Nats(nats) => nats.version().await.map(Some),
            Self::Tonic(tonic) => tonic.version().await.map(Some),
            Self::Floor(_) => Ok(None),
        }
    }

    /// Does `work` once, with its files in the empty folder `scratch`.
    pub(crate) async fn measure(
        &self,
        work: Work,
        smoke: bool,
        scratch: &Path,
    ) -> anyhow::Result<Measurement> {
        match self {
            Self::Ours(mesh) => broker::measure(mesh, "mesh", work, scratch).await,
            Self::Nats(nats) => broker::measure(nats, "nats", work, scratch).await,
            Self::Tonic(tonic) => tonic.measure(work, scratch).await,
            Self::Floor(floor) => floor.measure(work, smoke, scratch).await,
        }
    }
}
