//! What the shards are asked to do: appends to registers, by producers that number what they send.

use bytes::{BufMut as _, Bytes, BytesMut};
use mesh_core::{
    meta,
    register::{Command, Reply},
};
use mesh_log::{id::LaneId, vfs::simulated::SplitMix64};
use mesh_shard::ShardMachine;
use mesh_wire::batch::{BatchBuilder, BatchRef, Producer, Record};

use crate::invariant::model::RecordId;

/// Bytes of a record that say which one it is.
const ID_BYTES: usize = 16;

/// A command that appends records. `None` when they don't fit into a batch.
#[must_use]
pub fn append(
    lane: LaneId,
    first: RecordId,
    count: u64,
    record_bytes: usize,
    random: &mut SplitMix64,
) -> Option<Bytes> {
    let producer = Producer { id: first.producer, epoch: 0, base_sequence: first.sequence };
    let mut builder = BatchBuilder::new(producer);
    let mut value = BytesMut::with_capacity(ID_BYTES + record_bytes);
    for sequence in first.sequence..first.sequence + count {
        value.clear();
        value.put_u64_le(first.producer);
        value.put_u64_le(sequence);
        value.put_bytes(sequence as u8, random.index(record_bytes + 1));
        builder.push(&Record { value: Some(&value), ..Record::default() }).ok()?;
    }
    let batch = builder.build().ok()?;
    Some(Command::Append { lane: meta::LaneId(lane.0), batch }.encode())
}

/// A command that gives up the records below a number.
#[must_use]
pub fn trim(lane: LaneId, below: u64) -> Bytes {
    Command::Trim { lane: meta::LaneId(lane.0), below }.encode()
}

/// The number of the first record, or 0 after a trim; why not, when it was refused.
///
/// # Errors
/// What the reply says, if it says no.
pub fn done(reply: &[u8]) -> Result<u64, String> {
    match Reply::decode(reply).map_err(|error| error.to_string())? {
        Reply::Appended { first, .. } => Ok(first),
        Reply::Trimmed | Reply::Forgotten => Ok(0),
        Reply::Refused(refusal) => Err(refusal.to_string()),
    }
}

/// The records in a piece of a lane, `None` when they are not what anybody sent.
#[must_use]
pub fn records(piece: &[u8]) -> Option<Vec<RecordId>> {
    let batch = BatchRef::parse(piece).ok()?;
    batch.verify().ok()?;
    let mut records = Vec::with_capacity(batch.len());
    for record in batch.records() {
        let payload = record.payload().ok()?;
        let (id, filler) = payload.value?.split_first_chunk::<ID_BYTES>()?;
        let (producer, sequence) = id.split_first_chunk::<8>()?;
        let sequence = u64::from_le_bytes(sequence.try_into().ok()?);
        if filler.iter().any(|byte| *byte != sequence as u8) {
            return None;
        }
        records.push(RecordId { producer: u64::from_le_bytes(*producer), sequence });
    }
    Some(records)
}

/// The first number that a lane still has, and the last one; the latter is one less when it has none.
#[must_use]
pub fn extent(machine: &ShardMachine, lane: LaneId) -> (u64, u64) {
    let view = machine.registers().and_then(|registers| registers.view(meta::LaneId(lane.0)));
    view.map_or((1, 0), |view| (view.first, view.next - 1))
}

#[cfg(test)]
mod tests {
    use mesh_core::register::Registers;
    use mesh_log::id::GroupId;
    use mesh_replica::machine::{At, Machine as _, Wanted};

    use super::*;

    #[test]
    fn what_is_appended_is_kept_as_it_was_sent() {
        let mut machine = ShardMachine::new(GroupId(1));
        let first = RecordId { producer: 7, sequence: 0 };
        let command = append(LaneId(3), first, 4, 100, &mut SplitMix64::new(1)).unwrap();
        let at = At { group: GroupId(1), index: 1, term: 1, time_ms: 1 };
        let outcome = machine.apply(at, &command);
        assert_eq!((done(&outcome.reply), extent(&machine, LaneId(3))), (Ok(1), (1, 4)));
        assert_eq!(extent(&machine, LaneId(4)), (1, 0));
        let keep = outcome.keep[0];
        let piece = command.slice(keep.offset as usize..(keep.offset + keep.len) as usize);
        let expected: Vec<_> = (0..4).map(|sequence| RecordId { producer: 7, sequence }).collect();
        assert_eq!(records(&piece), Some(expected));
        let mut other = piece.to_vec();
        *other.last_mut().unwrap() ^= 1;
        assert_eq!(records(&other), None);
        assert_eq!(done(&machine.apply(at, &command).reply), Ok(1), "sent again");
        assert_eq!(done(&machine.apply(at, &trim(LaneId(3), 3)).reply), Ok(0));
        assert_eq!(extent(&machine, LaneId(3)).1, 4);
        assert_eq!(machine.wanted(), [Wanted { lane: LaneId(3), first: 3, next: 5 }]);
        assert_ne!(*machine.registers().unwrap(), Registers::new());
    }
}
