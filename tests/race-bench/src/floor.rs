//! The machine's floors, taken between the contestants' runs.

mod disk;
mod quic;
mod unix;

use std::path::Path;

pub(crate) use self::disk::DiskFloor;
pub(crate) use self::quic::QuicFloor;
pub(crate) use self::unix::UnixFloor;
use crate::measurement::Measurement;
use crate::row::{Carrier, Row, Work};

/// The floors, by what the bytes travel over.
pub(crate) struct Floor {
    pub(crate) unix: UnixFloor,
    pub(crate) quic: QuicFloor,
    pub(crate) disk: DiskFloor,
}

impl Floor {
    /// The floor of `row`, in its unit.
    pub(crate) async fn measure(&self, row: Row, smoke: bool, scratch: &Path) -> anyhow::Result<Measurement> {
        if let Work::Append { .. } | Work::AppendOne { .. } = row.work {
            return self.disk.measure(row.work, smoke, scratch, &self.unix, &self.quic).await;
        }
        match row.carrier {
            Carrier::Unix => self.unix.measure(row.work, smoke, scratch).await,
            Carrier::Quic => self.quic.measure(row.work, smoke, scratch).await,
        }
    }
}
