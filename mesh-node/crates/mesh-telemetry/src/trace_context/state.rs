//! Rules of `tracestate`: W3C Trace Context, section 3.3.

use super::{Error, TRACESTATE_BYTES, TRACESTATE_ENTRIES};

const KEY_BYTES: usize = 256;
const TENANT_BYTES: usize = 241;
const VENDOR_BYTES: usize = 14;
const VALUE_BYTES: usize = 256;

/// Whether `text` obeys the rules. Empty entries are allowed; a key must not come twice.
pub(super) fn check(text: &str) -> Result<(), Error> {
    if text.len() > TRACESTATE_BYTES {
        return Err(Error::TraceState);
    }
    let entries =
        text.split(',').map(|entry| entry.trim_matches([' ', '\t'])).filter(|entry| !entry.is_empty());
    let mut keys = [""; TRACESTATE_ENTRIES];
    for (count, entry) in entries.enumerate() {
        let (key, value) = entry.split_once('=').ok_or(Error::TraceState)?;
        let fits = count < TRACESTATE_ENTRIES && is_key(key) && is_value(value);
        if !fits || keys[..count].contains(&key) {
            return Err(Error::TraceState);
        }
        keys[count] = key;
    }
    Ok(())
}

/// `simple-key`, or `tenant@vendor`.
fn is_key(key: &str) -> bool {
    match key.split_once('@') {
        None => key.len() <= KEY_BYTES && starts_with_letter(key) && key.bytes().all(is_key_byte),
        Some((tenant, vendor)) => {
            let starts =
                tenant.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit());
            let bounded = tenant.len() <= TENANT_BYTES && vendor.len() <= VENDOR_BYTES;
            bounded
                && starts
                && starts_with_letter(vendor)
                && tenant.bytes().chain(vendor.bytes()).all(is_key_byte)
        }
    }
}

fn starts_with_letter(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
}

fn is_key_byte(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/')
}

fn is_value(value: &str) -> bool {
    (1..=VALUE_BYTES).contains(&value.len())
        && value.bytes().all(|byte| matches!(byte, 0x20..=0x7e) && !matches!(byte, b',' | b'='))
}
