//! Prints a log for people to read: one line for each record.

use std::{
    io::{self, Write},
    path::Path,
    sync::Arc,
};

use super::Error;
use crate::{
    directory::Uuid,
    id::FileId,
    log::{Block, Found, Options, Reader, survey},
    record::EntryKind,
    vfs::Vfs,
    wal::{ALIGN, item::Item},
};

/// Prints all files of the log in a data directory. Nothing is changed.
///
/// # Errors
/// When something can't be read at all, or `out` can't be written.
pub fn dump(vfs: &Arc<dyn Vfs>, dir: &Path, directory: Uuid, out: &mut dyn Write) -> Result<(), Error> {
    let options = Options::new(directory.0);
    for file in survey(vfs, &dir.join("log"), &options)? {
        let opened = file.open(vfs.as_ref())?;
        let mut reader = Reader::new(opened.as_ref(), file.salt)?;
        dump_file(&file, &mut reader, out)?;
    }
    Ok(())
}

fn dump_file(file: &Found, reader: &mut Reader<'_>, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "file {:016x}, {} bytes", file.id.0, file.size)?;
    if file.head.is_none() {
        write!(out, ", damaged head")?;
    }
    if let Some(footer) = &file.footer {
        write!(out, ", blocks {} to {} up to {}", footer.first, footer.last, footer.end)?;
    }
    writeln!(out)?;
    let end = file.end().min(file.size);
    let mut at = ALIGN;
    while at < end {
        if let Some(block) = reader.block(at)? {
            dump_block(file.id, &block, out)?;
            at = block.end();
            continue;
        }
        let next = reader.find(at + ALIGN)?.map(|(next, _)| next).filter(|next| *next < end);
        match next {
            Some(next) => writeln!(out, "  {at:>9} nothing that can be read, {} bytes", next - at)?,
            None if file.footer.is_some() => {
                writeln!(out, "  {at:>9} nothing that can be read, {} bytes", end - at)?;
            }
            None if reader.is_begun(at)? => writeln!(out, "  {at:>9} torn")?,
            None => {}
        }
        at = next.unwrap_or(end);
    }
    Ok(())
}

fn dump_block(file: FileId, block: &Block, out: &mut dyn Write) -> io::Result<()> {
    let header = &block.header;
    write!(out, "  {:>9} block {} mark {} bytes {}", block.at, header.sequence, header.mark, header.len)?;
    if header.before + 1 != header.sequence {
        write!(out, " after {}", header.before)?;
    }
    writeln!(out, "{}", if header.start { " begins the file" } else { "" })?;
    for (item, at, payload) in &block.items {
        write!(out, "            group {} ", item.group())?;
        match item {
            Item::Entry { term, index, kind, len, crc, .. } => {
                let kind = match kind {
                    EntryKind::Commands => "commands",
                    EntryKind::Members => "members",
                };
                write!(
                    out,
                    "entry {index} term {term} {kind} {len} bytes at {:x}:{at} crc {crc:08x}",
                    file.0
                )?;
                if payload.is_none() {
                    write!(out, " DAMAGED")?;
                }
            }
            Item::State { state, .. } => {
                write!(out, "state term {} vote {} commit {}", state.term, state.vote, state.commit)?;
            }
            Item::Cut { index, term, .. } => write!(out, "cut at {index} term {term}")?,
            Item::Removed { .. } => write!(out, "removed")?,
            Item::Standing { last, removed, suspect, .. } => {
                write!(out, "stands at {} term {}", last.0, last.1)?;
                if *removed {
                    write!(out, ", removed")?;
                }
                if *suspect {
                    write!(out, ", suspect")?;
                }
            }
        }
        writeln!(out)?;
    }
    Ok(())
}
