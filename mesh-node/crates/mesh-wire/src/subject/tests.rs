use proptest::prelude::*;

use super::*;
use crate::code::Code;
use crate::limits::{SUBJECT_BYTES, SUBJECT_TOKENS};

fn subject_error(text: &str) -> Option<SubjectError> {
    Subject::check(text.as_bytes()).err()
}

fn pattern_error(text: &str) -> Option<SubjectError> {
    Pattern::check(text.as_bytes()).err()
}

#[test]
fn bytes_at_the_limit() {
    let longest = "s".repeat(SUBJECT_BYTES);
    assert_eq!(subject_error(&longest), None);
    assert_eq!(pattern_error(&longest), None);
    let over = "s".repeat(SUBJECT_BYTES + 1);
    assert_eq!(subject_error(&over), Some(SubjectError::TooLong { bytes: 257 }));
    assert_eq!(pattern_error(&over), Some(SubjectError::TooLong { bytes: 257 }));
    assert_eq!(subject_error(""), Some(SubjectError::Empty));
    assert_eq!(pattern_error(""), Some(SubjectError::Empty));
    assert_eq!(subject_error("s"), None);
}

#[test]
fn tokens_at_the_limit() {
    let most = vec!["t"; SUBJECT_TOKENS].join(".");
    assert_eq!(subject_error(&most), None);
    assert_eq!(Subject::new(most.as_str()).unwrap().tokens().count(), SUBJECT_TOKENS);
    let over = vec!["t"; SUBJECT_TOKENS + 1].join(".");
    assert_eq!(subject_error(&over), Some(SubjectError::TooManyTokens));
    let wild = vec!["*"; SUBJECT_TOKENS].join(".");
    assert_eq!(pattern_error(&wild), None);
    let over = vec!["*"; SUBJECT_TOKENS + 1].join(".");
    assert_eq!(pattern_error(&over), Some(SubjectError::TooManyTokens));
}

#[test]
fn empty_tokens() {
    for (text, at) in [(".", 0), (".a", 0), ("a.", 2), ("a..b", 2), ("..", 0), ("a.b..", 4)] {
        assert_eq!(subject_error(text), Some(SubjectError::EmptyToken { at }), "{text}");
        assert_eq!(pattern_error(text), Some(SubjectError::EmptyToken { at }), "{text}");
    }
}

#[test]
fn every_byte() {
    for byte in 0..=255u8 {
        let bytes = [b'a', byte, b'b'];
        let expected = match byte {
            0..=0x20 | 0x7f => Some(SubjectError::ForbiddenByte { byte, at: 1 }),
            b'*' | b'>' => Some(SubjectError::Wildcard { at: 1 }),
            0x80.. => Some(SubjectError::NotUtf8 { at: 1 }),
            _ => None,
        };
        assert_eq!(Subject::check(&bytes).err(), expected, "byte {byte:#x}");
    }
    assert_eq!(subject_error("größe.日本"), None);
}

#[test]
fn wildcards_only_as_whole_tokens_of_patterns() {
    for text in ["*", ">", "a.*", "a.>", "*.*", "*.>", "a.*.c"] {
        assert_eq!(pattern_error(text), None, "{text}");
        assert!(matches!(subject_error(text), Some(SubjectError::Wildcard { .. })), "{text}");
        assert!(Pattern::new(text).unwrap().is_wildcard(), "{text}");
    }
    for (text, at) in [("a*", 1), ("*a", 0), ("a.b*.c", 3), ("**", 0), ("a>", 1), (">a", 0), ("*>", 0)] {
        assert_eq!(pattern_error(text), Some(SubjectError::PartialWildcard { at }), "{text}");
    }
    for (text, at) in [(">.a", 0), ("a.>.b", 2), (">.>", 0)] {
        assert_eq!(pattern_error(text), Some(SubjectError::TailNotLast { at }), "{text}");
    }
    assert!(!Pattern::new("a.b").unwrap().is_wildcard());
}

#[test]
fn reserved_is_the_first_token() {
    for text in ["$mesh", "$mesh.node.info", "$mesh.x"] {
        assert_eq!(subject_error(text), None);
        assert!(Subject::new(text).unwrap().is_reserved(), "{text}");
        assert_eq!(Subject::check_unreserved(text.as_bytes()), Err(SubjectError::Reserved), "{text}");
        assert_eq!(Pattern::check_unreserved(text.as_bytes()), Err(SubjectError::Reserved), "{text}");
    }
    assert_eq!(Pattern::check_unreserved(b"$mesh.>"), Err(SubjectError::Reserved));
    for text in ["$mes", "$meshx", "$meshx.a", "mesh.a", "a.$mesh.b", "$Mesh.a"] {
        assert!(!is_reserved(text), "{text}");
        assert_eq!(Subject::check_unreserved(text.as_bytes()), Ok(text));
    }
    assert_eq!(Subject::check_unreserved(b"$mesh."), Err(SubjectError::EmptyToken { at: 6 }));
}

