//! Messages that wait for credit or room, in order.

use std::collections::VecDeque;

use bytes::{Buf, Bytes};
use mesh_wire::frame::HEADER_BYTES;

use super::PendingLimit;
use crate::large::Large;

/// Messages that came together.
#[derive(Debug)]
pub(super) enum Run {
    /// Whole frames, back to back.
    Frames { bytes: Bytes, messages: u32 },
    /// One message that goes out in chunks.
    Large(Box<Large>),
}

impl Run {
    pub(super) fn frames(bytes: Bytes, messages: u32) -> Self {
        Self::Frames { bytes, messages }
    }

    pub(super) fn large(large: Large) -> Self {
        Self::Large(Box::new(large))
    }

    fn messages(&self) -> u32 {
        match self {
            Self::Frames { messages, .. } => *messages,
            Self::Large(_) => 1,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Frames { bytes, .. } => bytes.len(),
            Self::Large(large) => large.len() + HEADER_BYTES,
        }
    }
}

/// The length of the first frame. The frames were encoded by this node, so it is there and within the buffer.
fn first_frame_len(frames: &Bytes) -> usize {
    let len = frames.first_chunk().map_or(frames.len(), |b| u32::from_le_bytes(*b) as usize);
    len.clamp(1, frames.len().max(1))
}

/// A queue with its sums.
#[derive(Debug, Default)]
pub(super) struct Ring {
    runs: VecDeque<Run>,
    messages: u32,
    bytes: usize,
}

impl Ring {
    pub(super) fn messages(&self) -> u32 {
        self.messages
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    pub(super) fn fits(&self, limit: PendingLimit) -> bool {
        self.messages <= limit.messages && self.bytes <= limit.bytes as usize
    }

    pub(super) fn push(&mut self, run: Run) {
        self.messages += run.messages();
        self.bytes += run.bytes();
        self.runs.push_back(run);
    }

    /// The oldest messages, at most `max`, as far as they lie together.
    pub(super) fn pop(&mut self, max: u32) -> Option<Run> {
        if max == 0 {
            return None;
        }
        let run = self.runs.pop_front()?;
        let run = match run {
            Run::Frames { mut bytes, messages } if messages > max => {
                let end = (0..max).fold(0, |at, _| at + first_frame_len(&bytes.slice(at..)));
                let taken = bytes.split_to(end);
                self.runs.push_front(Run::Frames { bytes, messages: messages - max });
                Run::Frames { bytes: taken, messages: max }
            }
            whole => whole,
        };
        self.messages -= run.messages();
        self.bytes -= run.bytes();
        Some(run)
    }

    /// Drops from the front until the limit holds; how many went.
    pub(super) fn drop_oldest_to(&mut self, limit: PendingLimit) -> u32 {
        let before = self.messages;
        while !self.fits(limit) {
            match self.runs.front_mut() {
                Some(Run::Frames { bytes, messages }) if *messages > 1 => {
                    let len = first_frame_len(bytes);
                    bytes.advance(len);
                    *messages -= 1;
                    self.messages -= 1;
                    self.bytes -= len;
                }
                Some(run) => {
                    self.messages -= run.messages();
                    self.bytes -= run.bytes();
                    self.runs.pop_front();
                }
                None => break,
            }
        }
        before - self.messages
    }

    /// Drops from the back until the limit holds; how many went.
    pub(super) fn drop_newest_to(&mut self, limit: PendingLimit) -> u32 {
        let before = self.messages;
        while !self.fits(limit) {
            let Some(run) = self.runs.pop_back() else { break };
            self.messages -= run.messages();
            self.bytes -= run.bytes();
            if let Run::Frames { bytes, messages } = run {
                self.keep_front_of(&bytes, messages, limit);
            }
        }
        before - self.messages
    }

    /// Puts back as many of a run's first messages as fit.
    fn keep_front_of(&mut self, bytes: &Bytes, messages: u32, limit: PendingLimit) {
        let (mut end, mut kept) = (0, 0);
        while kept < messages && self.messages + kept < limit.messages {
            let next = end + first_frame_len(&bytes.slice(end..));
            if self.bytes + next > limit.bytes as usize {
                break;
            }
            (end, kept) = (next, kept + 1);
        }
        if kept > 0 {
            self.push(Run::Frames { bytes: bytes.slice(..end), messages: kept });
        }
    }
}
