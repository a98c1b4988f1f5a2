//! The file that is written to.

use std::{
    collections::BTreeMap,
    io::{self, IoSlice},
};

use super::{Sealed, recover::extend_by};
use crate::{
    id::{FileId, GroupId},
    vfs::File,
    wal::{
        ALIGN,
        block::Header,
        footer::{self, Extent, Footer},
        item::Item,
    },
};

const ZEROS: [u8; ALIGN as usize] = [0; ALIGN as usize];

/// The file that is written to.
#[derive(Debug)]
pub(crate) struct Current {
    pub(crate) id: FileId,
    pub(crate) file: Box<dyn File>,
    pub(crate) salt: u64,
    pub(crate) file_bytes: u64,
    /// Where the next block stands.
    pub(crate) offset: u64,
    /// How many blocks there are.
    pub(crate) ordinal: u32,
    /// The sequence of the first block.
    pub(crate) first: u64,
    pub(crate) groups: BTreeMap<GroupId, Extent>,
}

impl Current {
    pub(crate) fn new(id: FileId, file: Box<dyn File>, salt: u64, file_bytes: u64, first: u64) -> Self {
        Self { id, file, salt, file_bytes, offset: ALIGN, ordinal: 0, first, groups: BTreeMap::new() }
    }

    /// Whether a block of so many bytes, with entries of so many more groups at most, leaves room for the footer.
    pub(crate) fn has_room(&self, padded: u64, groups: usize) -> bool {
        let footer = footer::bytes(self.groups.len() + groups);
        self.offset + padded + footer <= self.file_bytes
    }

    pub(crate) fn handle_item(&mut self, item: &Item) {
        extend_by(&mut self.groups, item);
    }

    /// Writes a block whose header and table are `front`, in one call.
    pub(crate) fn write(&mut self, header: &Header, parts: &mut Vec<IoSlice<'_>>) -> io::Result<()> {
        let padding = header.padded() - u64::from(header.len);
        parts.push(IoSlice::new(&ZEROS[..usize::try_from(padding).unwrap_or(0)]));
        self.file.write_at(parts, self.offset)?;
        self.offset += header.padded();
        self.ordinal += 1;
        Ok(())
    }

    /// Writes the footer.
    pub(crate) fn close(&self, last: u64) -> io::Result<()> {
        let footer = Footer {
            groups: self.groups.values().copied().collect(),
            first: self.first,
            last,
            end: self.offset,
        };
        let bytes = footer.encode(self.salt);
        self.file.write_at(&mut [IoSlice::new(&bytes)], self.file_bytes - bytes.len() as u64)
    }

    pub(crate) fn sealed(&self) -> Sealed {
        Sealed {
            file: self.id,
            groups: self.groups.values().map(|extent| (extent.group, extent.last)).collect(),
            bytes: self.groups.values().map(|extent| extent.bytes).sum(),
        }
    }
}
