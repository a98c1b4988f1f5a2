use super::*;
use proptest::prelude::*;

const SOUND: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[test]
fn a_sound_parent_is_read_and_written() {
    let context = TraceContext::parse(SOUND).unwrap();
    assert_eq!(context.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(context.span_id().to_string(), "b7ad6b7169203331");
    assert!(context.is_sampled());
    assert_eq!(context.to_string(), SOUND);
    assert_eq!(&context.traceparent(), SOUND.as_bytes());
}

#[test]
fn parents_that_are_refused() {
    let table = [
        ("", Error::Length { bytes: 0 }),
        (&SOUND[..54], Error::Length { bytes: 54 }),
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-", Error::Version),
        ("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", Error::Version),
        ("0x-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", Error::Malformed),
        ("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", Error::Malformed),
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333g-01", Error::Malformed),
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0é", Error::Version),
        ("00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", Error::Malformed),
        ("00-00000000000000000000000000000000-b7ad6b7169203331-01", Error::ZeroId),
        ("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", Error::ZeroId),
        ("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x", Error::Malformed),
    ];
    for (text, error) in table {
        assert_eq!(TraceContext::parse(text), Err(error), "{text:?}");
        assert!(!error.hint().is_empty());
    }
}

#[test]
fn a_later_version_is_read_as_far_as_it_is_known() {
    for text in [
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03-what.comes.later",
    ] {
        assert_eq!(TraceContext::parse(text).unwrap().to_string(), SOUND);
    }
}

#[test]
fn a_parent_is_bounded() {
    let longest = format!("01{}-{}", &SOUND[2..], "x".repeat(TRACEPARENT_BYTES_MAX - TRACEPARENT_BYTES - 1));
    assert!(TraceContext::parse(&longest).is_ok());
    let longer = format!("{longest}x");
    assert_eq!(TraceContext::parse(&longer), Err(Error::Length { bytes: TRACEPARENT_BYTES_MAX + 1 }));
}

#[test]
fn tracestates() {
    let entries = |count: usize| (0..count).map(|i| format!("k{i}=v")).collect::<Vec<_>>().join(",");
    let table = [
        ("congo=t61rcWkgMzE".to_owned(), true),
        ("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE".to_owned(), true),
        ("fw529a3039@dt=FfFf;a:b c".to_owned(), true),
        (" a=1 ,, b=2 ".to_owned(), true),
        (entries(TRACESTATE_ENTRIES), true),
        (entries(TRACESTATE_ENTRIES + 1), false),
        (format!("a={},b={}", "v".repeat(255), "v".repeat(252)), true),
        (format!("a={},b={}", "v".repeat(255), "v".repeat(253)), false),
        ("a=1,a=2".to_owned(), false),
        ("A=1".to_owned(), false),
        ("1a=1".to_owned(), false),
        ("a".to_owned(), false),
        ("a=".to_owned(), false),
        ("a=é".to_owned(), false),
        (format!("{}=v", "k".repeat(256)), true),
        (format!("{}=v", "k".repeat(257)), false),
        (format!("{}@{}=v", "k".repeat(241), "v".repeat(14)), true),
        (format!("{}@{}=v", "k".repeat(242), "v".repeat(14)), false),
        (format!("{}@{}=v", "k".repeat(241), "v".repeat(15)), false),
    ];
    for (text, sound) in table {
        let context = TraceContext::parse(SOUND).unwrap().with_tracestate(&text);
        assert_eq!(context.is_ok(), sound, "{text:?}");
    }
}

#[test]
fn baggages() {
    let entries = |count: usize| (0..count).map(|i| format!("k{i}=v")).collect::<Vec<_>>().join(",");
    let table = [
        ("userId=alice,serverNode=DF%2028,isProduction=false".to_owned(), true),
        (
            "key1=value1;property1;property2, key2 = value2, key3=value3; propertyKey=propertyValue"
                .to_owned(),
            true,
        ),
        ("empty=".to_owned(), true),
        (entries(BAGGAGE_ENTRIES), true),
        (entries(BAGGAGE_ENTRIES + 1), false),
        (format!("k={}", "v".repeat(BAGGAGE_BYTES - 2)), true),
        (format!("k={}", "v".repeat(BAGGAGE_BYTES - 1)), false),
        ("novalue".to_owned(), false),
        ("=v".to_owned(), false),
        ("a=1,".to_owned(), false),
        ("a=\"quoted\"".to_owned(), false),
        ("a=b c".to_owned(), false),
        ("a=1;".to_owned(), false),
    ];
    for (text, sound) in table {
        let context = TraceContext::parse(SOUND).unwrap().with_baggage(&text);
        assert_eq!(context.is_ok(), sound, "{text:?}");
    }
}

#[test]
fn headers_make_a_context_and_a_context_makes_headers() {
    let headers = [(TRACEPARENT, SOUND), (TRACESTATE, "a=1"), (BAGGAGE, "user=alice")];
    let get = |name: &str| headers.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
    let context = TraceContext::from_headers(get).unwrap();
    let mut written = Vec::new();
    context.to_headers(|name, value| written.push((name, value.to_owned())));
    assert_eq!(written, headers.map(|(name, value)| (name, value.to_owned())));
}

#[test]
fn what_is_broken_is_left_out() {
    let context = TraceContext::from_headers(|name| {
        Some(match name {
            TRACEPARENT => SOUND,
            TRACESTATE => "BROKEN",
            _ => "broken",
        })
    });
    assert_eq!(context, Some(TraceContext::parse(SOUND).unwrap()));
    assert_eq!(TraceContext::from_headers(|name| (name != TRACEPARENT).then_some("a=1")), None);
    assert_eq!(TraceContext::from_headers(|_| Some("broken")), None);
}

proptest! {
    #[test]
    fn whatever_is_written_is_read(trace: [u8; 16], span: [u8; 8], sampled: bool) {
        prop_assume!(trace != [0; 16] && span != [0; 8]);
        let context = TraceContext::new(TraceId::new(trace).unwrap(), SpanId::new(span).unwrap(), sampled);
        prop_assert_eq!(TraceContext::parse(&context.to_string()), Ok(context.clone()));
        let text = context.to_string();
        prop_assert_eq!(text.as_bytes(), &context.traceparent());
    }

    #[test]
    fn nothing_that_is_read_panics(text in "\\PC{0,300}", state in "\\PC{0,600}") {
        TraceContext::from_headers(|name| Some(if name == TRACEPARENT { &text } else { &state }));
        TraceContext::from_headers(|name| Some(if name == TRACEPARENT { SOUND } else { &state }));
    }
}
