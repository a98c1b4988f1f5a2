//! The client: a window of tasks, each asking the next thing when its last was answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::ensure;
use mesh_race::{latency::Latencies, line};
use prost::bytes::Bytes;
use tokio::task::JoinSet;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic_prost::ProstCodec;

use crate::echo::{Answer, Ask, PATH};

/// Makes `count` requests with `window` outstanding, on one connection.
pub(crate) async fn ask(address: String, size: usize, count: usize, window: usize) -> anyhow::Result<()> {
    let endpoint = Endpoint::from_shared(format!("http://{address}"))?.tcp_nodelay(true);
    let channel = endpoint.connect().await?;
    let left = Arc::new(AtomicUsize::new(count));
    let body = Bytes::from(vec![0; size]);
    let mut tasks = JoinSet::new();
    let first = Instant::now();
    for _ in 0..window {
        tasks.spawn(ask_in_turn(Grpc::new(channel.clone()), body.clone(), Arc::clone(&left)));
    }
    let mut latencies = Latencies::with_capacity(count);
    while let Some(took) = tasks.join_next().await {
        took??.into_iter().for_each(|took| latencies.record(took));
    }
    line::emit(&latencies.report(first.elapsed()))?;
    Ok(())
}

async fn ask_in_turn(
    mut grpc: Grpc<Channel>,
    body: Bytes,
    left: Arc<AtomicUsize>,
) -> anyhow::Result<Vec<std::time::Duration>> {
    let mut took = Vec::new();
    let path = PathAndQuery::from_static(PATH);
    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
        let asked = Instant::now();
        grpc.ready().await?;
        let request = tonic::Request::new(Ask { body: body.clone() });
        let codec = ProstCodec::<Ask, Answer>::default();
        let answer = grpc.unary(request, path.clone(), codec).await?.into_inner();
        took.push(asked.elapsed());
        ensure!(answer.body.len() == body.len(), "not the body that was asked");
    }
    Ok(took)
}
