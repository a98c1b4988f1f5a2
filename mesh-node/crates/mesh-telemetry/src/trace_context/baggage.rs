//! Rules of `baggage`: W3C Baggage, section 3.

use super::{BAGGAGE_BYTES, BAGGAGE_ENTRIES, Error};

/// Whether `text` obeys the rules.
pub(super) fn check(text: &str) -> Result<(), Error> {
    let entries = text.split(',').take(BAGGAGE_ENTRIES + 1).count();
    let sound = text.is_empty() || text.split(',').all(is_member);
    if text.len() > BAGGAGE_BYTES || entries > BAGGAGE_ENTRIES || !sound {
        Err(Error::Baggage)
    } else {
        Ok(())
    }
}

/// `key=value`, then properties behind semicolons: a key alone or `key=value`.
fn is_member(member: &str) -> bool {
    let mut parts = member.split(';');
    let named = parts.next().is_some_and(is_pair);
    named && parts.all(|property| is_pair(property) || is_token(trim(property)))
}

fn is_pair(text: &str) -> bool {
    text.split_once('=').is_some_and(|(key, value)| is_token(trim(key)) && trim(value).bytes().all(is_octet))
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Anything printable but quotes, comma, semicolon and backslash; other bytes are percent-encoded.
fn is_octet(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e)
}
