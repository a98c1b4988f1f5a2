//! One register, as seen by a client of some nodes.

use std::time::Duration;

use anyhow::Context;
use mesh_client::{Appended, BatchBuilder, Client, Code, Error, Producer, Record, Register};
use tokio::time::{Instant, sleep, timeout};

/// How long a client tries to find a node that serves.
const OPEN: Duration = Duration::from_secs(20);
/// How long a read is tried.
const READ: Duration = Duration::from_secs(20);
/// Bytes of a read.
const READ_BYTES: u32 = 256 << 10;

/// What became of an append.
pub(crate) enum Append {
    Done { sequence: u64 },
    Refused,
    Unknown,
}

/// See the module.
pub(crate) struct Access {
    _client: Client,
    register: Register,
    producer: Option<Producer>,
}

impl Access {
    /// A client of `urls`, the `nth` of them first, and the register, which is made if there is none.
    pub(crate) async fn open(urls: &[String], nth: usize, register: &str) -> anyhow::Result<Self> {
        let end = Instant::now() + OPEN;
        loop {
            match Self::try_open(urls, nth, register).await {
                Ok(access) => return Ok(access),
                Err(error) if Instant::now() >= end => return Err(error),
                Err(_) => sleep(Duration::from_millis(100)).await,
            }
        }
    }

    async fn try_open(urls: &[String], nth: usize, register: &str) -> anyhow::Result<Self> {
        let mut builder = Client::builder().name("nemesis");
        for at in 0..urls.len() {
            builder = builder.endpoint(&urls[(nth + at) % urls.len()]);
        }
        let client = timeout(OPEN, builder.connect()).await.context("no node can be reached")??;
        let register = client.register(register).await?;
        Ok(Self { _client: client, register, producer: None })
    }

    /// Appends a record, and goes on trying for so long (the same each time).
    pub(crate) async fn append(&mut self, record: &[u8], patience: Duration) -> Append {
        match self.appended(record, patience).await {
            // Known to be there, and not where.
            Ok(appended) if appended.first == 0 => Append::Unknown,
            Ok(appended) => Append::Done { sequence: appended.first },
            Err(error) if error.code().leaves_outcome_unknown() => Append::Unknown,
            Err(_) => Append::Refused,
        }
    }

    /// The code with which an append is refused, if it is, after trying for so long.
    pub(crate) async fn refusal(&mut self, record: &[u8], patience: Duration) -> Option<Code> {
        self.appended(record, patience).await.err().map(|error| error.code())
    }

    async fn appended(&mut self, record: &[u8], patience: Duration) -> Result<Appended, Error> {
        let producer = match &self.producer {
            Some(producer) => producer.clone(),
            None => self.producer.insert(self.register.producer().timeout(patience).open()?).clone(),
        };
        let mut batch = BatchBuilder::new(Default::default());
        let record = Record { value: Some(record), ..Record::default() };
        batch.push(&record).expect("a small record");
        producer.append(&batch).await
    }

    /// The last record's number, by a read that sees all that was acknowledged; nothing when nobody answers.
    pub(crate) async fn end(&mut self, from: u64) -> Option<u64> {
        let read = timeout(READ, self.register.read(from, 1)).await.ok()?.ok()?;
        Some(read.head() - 1)
    }

    /// All records.
    pub(crate) async fn read_all(&mut self) -> anyhow::Result<Vec<(u64, Vec<u8>)>> {
        let mut records = Vec::new();
        let mut next = 1;
        loop {
            let read = timeout(READ, self.register.read(next, READ_BYTES)).await.context("no answer")??;
            let (at, is_end) = (read.next(), read.is_end());
            records.extend(read.into_records().into_iter().map(|one| (one.sequence, one.value.to_vec())));
            if is_end {
                return Ok(records);
            }
            anyhow::ensure!(at > next, "nothing to read from {next} on, and that is not the end");
            next = at;
        }
    }
}
