//! The extension area of a frame.

use mesh_wire::ext::{Ext, ExtBuilder, Tag};
use mesh_wire::limits;

/// Reads `data` as an extension area.
pub fn target(data: &[u8]) {
    let from_client = Ext::parse_from_client(data);
    let ext = match Ext::parse(data) {
        Ok(ext) => ext,
        Err(error) => {
            assert!(from_client.is_err(), "a client may do no more than a node");
            assert!(!error.code().hint().is_empty());
            return;
        }
    };
    assert_eq!(ext.as_bytes(), data);
    let entries: Vec<(Tag, &[u8])> = ext.iter().collect();
    assert_eq!(entries.iter().map(|(_, value)| 2 + value.len()).sum::<usize>(), data.len());
    let node_only = [Tag::IDENTITY, Tag::ORIGIN, Tag::GROUP, Tag::MEMBER, Tag::LOAD];
    assert_eq!(from_client.is_ok(), entries.iter().all(|(tag, _)| !node_only.contains(tag)));
    for (tag, value) in &entries {
        assert_eq!(ext.get(*tag), Some(*value), "a tag appears once");
    }
    let chunk = ext.chunk().map(|(series, total)| [&series.to_le_bytes()[..], &total.to_le_bytes()].concat());
    assert_eq!(chunk.as_deref(), ext.get(Tag::CHUNK));
    for tag in [Tag::REPLY_CREDIT, Tag::MAX_REPLIES, Tag::LOAD] {
        assert_eq!(ext.get_u32(tag).map(u32::to_le_bytes).as_ref().map(|bytes| &bytes[..]), ext.get(tag));
    }
    assert!(ext.get(Tag::ENCODING).is_none_or(|value| value.len() == 1));
    assert!(ext.get(Tag::MESSAGE_ID).is_none_or(|id| id.len() <= limits::MESSAGE_ID_BYTES));
    assert!(ext.get(Tag::KEY).is_none_or(|key| key.len() <= limits::KEY_BYTES));
    assert_eq!(ext.encoding(), ext.get(Tag::ENCODING).map_or(0, |value| value[0]));
    if data.len() <= limits::EXT_BYTES {
        let mut again = ExtBuilder::new();
        for (tag, value) in entries {
            again.push(tag, value).expect("what was read can be written");
        }
        assert_eq!(again.as_bytes(), data);
    }
}

/// Every known tag, and an unknown one.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut all = ExtBuilder::new();
    all.push_chunk(7, 1 << 20)
        .and_then(|ext| ext.push(Tag::ENCODING, &[1]))
        .and_then(|ext| ext.push(Tag::KEY, b"key"))
        .and_then(|ext| ext.push(Tag::MESSAGE_ID, b"id"))
        .and_then(|ext| ext.push_u32(Tag::REPLY_CREDIT, 16))
        .and_then(|ext| ext.push_u32(Tag::MAX_REPLIES, 3))
        .and_then(|ext| ext.push(Tag(200), b"later"))
        .expect("a seed is valid");
    let client = all.as_bytes().to_vec();
    all.push(Tag::IDENTITY, b"unix:uid=1")
        .and_then(|ext| ext.push(Tag::ORIGIN, &[0; 24]))
        .and_then(|ext| ext.push(Tag::GROUP, b"g"))
        .and_then(|ext| ext.push(Tag::MEMBER, b"m"))
        .and_then(|ext| ext.push_u32(Tag::LOAD, 4))
        .expect("a seed is valid");
    vec![client, all.as_bytes().to_vec(), Vec::new()]
}
