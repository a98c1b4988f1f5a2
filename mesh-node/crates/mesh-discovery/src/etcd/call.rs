//! The calls to etcd, each of which is one action of the session.

use std::time::Duration;

use etcd_client::{
    Client, Compare, CompareOp, Error, GetOptions, KeyValue, PutOptions, Txn, TxnOp, TxnOpResponse,
};

use super::keys::Keys;
use crate::{
    founding::Founding,
    record::Record,
    session::{Guard, Holder, Input, Item, Validity},
};

/// Nodes that are read at once: with records of [`crate::record::RECORD_BYTES`] far below the 4 MiB that gRPC takes.
const PAGE: i64 = 256;
/// A key that changes under our hands is tried this often before somebody else has a go.
const TRIES: usize = 3;

pub(super) async fn grant(mut client: Client, ttl: Duration) -> Result<Input, Error> {
    let seconds = i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX);
    let granted = client.lease_grant(seconds, None).await?;
    Ok(Input::Granted { lease: granted.id(), ttl: seconds_of(granted.ttl()) })
}

pub(super) async fn keep_alive(mut client: Client, lease: i64) -> Result<Input, Error> {
    // It waits for the first answer; an ended lease is an error.
    client.lease_keep_alive(lease).await?;
    Ok(Input::Alive)
}

pub(super) async fn look(mut client: Client, lease: i64) -> Result<Input, Error> {
    let found = client.lease_time_to_live(lease, None).await?;
    let is_there = found.ttl() > 0 || found.granted_ttl() > 0 && found.ttl() == 0;
    let validity = Validity { left: seconds_of(found.ttl()), granted: seconds_of(found.granted_ttl()) };
    Ok(Input::Looked(is_there.then_some(validity)))
}

pub(super) async fn register(
    mut client: Client,
    keys: Keys,
    lease: i64,
    mut guard: Guard,
    record: Box<Record>,
) -> Result<Input, Error> {
    let value = record.encode().map_err(|error| Error::InvalidArgs(error.to_string()))?;
    for _ in 0..TRIES {
        let when = match guard {
            Guard::Absent => Compare::create_revision(&*keys.own, CompareOp::Equal, 0),
            Guard::Unchanged(revision) => Compare::mod_revision(&*keys.own, CompareOp::Equal, revision),
        };
        let put = TxnOp::put(&*keys.own, value.clone(), Some(PutOptions::new().with_lease(lease)));
        let txn = Txn::new().when([when]).and_then([put]).or_else([TxnOp::get(&*keys.own, None)]);
        let done = client.txn(txn).await?;
        if done.succeeded() {
            return Ok(Input::Registered);
        }
        if let Some(found) = first(&done.op_responses()) {
            let record = Record::decode(found.value()).ok();
            let holder = Holder { record, lease: found.lease(), revision: found.mod_revision() };
            return Ok(Input::Held(Box::new(holder)));
        }
        guard = Guard::Absent;
    }
    Err(Error::Internal("the own key comes and goes".to_owned()))
}

pub(super) async fn read(
    mut client: Client,
    keys: Keys,
    after: Option<Vec<u8>>,
    revision: Option<i64>,
) -> Result<Input, Error> {
    let mut from = keys.nodes.clone().into_bytes();
    if let Some(after) = after {
        from.extend(after);
        // The key behind it.
        from.push(0);
    }
    let options = GetOptions::new().with_range(&*keys.nodes_end).with_limit(PAGE);
    let page = client.get(from, Some(options.with_revision(revision.unwrap_or_default()))).await?;
    let item = |kv: &KeyValue| Item { key: keys.id_of(kv.key()), value: kv.value().to_vec() };
    Ok(Input::Page {
        items: page.kvs().iter().map(item).collect(),
        more: page.more(),
        revision: page.header().map_or(0, |header| header.revision()),
    })
}

pub(super) async fn found(
    mut client: Client,
    keys: Keys,
    proposal: Option<Founding>,
    unchanged_since: Option<i64>,
) -> Result<Input, Error> {
    let key = &*keys.founding;
    let Some(proposal) = proposal else {
        let found = client.get(key, None).await?;
        let founding = found.kvs().first().and_then(|kv| Founding::decode(kv.value()));
        return Ok(Input::Founding { founding, ours: false });
    };
    let mut when = vec![Compare::create_revision(key, CompareOp::Equal, 0)];
    if let Some(revision) = unchanged_since {
        let nodes = Compare::mod_revision(&*keys.nodes, CompareOp::Less, revision + 1);
        when.push(nodes.with_range(&*keys.nodes_end));
    }
    let put = TxnOp::put(key, proposal.encode(), None);
    let done = client.txn(Txn::new().when(when).and_then([put]).or_else([TxnOp::get(key, None)])).await?;
    if done.succeeded() {
        return Ok(Input::Founding { founding: Some(proposal), ours: true });
    }
    let founding = first(&done.op_responses()).and_then(|kv| Founding::decode(kv.value()));
    Ok(Input::Founding { founding, ours: false })
}

pub(super) async fn depart(
    mut client: Client,
    keys: Keys,
    lease: i64,
    record: Box<Record>,
) -> Result<Input, Error> {
    let value = record.encode().map_err(|error| Error::InvalidArgs(error.to_string()))?;
    let ours = Compare::lease(&*keys.own, CompareOp::Equal, lease);
    let put = TxnOp::put(&*keys.own, value, Some(PutOptions::new().with_lease(lease)));
    client.txn(Txn::new().when([ours]).and_then([put])).await?;
    client.lease_revoke(lease).await?;
    Ok(Input::Departed)
}

fn first(responses: &[TxnOpResponse]) -> Option<KeyValue> {
    match responses.first() {
        Some(TxnOpResponse::Get(found)) => found.kvs().first().cloned(),
        _ => None,
    }
}

fn seconds_of(seconds: i64) -> Duration {
    Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
}