#[test]
fn matching() {
    let cases = [
        ("a", "a", true),
        ("a", "b", false),
        ("a", "a.b", false),
        ("a.b", "a", false),
        ("*", "a", true),
        ("*", "a.b", false),
        ("a.*", "a.b", true),
        ("a.*", "a", false),
        ("a.*.c", "a.b.c", true),
        ("a.*.c", "a.b.d", false),
        ("*.b", "a.b", true),
        (">", "a", true),
        (">", "a.b.c", true),
        ("a.>", "a", false),
        ("a.>", "a.b", true),
        ("a.>", "a.b.c.d", true),
        ("a.>", "b.c", false),
        ("*.>", "a", false),
        ("*.>", "a.b", true),
    ];
    for (pattern, subject, expected) in cases {
        assert_eq!(Pattern::new(pattern).unwrap().matches(subject), expected, "{pattern} {subject}");
    }
}

#[test]
fn codes() {
    for (text, code) in [
        ("", Code::SubjectMalformed),
        ("a..b", Code::SubjectMalformed),
        ("a b", Code::SubjectMalformed),
        ("a.*", Code::SubjectWildcard),
        ("$mesh.x", Code::SubjectReserved),
    ] {
        let error = Subject::check_unreserved(text.as_bytes()).unwrap_err();
        assert_eq!(error.code(), code, "{text}");
        assert!(!error.is_retryable());
        assert!(!error.hint().is_empty());
    }
    assert_eq!(pattern_error("a*").unwrap().code(), Code::PatternMalformed);
    assert_eq!(pattern_error(">.a").unwrap().code(), Code::PatternMalformed);
    assert_eq!(subject_error(&"s".repeat(257)).unwrap().code(), Code::SubjectTooLong);
    assert_eq!(subject_error(&"s.".repeat(40)).unwrap().code(), Code::SubjectTooManyTokens);
}

#[test]
fn first_tokens() {
    assert_eq!(first_token("a"), "a");
    assert_eq!(first_token("a.b.c"), "a");
    assert_eq!(Pattern::new("a.*").unwrap().literal_first_token(), Some("a"));
    assert_eq!(Pattern::new("*.a").unwrap().literal_first_token(), None);
    assert_eq!(Pattern::new(">").unwrap().literal_first_token(), None);
}

#[test]
fn text_and_serde_keep_the_rules() {
    let subject: Subject = "a.b".parse().unwrap();
    assert_eq!(subject.to_string(), "a.b");
    let bytes = postcard::to_allocvec(&subject).unwrap();
    assert_eq!(postcard::from_bytes::<Subject>(&bytes).unwrap(), subject);
    let wild = postcard::to_allocvec("a.*").unwrap();
    assert!(postcard::from_bytes::<Subject>(&wild).is_err());
    assert_eq!(postcard::from_bytes::<Pattern>(&wild).unwrap().as_str(), "a.*");
    let broken = postcard::to_allocvec("a..b").unwrap();
    assert!(postcard::from_bytes::<Pattern>(&broken).is_err());
}

/// The rules again, said the slow way.
fn obeys_the_rules(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let tokens: Vec<&str> = text.split('.').collect();
    bytes.len() <= SUBJECT_BYTES
        && tokens.len() <= SUBJECT_TOKENS
        && tokens.iter().all(|token| !token.is_empty())
        && !bytes.iter().any(|byte| *byte <= 0x20 || *byte == 0x7f || *byte == b'*' || *byte == b'>')
}

proptest! {
    #[test]
    fn check_is_the_rules(bytes in prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..300),
        "[a-c.*>é ]{0,40}".prop_map(String::into_bytes),
        "(a\\.){28,34}a".prop_map(String::into_bytes),
    ]) {
        prop_assert_eq!(Subject::check(&bytes).is_ok(), obeys_the_rules(&bytes));
    }

    #[test]
    fn a_subject_is_a_pattern_of_itself(text in "[a-c]{1,2}(\\.[a-c]{1,2}){0,5}") {
        let pattern = Pattern::from(Subject::new(text.as_str()).unwrap());
        prop_assert!(!pattern.is_wildcard());
        prop_assert!(pattern.matches(&text));
        let longer = format!("{text}.a");
        prop_assert!(!pattern.matches(&longer));
    }
}
