//! Subjects and patterns, and whether they match.

use mesh_wire::limits;
use mesh_wire::subject::{Pattern, Subject, tokens};

/// Reads `data` as a subject and as a pattern; a line break in it separates a pattern from a subject to match.
pub fn target(data: &[u8]) {
    check_grammar(data);
    if let Some(at) = data.iter().position(|byte| *byte == b'\n') {
        let (pattern, subject) = (&data[..at], &data[at + 1..]);
        check_grammar(pattern);
        check_grammar(subject);
        check_match(pattern, subject);
    }
}

fn check_grammar(bytes: &[u8]) {
    let subject = Subject::check(bytes);
    let pattern = Pattern::check(bytes);
    assert_eq!(subject.is_ok(), is_subject(bytes), "{subject:?}");
    assert_eq!(pattern.is_ok(), is_pattern(bytes), "{pattern:?}");
    if let Ok(text) = subject {
        assert_eq!(text.as_bytes(), bytes);
        assert_eq!(pattern, Ok(text), "a subject is a pattern");
        assert!(tokens(text).eq(text.split('.')));
        let reserved = text == "$mesh" || text.starts_with(limits::RESERVED_PREFIX);
        assert_eq!(Subject::check_unreserved(bytes).is_err(), reserved);
        assert_eq!(Pattern::check_unreserved(bytes).is_err(), reserved);
    }
    for error in [subject.err(), pattern.err()].into_iter().flatten() {
        assert!(!error.code().hint().is_empty());
    }
}

fn check_match(pattern: &[u8], subject: &[u8]) {
    let (Ok(pattern), Ok(subject)) = (Pattern::check(pattern), Subject::check(subject)) else { return };
    let wanted: Vec<&str> = pattern.split('.').collect();
    let given: Vec<&str> = subject.split('.').collect();
    let owned = Pattern::new(pattern).expect("it was checked");
    assert_eq!(owned.matches(subject), matches(&wanted, &given), "{pattern} {subject}");
    assert!(owned.is_wildcard() || owned.matches(subject) == (pattern == subject));
}

fn matches(wanted: &[&str], given: &[&str]) -> bool {
    match (wanted, given) {
        ([], []) => true,
        ([">"], [_, ..]) => true,
        (["*", wanted @ ..], [_, given @ ..]) => matches(wanted, given),
        ([literal, wanted @ ..], [token, given @ ..]) => literal == token && matches(wanted, given),
        _ => false,
    }
}

/// The rules of the reference, one after the other.
fn well_formed(bytes: &[u8]) -> Option<Vec<&str>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let tokens: Vec<&str> = text.split('.').collect();
    let sizes = text.len() <= limits::SUBJECT_BYTES && tokens.len() <= limits::SUBJECT_TOKENS;
    let characters = bytes.iter().all(|byte| *byte > 0x20 && *byte != 0x7f);
    (sizes && characters && tokens.iter().all(|token| !token.is_empty())).then_some(tokens)
}

fn is_subject(bytes: &[u8]) -> bool {
    well_formed(bytes).is_some_and(|tokens| tokens.iter().all(|token| !token.contains(['*', '>'])))
}

fn is_pattern(bytes: &[u8]) -> bool {
    let Some(tokens) = well_formed(bytes) else { return false };
    tokens.iter().enumerate().all(|(at, token)| match *token {
        "*" => true,
        ">" => at + 1 == tokens.len(),
        token => !token.contains(['*', '>']),
    })
}

/// Good and bad ones, at the limits, and pairs to match.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = [
        "orders.eu.created",
        "orders.*.created",
        "orders.>",
        ">",
        "*",
        "$mesh.node.info",
        "$mesh",
        "größe.€",
        "a..b",
        ".a",
        "a.",
        "a b",
        "a*.b",
        ">.a",
        "orders.*.created\norders.eu.created",
        "orders.>\norders.eu.created",
        "*.*\na.b",
        "a.b.>\na.b",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect();
    seeds.push(vec![b'a'; limits::SUBJECT_BYTES]);
    seeds.push(vec!["a"; limits::SUBJECT_TOKENS].join(".").into_bytes());
    seeds.push(vec!["a"; limits::SUBJECT_TOKENS + 1].join(".").into_bytes());
    seeds
}
