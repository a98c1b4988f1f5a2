//! Baggage of OpenTelemetry as the text of the header: W3C Baggage, section 3.

use std::fmt::Write;

use opentelemetry::baggage::{Baggage, KeyValueMetadata};

/// The header's text, `None` when there is nothing to write.
pub(super) fn encode(baggage: &Baggage) -> Option<String> {
    let mut text = String::new();
    for (key, (value, metadata)) in baggage {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(key.as_str());
        text.push('=');
        percent_encode(value.as_str(), &mut text);
        if !metadata.as_str().is_empty() {
            text.push(';');
            text.push_str(metadata.as_str());
        }
    }
    (!text.is_empty()).then_some(text)
}

/// What the header's text says. The text obeys the rules: [`crate::trace_context::TraceContext`] has checked it.
pub(super) fn decode(text: &str) -> Baggage {
    text.split(',')
        .filter_map(|member| {
            let (pair, metadata) = member.split_once(';').unwrap_or((member, ""));
            let (key, value) = pair.split_once('=')?;
            let value = percent_decode(value.trim())?;
            Some(KeyValueMetadata::new(key.trim().to_owned(), value, metadata.trim()))
        })
        .collect()
}

fn percent_encode(value: &str, text: &mut String) {
    for byte in value.bytes() {
        match byte {
            0x21 | 0x23 | 0x24 | 0x26..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e => {
                text.push(byte.into())
            }
            // Writing into a String does not fail.
            _ => write!(text, "%{byte:02X}").unwrap_or_default(),
        }
    }
}

/// `None` for what is no text once decoded. A percent sign without two digits behind it stands for itself.
fn percent_decode(value: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, tail @ ..] = rest {
        match (first, tail) {
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                decoded.push(digit(*high) << 4 | digit(*low));
                rest = after;
            }
            _ => {
                decoded.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(decoded).ok()
}

fn digit(hex: u8) -> u8 {
    match hex {
        b'0'..=b'9' => hex - b'0',
        b'a'..=b'f' => hex - b'a' + 10,
        _ => hex - b'A' + 10,
    }
}
