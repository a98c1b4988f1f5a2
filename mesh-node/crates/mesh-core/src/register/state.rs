//! The registers as bytes, for checkpoints and snapshots. Records are not in it: those are kept in their lanes.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{FormatError, LaneId, Registers, gone::Gone, lane::Lane};
use crate::tagged::Fields;

const FORM: u64 = 1;

impl Registers {
    /// Their bytes: the same state has the same bytes, whatever has led to it.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let lanes = self.lanes.iter().map(|(id, lane)| lane.to_fields().number(1, id.0));
        let fields = Fields::new().number(0, FORM).records(1, lanes);
        fields.records(2, self.gone.to_fields()).with_rest(&self.rest).encode()
    }

    /// Reads them.
    ///
    /// # Errors
    /// When it is no state, or one of a form that this version can't read.
    pub fn decode(bytes: &Bytes) -> Result<Self, FormatError> {
        let mut fields = Fields::decode(bytes)?;
        if fields.take_number(0)? != FORM {
            return Err(FormatError::Unfit { tag: 0 });
        }
        let mut lanes = BTreeMap::new();
        for mut lane in fields.take_records(1)? {
            lanes.insert(LaneId(lane.take_number(1)?), Lane::from_fields(lane)?);
        }
        let gone = Gone::from_fields(fields.take_records(2)?)?;
        let runs = lanes.values().map(Lane::runs).sum();
        let producers = lanes.values().map(|lane| lane.producers.len()).sum();
        Ok(Self { lanes, gone, producers, runs, none_idle_before_ms: 0, rest: fields })
    }
}
