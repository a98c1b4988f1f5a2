//! Goes from block to block and from file to file.

use std::collections::BTreeMap;

use super::{FileReport, Part, Tail, extend_by, unproven::Unproven};
use crate::{
    bug::Bug,
    id::{FileId, GroupId},
    log::{
        Damage, DamageKind, OpenError, Options,
        replay::Replay,
        scan::{Block, Reader},
        survey::Found,
    },
    vfs::Vfs,
    wal::{
        ALIGN,
        block::Header,
        footer::{Extent, Footer},
    },
};

/// What comes after a block.
enum Next {
    /// Go on there.
    At(u64),
    /// With the next file.
    File,
    /// Nothing that counts is behind it.
    End,
}

/// Goes through the files of a log.
pub(super) struct Walk<'a> {
    pub(super) vfs: &'a dyn Vfs,
    pub(super) options: &'a Options,
    pub(super) files: &'a [Found],
    pub(super) covered: Option<(Replay, FileId)>,
    pub(super) replay: Replay,
    pub(super) accepted: Option<u64>,
    pub(super) top: u64,
    pub(super) max_mark: Option<u64>,
    pub(super) damage: Vec<Damage>,
    /// How much of that a later file has answered by saying where groups stand.
    pub(super) answered: usize,
    pub(super) reports: Vec<FileReport>,
    pub(super) tail: Option<Tail>,
    pub(super) unclosed: Vec<(FileId, Footer)>,
    pub(super) torn_bytes: u64,
    pub(super) unproven: Unproven,
}

impl<'a> Walk<'a> {
    pub(super) fn new(vfs: &'a dyn Vfs, options: &'a Options, files: &'a [Found]) -> Self {
        Self {
            vfs,
            options,
            files,
            covered: None,
            replay: Replay::default(),
            accepted: None,
            top: 0,
            max_mark: None,
            damage: Vec::new(),
            answered: 0,
            reports: Vec::new(),
            tail: None,
            unclosed: Vec::new(),
            torn_bytes: 0,
            unproven: Unproven::default(),
        }
    }

    pub(super) fn all(&mut self) -> Result<(), OpenError> {
        let mut ended = false;
        for (at, file) in self.files.iter().enumerate() {
            let empty = FileReport {
                file: file.id,
                bytes: file.size,
                part: Part::Empty,
                blocks: 0,
                groups: Vec::new(),
            };
            let is_cut = file.start.as_ref().is_some_and(|(header, _)| header.sequence > file.limit);
            if ended || !file.used || is_cut {
                if file.used {
                    self.skim(file)?;
                }
                self.reports.push(empty);
            } else if let Some(report) = self.passed(file) {
                self.reports.push(report);
            } else {
                ended = self.file(at, file)?;
            }
        }
        Ok(())
    }

    /// A file of which nothing counts.
    fn skim(&mut self, file: &Found) -> Result<(), OpenError> {
        let opened = file.open(self.vfs)?;
        let mut reader = Reader::new(opened.as_ref(), file.salt).map_err(OpenError::io(&file.path))?;
        self.tail = None;
        self.skim_from(file, &mut reader, ALIGN, Vec::new(), 0)
    }

    /// Notes the sequences of blocks that do not count, since they must not be used again.
    fn skim_from(
        &mut self,
        file: &Found,
        reader: &mut Reader<'_>,
        end: u64,
        groups: Vec<Extent>,
        first: u64,
    ) -> Result<(), OpenError> {
        let mut at = end;
        while let Some((found, header)) = reader.find(at).map_err(OpenError::io(&file.path))? {
            self.top = self.top.max(header.sequence);
            self.torn_bytes += header.padded();
            at = found + header.padded();
        }
        let is_damaged = self.damage.iter().any(|damage| damage.file == file.id);
        if at > end && file.end() != end && !is_damaged && !file.is_short() {
            let last = self.accepted.unwrap_or(0);
            self.unclosed.push((file.id, Footer { groups, first, last, end }));
        }
        Ok(())
    }

