//! `mesh register append`

use std::collections::VecDeque;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use mesh_client::{Acknowledgement, BatchBuilder, Producer, Record};
use mesh_wire::batch;
use mesh_wire::limits::PRODUCER_WINDOW;
use serde_json::json;

use super::AppendOptions;
use crate::failure::Failure;
use crate::input;
use crate::session::{Lost, Session};

/// What was appended.
#[derive(Default)]
struct Total {
    first: Option<u64>,
    last: u64,
    records: u64,
    duplicates: u64,
}

/// Appends.
pub(super) async fn run(
    name: &str,
    options: &AppendOptions,
    session: &mut Session<'_>,
) -> Result<(), Failure> {
    if options.lines && options.body.as_ref().is_some_and(|body| body != "-") {
        return Err(Failure::usage("--lines takes the records from standard input")
            .hint(format!("mesh register append {name} --lines < FILE")));
    }
    let body = if options.lines { None } else { options.body.clone() };
    let whole = session.stop.or(input::body(body)).await??;
    let client = session.connect(Lost::Waits).await?;
    let mut stop = session.stop.clone();
    let timeout = session.global.timeout;
    let mut total = Total::default();
    let done = stop
        .or(async {
            let register = client.register(name).await?;
            let producer = register.producer().timeout(timeout).batches(PRODUCER_WINDOW).open()?;
            let mut appending = Appending { producer, under_way: VecDeque::new(), total: &mut total };
            if options.lines {
                appending.lines().await?;
            } else {
                appending.send(&mut std::iter::once(whole).peekable()).await?;
            }
            appending.finish().await
        })
        .await
        .and_then(|done| done);
    if total.records > 0 || done.is_ok() {
        tell(name, &total, session)?;
    }
    done?;
    client.close().await;
    Ok(())
}

fn tell(name: &str, total: &Total, session: &mut Session<'_>) -> Result<(), Failure> {
    let Total { first, last, records, duplicates } = *total;
    if session.output.json() {
        session.output.json_line(&json!({
            "register": name, "appended": records, "first": first, "last": first.map(|_| last),
            "duplicates": duplicates,
        }))?;
        return session.output.flush();
    }
    let what = if records == 1 { "record" } else { "records" };
    let place = first.map(|first| format!(", the first is number {first}")).unwrap_or_default();
    session.output.note(format_args!("appended {records} {what} to {name}{place}"));
    Ok(())
}

struct Appending<'a> {
    producer: Producer,
    under_way: VecDeque<Acknowledgement>,
    total: &'a mut Total,
}

impl Appending<'_> {
    async fn lines(&mut self) -> Result<(), Failure> {
        let mut batches = input::lines();
        while let Some(lines) = batches.recv().await {
            let mut lines = lines?.into_iter().peekable();
            while lines.peek().is_some() {
                self.send(&mut lines).await?;
            }
        }
        Ok(())
    }

    /// Sends as many records as fit into one batch.
    async fn send(
        &mut self,
        records: &mut std::iter::Peekable<impl Iterator<Item = Bytes>>,
    ) -> Result<(), Failure> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let timestamp_ms = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
        let mut batch = BatchBuilder::new(batch::Producer::default());
        while let Some(value) = records.peek() {
            let record = Record { value: Some(value), timestamp_ms, ..Record::default() };
            match batch.push(&record) {
                Ok(()) => _ = records.next(),
                Err(error) if error.is_full() && !batch.is_empty() => break,
                Err(error) => {
                    return Err(Failure::new(error.code(), "the record can't be appended").cause(error));
                }
            }
        }
        self.under_way.push_back(self.producer.send(&batch).await?);
        // What is acknowledged already needs no memory.
        while self.under_way.len() > PRODUCER_WINDOW {
            self.settle().await?;
        }
        Ok(())
    }

    async fn finish(mut self) -> Result<(), Failure> {
        while !self.under_way.is_empty() {
            self.settle().await?;
        }
        Ok(())
    }

    async fn settle(&mut self) -> Result<(), Failure> {
        let Some(oldest) = self.under_way.pop_front() else { return Ok(()) };
        let appended = oldest.await?;
        let count = u64::from(appended.count);
        if appended.first > 0 {
            self.total.first.get_or_insert(appended.first);
            self.total.last = appended.first + count - 1;
        }
        self.total.records += count;
        self.total.duplicates += if appended.duplicate { count } else { 0 };
        Ok(())
    }
}
