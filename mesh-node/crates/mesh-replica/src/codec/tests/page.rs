//! The page has the kinds, lanes and limits of the code.

use super::*;

const PAGE: &str = include_str!("../../../../../../docs/reference/peer-frames.md");

/// `1048576` as `1,048,576`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[test]
fn kinds_lanes_and_limits_are_on_the_page() {
    for kind in Kind::ALL {
        let row = PAGE.lines().find(|line| line.starts_with(&format!("| `{:#04x}` |", *kind as u8)));
        let Some(max) = body_bytes_max(*kind) else {
            assert_eq!(row, None, "{kind:?}");
            continue;
        };
        let row = row.unwrap_or_else(|| panic!("{kind:?} is not on the page"));
        let name = format!("{kind:?}").to_uppercase();
        for cell in [name, kind.class().as_str().to_owned(), grouped(max)] {
            assert!(row.contains(&format!(" {cell} |")), "{cell} is not in {row}");
        }
    }
    for number in [limits::FRAME_BYTES, PAYLOAD_BYTES_MAX, PULL_BYTES_MAX] {
        assert!(PAGE.contains(&grouped(number)), "{number}");
    }
    assert!(PAGE.contains(&format!("at most {CONTEXT_BYTES_MAX} bytes")));
}