    /// What its footer says of a file that nobody needs.
    fn passed(&mut self, file: &Found) -> Option<FileReport> {
        let ((covered, before), footer) = (self.covered.as_ref()?, file.footer.as_ref()?);
        let passed = file.id < *before
            && footer.last <= file.limit
            && footer.groups.iter().all(|extent| extent.last <= covered.covered(extent.group));
        passed.then(|| {
            self.accepted = self.accepted.max(Some(footer.last));
            self.top = self.top.max(footer.last);
            FileReport {
                file: file.id,
                bytes: file.size,
                part: Part::Passed,
                blocks: 0,
                groups: footer.groups.clone(),
            }
        })
    }

    /// Reads a file; whether the log ends in it.
    fn file(&mut self, at: usize, file: &Found) -> Result<bool, OpenError> {
        let opened = file.open(self.vfs)?;
        let mut reader = Reader::new(opened.as_ref(), file.salt).map_err(OpenError::io(&file.path))?;
        let mut tail = Tail { id: file.id, offset: ALIGN, ordinal: 0, first: 0, groups: BTreeMap::new() };
        let mut blocks = 0;
        let ended = loop {
            match self.step(at, file, &mut reader, tail.offset)? {
                (Some(block), next) => {
                    if blocks == 0 {
                        tail.first = block.header.sequence - u64::from(block.header.ordinal);
                    }
                    blocks += 1;
                    tail.ordinal = block.header.ordinal + 1;
                    extend(&mut tail.groups, &block);
                    match next {
                        Next::At(next) => tail.offset = next,
                        Next::File => break false,
                        Next::End => break true,
                    }
                }
                (None, Next::At(next)) => tail.offset = next,
                (None, Next::File) => break false,
                (None, Next::End) => break true,
            }
        };
        if file.is_short() && file.limit == u64::MAX {
            self.damaged(
                file.id,
                file.size,
                file.head.map_or(0, |head| head.file_bytes - file.size),
                DamageKind::Short,
            );
        }
        self.reports.push(FileReport {
            file: file.id,
            bytes: file.size,
            part: Part::Read,
            blocks,
            groups: tail.groups.values().copied().collect(),
        });
        let leftover = reader.find(tail.offset).map_err(OpenError::io(&file.path))?.is_some();
        if leftover {
            let groups = tail.groups.values().copied().collect();
            self.skim_from(file, &mut reader, tail.offset, groups, tail.first)?;
        }
        let goes_on = !leftover && file.limit == u64::MAX && !file.is_short() && file.footer.is_none();
        self.tail = goes_on.then_some(tail);
        Ok(ended)
    }

    /// Takes in the block at a place, if one counts.
    fn step(
        &mut self,
        index: usize,
        file: &Found,
        reader: &mut Reader<'_>,
        at: u64,
    ) -> Result<(Option<Block>, Next), OpenError> {
        let failed = || OpenError::io(&file.path);
        if self.accepted == Some(file.limit) || file.end() == at {
            return Ok((None, Next::File));
        }
        let block = reader.block(at).map_err(failed())?;
        let Some(block) = block.filter(|block| self.accepted.is_none_or(|last| block.header.before >= last))
        else {
            return self.bad(index, file, reader, at).map(|next| (None, next));
        };
        let header = block.header;
        if header.sequence > file.limit {
            return Ok((None, Next::File));
        }
        if let Some(last) = self.accepted
            && header.before > last
        {
            if !self.is_proven(index, last + 1)? {
                return Ok((None, Next::End));
            }
            // Nothing is where it was: the end of the file before, or whole files.
            let before = index.checked_sub(1).and_then(|before| self.files.get(before));
            let (file, offset, what) = match before {
                Some(before) if before.id.0 + 1 == file.id.0 => (before.id, before.size, DamageKind::Block),
                _ => (FileId(file.id.0.saturating_sub(1)), 0, DamageKind::Missing),
            };
            self.damaged(file, offset, 0, what);
        } else if self.accepted.is_none() && header.ordinal > 0 {
            return self.bad(index, file, reader, at).map(|next| (None, next));
        }
        if block.is_damaged() {
            if !self.is_proven(index, header.sequence)? {
                return Ok((None, Next::End));
            }
            for (item, at, payload) in &block.items {
                if payload.is_none() {
                    let (groups, len) = (Some(vec![item.group()]), item.payload_len() as u64);
                    self.damage.push(Damage {
                        file: file.id,
                        offset: *at,
                        len,
                        what: DamageKind::Payload,
                        groups,
                    });
                }
            }
        }
        self.take(file, &block);
        let next = Next::At(block.end());
        Ok((Some(block), next))
    }

