//! Appends without a producer: frames as a client of another language would send them.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use mesh_e2e::RawLink;
use mesh_wire::batch::{BatchBuilder, Producer, Record};
use mesh_wire::body;
use mesh_wire::durable::{DeclareV1, DeclaredV1, PutOk, REGISTER, put_ext};
use mesh_wire::frame::{Kind, Parts};

/// How long a register may take to be there.
const OPEN: Duration = Duration::from_secs(10);
/// How long a node may take to answer.
const TIMEOUT_MS: u32 = 5_000;

/// A link with one node, and a register. Its calls block.
pub(crate) struct Bare {
    link: RawLink,
    lane: u64,
    /// The group that keeps it.
    pub(crate) group: u32,
    next: u64,
}

impl Bare {
    /// Connects, and makes the register if there is none.
    pub(crate) fn open(socket: &Path, register: &str) -> anyhow::Result<Self> {
        let mut link = RawLink::greeted(socket, "nemesis-bare");
        let declare = body::encode(&DeclareV1 { sort: REGISTER, name: register.to_owned(), create: true })?;
        let end = Instant::now() + OPEN;
        for id in 1.. {
            link.send(&Parts::bare(Kind::Declare, id).aux(TIMEOUT_MS).body(&declare));
            let answer = link.try_receive().context("the link is closed")?;
            if answer.kind == Kind::Declared {
                let declared: DeclaredV1 = body::decode(&answer.body)?;
                return Ok(Self { link, lane: declared.lane, group: declared.group, next: id + 1 });
            }
            anyhow::ensure!(Instant::now() < end, "{register} can't be declared: {}", answer.cause());
        }
        unreachable!("there are more numbers than time")
    }

    /// Appends a record; where it is, if that was said.
    pub(crate) fn append(&mut self, record: &[u8]) -> anyhow::Result<Option<u64>> {
        let mut batch = BatchBuilder::new(Producer::default());
        batch.push(&Record { value: Some(record), ..Record::default() })?;
        let batch = batch.build()?;
        let id = self.next;
        self.next += 1;
        let ext = put_ext(self.lane);
        self.link.send(&Parts { ext: &ext, ..Parts::bare(Kind::Put, id).aux(TIMEOUT_MS).body(&batch) });
        let answer = self.link.try_receive().context("the link is closed")?;
        if answer.kind != Kind::PutOk {
            return Ok(None);
        }
        Ok(PutOk::decode(&answer.body).ok().map(|kept| kept.first))
    }
}
