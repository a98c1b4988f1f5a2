//! The one scanner behind subjects and patterns.

use super::SubjectError;
use crate::limits::{SUBJECT_BYTES, SUBJECT_TOKENS};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Grammar {
    Subject,
    Pattern,
}

/// Checks the length before anything else, then every byte once, from left to right.
pub(super) fn scan(bytes: &[u8], grammar: Grammar) -> Result<&str, SubjectError> {
    if bytes.is_empty() {
        return Err(SubjectError::Empty);
    }
    if bytes.len() > SUBJECT_BYTES {
        return Err(SubjectError::TooLong { bytes: bytes.len() });
    }
    let mut start = 0;
    let mut tokens = 1;
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            0..=0x20 | 0x7f => return Err(SubjectError::ForbiddenByte { byte, at }),
            b'.' if at == start => return Err(SubjectError::EmptyToken { at }),
            b'.' => {
                start = at + 1;
                tokens += 1;
                if tokens > SUBJECT_TOKENS {
                    return Err(SubjectError::TooManyTokens);
                }
            }
            b'*' | b'>' => wildcard(bytes, at, start, grammar)?,
            _ => {}
        }
    }
    if start == bytes.len() {
        return Err(SubjectError::EmptyToken { at: start });
    }
    std::str::from_utf8(bytes).map_err(|error| SubjectError::NotUtf8 { at: error.valid_up_to() })
}

fn wildcard(bytes: &[u8], at: usize, start: usize, grammar: Grammar) -> Result<(), SubjectError> {
    let next = bytes.get(at + 1);
    if grammar == Grammar::Subject {
        Err(SubjectError::Wildcard { at })
    } else if at != start || next.is_some_and(|&byte| byte != b'.') {
        Err(SubjectError::PartialWildcard { at })
    } else if bytes[at] == b'>' && next.is_some() {
        Err(SubjectError::TailNotLast { at })
    } else {
        Ok(())
    }
}