    fn take(&mut self, file: &Found, block: &Block) {
        if block.header.start {
            self.replay.handle_start(file.id, block.items.iter().map(|(item, ..)| item));
            self.answered = self.damage.len();
        } else {
            for (item, at, payload) in &block.items {
                self.replay.handle_item(file.id, item, *at, payload.as_ref());
            }
        }
        self.unproven.handle_block(file.id, block.at, &block.header);
        self.accepted = Some(block.header.sequence);
        self.top = self.top.max(block.header.sequence);
    }

    /// There is no block where one would be: the end, or damage.
    fn bad(
        &mut self,
        index: usize,
        file: &Found,
        reader: &mut Reader<'_>,
        at: u64,
    ) -> Result<Next, OpenError> {
        let failed = || OpenError::io(&file.path);
        let mut from = at + if self.accepted.is_none() && at == ALIGN { 0 } else { ALIGN };
        let found = loop {
            match reader.find(from).map_err(failed())? {
                Some((found, header)) if self.accepted.is_some_and(|last| header.before < last) => {
                    // Older than what was read: no successor of that.
                    from = found + ALIGN;
                }
                found => {
                    let counts =
                        |(at, header): &(u64, Header)| *at < file.end() && header.sequence <= file.limit;
                    break found.filter(counts);
                }
            }
        };
        let Some((found, header)) = found else {
            // Whether this is the end of the log is said by the next file, if there is one.
            if reader.is_begun(at).map_err(failed())? {
                self.torn_bytes += ALIGN;
            }
            return Ok(Next::File);
        };
        let first_bad = self.accepted.map_or(header.sequence - u64::from(header.ordinal), |last| last + 1);
        if !self.is_proven(index, first_bad)? {
            return Ok(Next::End);
        }
        self.damaged(file.id, at, found - at, DamageKind::Block);
        self.accepted = Some(header.before);
        Ok(Next::At(found))
    }

    pub(super) fn damaged(&mut self, file: FileId, offset: u64, len: u64, what: DamageKind) {
        self.damage.push(Damage { file, offset, len, what, groups: None });
        self.replay.handle_damage();
    }

    /// Whether a block was known to be durable when a later one was written.
    fn is_proven(&mut self, index: usize, sequence: u64) -> Result<bool, OpenError> {
        if self.options.bugs.has(Bug::TruncateOnDamage) {
            return Ok(false);
        }
        if self.max_mark.is_none() {
            self.max_mark = Some(self.find_max_mark(index)?);
        }
        Ok(self.max_mark.is_some_and(|mark| mark >= sequence))
    }

    /// The highest mark of this file and all later ones. Blocks before a place have only lower ones than its sequence,
    /// so that it is looked for once, whatever is damaged.
    fn find_max_mark(&self, index: usize) -> Result<u64, OpenError> {
        let mut max = 0;
        for file in self.files.iter().skip(index).filter(|file| file.used) {
            let opened = file.open(self.vfs)?;
            let failed = || OpenError::io(&file.path);
            let mut reader = Reader::new(opened.as_ref(), file.salt).map_err(failed())?;
            let mut at = ALIGN;
            while let Some((found, header)) = reader.find(at).map_err(failed())? {
                if found < file.end() && header.sequence <= file.limit {
                    max = max.max(header.mark);
                }
                at = found + header.padded();
            }
        }
        Ok(max)
    }
}

/// Takes the entries of a block into what a file holds.
fn extend(groups: &mut BTreeMap<GroupId, Extent>, block: &Block) {
    for (item, ..) in &block.items {
        extend_by(groups, item);
    }
}
