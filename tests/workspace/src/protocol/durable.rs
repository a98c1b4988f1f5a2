//! Examples of records that are kept.

use mesh_wire::batch::{BatchBuilder, Producer, Record};
use mesh_wire::durable::{Fetch, PutOk, put_ext};
use mesh_wire::frame::{Kind, Parts};

use super::{Dump, Example};

pub(super) fn examples() -> Vec<Example> {
    vec![
        Example { name: "put", text: put() },
        Example { name: "put-ok", text: put_ok() },
        Example { name: "fetch", text: fetch() },
    ]
}

fn put() -> String {
    let mut batch = BatchBuilder::new(Producer { id: 5, epoch: 0, base_sequence: 0 });
    batch.push(&Record { value: Some(b"paid"), ..Record::default() }).expect("a small record");
    let batch = batch.build().expect("a small batch");
    let ext = put_ext(7);
    let frame = Parts { ext: &ext, ..Parts::bare(Kind::Put, 1).aux(5000).body(&batch) };
    Dump::new()
        .head(&frame, "timeout 5000 ms", "put 1")
        .part([12, 8, 7, 0, 0, 0, 0, 0, 0, 0], "ext: tag 12 LANE, 8 bytes: 7")
        .part(&batch[..72], "the batch: its header")
        .part(&batch[72..116], "the index entry of its one record")
        .part(b"paid", "the value")
        .checked(&[], &[frame])
}

fn put_ok() -> String {
    let body = PutOk { lane: 7, first: 41, count: 1, duplicate: false }.encode();
    let frame = Parts::bare(Kind::PutOk, 1).body(&body);
    Dump::new()
        .head(&frame, "0", "put 1")
        .part([7, 0, 0, 0, 0, 0, 0, 0], "lane 7")
        .part([41, 0, 0, 0, 0, 0, 0, 0], "the first record is number 41")
        .part([1, 0, 0, 0], "1 record")
        .part([0], "it was not there before")
        .checked(&[], &[frame])
}

fn fetch() -> String {
    let body = Fetch { lane: 7, from: 41, max_bytes: 65_536, linearizable: true }.encode();
    let frame = Parts::bare(Kind::Fetch, 2).aux(5000).body(&body);
    Dump::new()
        .head(&frame, "timeout 5000 ms", "request 2")
        .part([7, 0, 0, 0, 0, 0, 0, 0], "lane 7")
        .part([41, 0, 0, 0, 0, 0, 0, 0], "from record 41 on")
        .part([0, 0, 1, 0], "65536 bytes")
        .part([1], "linearizable")
        .checked(&[], &[frame])
}
