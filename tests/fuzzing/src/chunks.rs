//! Large bodies that travel in chunks.

use std::collections::BTreeMap;

use mesh_wire::chunk::{Reassembler, needs_chunks, parts};
use mesh_wire::limits;

/// Largest body of the reassembler under test, in bytes.
const MAX_BODY: u64 = 600;

/// Reads `data` as a list of steps, four bytes each, and compares the reassembler with an obvious model.
///
/// A step is `what | series | total or length | fill`: opening, part, or last part.
pub fn target(data: &[u8]) {
    if let Some(&[low, high, more]) = data.first_chunk::<3>() {
        check_parts(usize::from(low) | usize::from(high) << 8 | usize::from(more & 0x1f) << 16);
    }
    let mut reassembler = Reassembler::new(MAX_BODY);
    let mut model: BTreeMap<u8, (u64, Vec<u8>)> = BTreeMap::new();
    for &[what, series, length, fill] in data.as_chunks::<4>().0 {
        let part = vec![fill; usize::from(length)];
        match what % 4 {
            0 | 1 => {
                let total = u64::from(fill) * u64::from(what / 4 % 8);
                let opened = reassembler.handle_opening(series.into(), total, series, &part).is_ok();
                let may = total <= MAX_BODY
                    && !model.contains_key(&series)
                    && model.len() < limits::CHUNK_SERIES
                    && (part.len() as u64) < total;
                assert_eq!(opened, may);
                if may {
                    model.insert(series, (total, part));
                }
            }
            step => {
                let more = step == 2;
                let done = reassembler.handle_part(series.into(), &part, more);
                let Some((total, body)) = model.get_mut(&series) else {
                    assert!(done.is_err(), "a part of no series");
                    continue;
                };
                let got = (body.len() + part.len()) as u64;
                let fits = if more { got <= *total && !part.is_empty() } else { got == *total };
                assert_eq!(done.is_ok(), fits);
                // A link is closed on an error, so nothing is sent into the series any more.
                if !fits {
                    return;
                }
                body.extend_from_slice(&part);
                let whole = done.unwrap_or_default();
                assert_eq!(whole.is_some(), !more);
                if let Some((opening, bytes)) = whole {
                    assert_eq!((opening, &bytes[..]), (series, &body[..]));
                    model.remove(&series);
                }
            }
        }
        assert_eq!(reassembler.open_series(), model.len());
        assert_eq!(reassembler.held_bytes(), model.values().map(|(_, body)| body.len()).sum::<usize>());
    }
}

fn check_parts(total: usize) {
    let mut next = 0;
    for range in parts(total) {
        assert_eq!(range.start, next);
        assert!(range.len() <= limits::CHUNK_BYTES);
        next = range.end;
    }
    assert_eq!(next, total);
    assert_eq!(parts(total).len() > 1, needs_chunks(total));
}

/// Series that end well, interleaved ones, one too many, and one that is too long.
pub fn seeds() -> Vec<Vec<u8>> {
    let steps: [&[[u8; 4]]; 5] = [
        &[[4, 1, 10, 30], [2, 1, 10, 1], [3, 1, 10, 2]],
        &[[4, 1, 10, 30], [8, 2, 10, 10], [2, 1, 10, 1], [3, 2, 10, 9], [3, 1, 10, 2]],
        &[[4, 1, 1, 9], [4, 2, 1, 9], [4, 3, 1, 9], [4, 4, 1, 9], [4, 5, 1, 9]],
        &[[4, 1, 10, 30], [3, 1, 21, 0]],
        &[[28, 1, 255, 85], [2, 1, 255, 0], [3, 1, 85, 0], [28, 1, 1, 86]],
    ];
    steps.iter().map(|steps| steps.as_flattened().to_vec()).collect()
}
