//! A message as it is shown: one JSON object for programs, a few lines for people.

use std::borrow::Cow;
use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mesh_client::Message;
use mesh_wire::header::{HeadersRef, Value};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::style::printable;

/// A message to be shown.
///
/// As JSON: `{"subject": …, "headers": {…}, "body": "…"}`. A header that appears once has its value, one that appears
/// more often an array of its values in their order. `body` is text; where the bytes are not UTF-8 the parts that are
/// not read `U+FFFD` and `body_base64` has the bytes as they are.
#[derive(Debug, Clone)]
pub(crate) struct MessageView<'a> {
    /// Its subject; a reply has none.
    pub(crate) subject: Option<&'a str>,
    /// Its headers.
    pub(crate) headers: HeadersRef<'a>,
    /// Its key, if it has one.
    pub(crate) key: Option<Cow<'a, str>>,
    /// Who sent it, if that is known: the name of the client that replied.
    pub(crate) from: Option<&'a str>,
    /// Its body.
    pub(crate) body: &'a [u8],
}

impl Serialize for MessageView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(subject) = self.subject {
            map.serialize_entry("subject", subject)?;
        }
        map.serialize_entry("headers", &HeadersView(self.headers))?;
        if let Some(key) = &self.key {
            map.serialize_entry("key", key)?;
        }
        if let Some(from) = self.from {
            map.serialize_entry("from", from)?;
        }
        let text = String::from_utf8_lossy(self.body);
        map.serialize_entry("body", &text)?;
        // Borrowed means that nothing had to be replaced.
        if let Cow::Owned(_) = text {
            map.serialize_entry("body_base64", &STANDARD.encode(self.body))?;
        }
        map.end()
    }
}

impl<'a> MessageView<'a> {
    /// A message that came.
    pub(crate) fn of(message: &'a Message) -> Self {
        Self {
            subject: Some(message.subject()).filter(|subject| !subject.is_empty()),
            headers: message.headers(),
            key: message.key().map(String::from_utf8_lossy),
            from: message.member(),
            body: message.as_bytes(),
        }
    }

    /// Writes the message for a person: `#7 orders.created (12 bytes)`, its headers, its body.
    pub(crate) fn write_for_people(&self, number: u64, out: &mut impl Write) -> io::Result<()> {
        let bytes = self.body.len();
        let unit = if bytes == 1 { "byte" } else { "bytes" };
        writeln!(out, "#{number} {} ({bytes} {unit})", printable(self.subject.unwrap_or_default()))?;
        for (name, value) in self.headers.iter() {
            writeln!(out, "{}: {}", printable(name), printable(&value.to_string()))?;
        }
        if let Some(key) = &self.key {
            writeln!(out, "key: {}", printable(key))?;
        }
        if !self.body.is_empty() {
            match std::str::from_utf8(self.body) {
                Ok(text) => writeln!(out, "{}", printable(text.trim_end_matches('\n')))?,
                Err(_) => writeln!(out, "(not text; --json shows it in base64, --raw as it is)")?,
            }
        }
        writeln!(out)
    }
}

/// Headers as a JSON object, in the order of their first appearance.
struct HeadersView<'a>(HeadersRef<'a>);

impl Serialize for HeadersView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (at, (name, value)) in self.0.iter().enumerate() {
            if self.0.iter().take(at).any(|(earlier, _)| earlier == name) {
                continue;
            }
            let mut all = self.0.get_all(name);
            if all.nth(1).is_none() {
                map.serialize_entry(name, &ValueView(value))?;
            } else {
                let all: Vec<_> = self.0.get_all(name).map(ValueView).collect();
                map.serialize_entry(name, &all)?;
            }
        }
        map.end()
    }
}

/// A header's value: text, number, truth and null are those of JSON, the rest is an object that names its type.
struct ValueView<'a>(Value<'a>);

impl Serialize for ValueView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes_of = |serializer: S, kind: Option<u8>, bytes: &[u8]| {
            let mut map = serializer.serialize_map(None)?;
            if let Some(kind) = kind {
                map.serialize_entry("type", &kind)?;
            }
            map.serialize_entry("base64", &STANDARD.encode(bytes))?;
            map.end()
        };
        match self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Str(text) => serializer.serialize_str(text),
            Value::I64(number) => serializer.serialize_i64(number),
            Value::U64(number) => serializer.serialize_u64(number),
            Value::F64(number) if number.is_finite() => serializer.serialize_f64(number),
            // JSON has no such numbers.
            Value::F64(number) => serializer.serialize_str(&number.to_string()),
            Value::Bool(truth) => serializer.serialize_bool(truth),
            Value::Timestamp(ms) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("timestamp_ms", &ms)?;
                map.end()
            }
            Value::Bytes(bytes) => bytes_of(serializer, None, bytes),
            Value::Opaque(kind, bytes) => bytes_of(serializer, Some(kind), bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mesh_wire::header::Headers;

    fn view<'a>(headers: &'a Headers, body: &'a [u8]) -> MessageView<'a> {
        MessageView { subject: Some("a.b"), headers: headers.as_view(), key: None, from: None, body }
    }

    #[test]
    fn a_message_as_json() {
        let headers = Headers::builder().with("key", "value").unwrap().build();
        assert_eq!(
            serde_json::to_string(&view(&headers, b"text")).unwrap(),
            r#"{"subject":"a.b","headers":{"key":"value"},"body":"text"}"#
        );
        assert_eq!(
            serde_json::to_string(&view(&Headers::new(), b"a\xffb")).unwrap(),
            "{\"subject\":\"a.b\",\"headers\":{},\"body\":\"a\u{fffd}b\",\"body_base64\":\"Yf9i\"}"
        );
        let keyed =
            MessageView { subject: None, key: Some("k".into()), from: Some("me"), ..view(&headers, b"") };
        assert_eq!(
            serde_json::to_string(&keyed).unwrap(),
            r#"{"headers":{"key":"value"},"key":"k","from":"me","body":""}"#
        );
    }

    #[test]
    fn repeated_headers_are_an_array_in_their_order() {
        let headers = Headers::builder()
            .with("a", "1")
            .and_then(|builder| builder.with("b", "x"))
            .and_then(|builder| builder.with("a", 2_u64))
            .and_then(|builder| builder.with("a", true))
            .unwrap()
            .build();
        assert_eq!(
            serde_json::to_string(&HeadersView(headers.as_view())).unwrap(),
            r#"{"a":["1",2,true],"b":"x"}"#
        );
    }

    #[test]
    fn typed_values() {
        let table = [
            (Value::Null, "null"),
            (Value::Str("é"), "\"é\""),
            (Value::I64(-5), "-5"),
            (Value::U64(u64::MAX), "18446744073709551615"),
            (Value::F64(0.5), "0.5"),
            (Value::F64(f64::INFINITY), "\"inf\""),
            (Value::Bool(false), "false"),
            (Value::Timestamp(7), r#"{"timestamp_ms":7}"#),
            (Value::Bytes(b"\xff"), r#"{"base64":"/w=="}"#),
            (Value::Opaque(128, b""), r#"{"type":128,"base64":""}"#),
        ];
        for (value, want) in table {
            assert_eq!(serde_json::to_string(&ValueView(value)).unwrap(), want);
        }
    }

    #[test]
    fn a_message_for_people() {
        let headers = Headers::builder().with("k", "\u{1b}[1m").unwrap().build();
        let shown = |body: &[u8]| {
            let mut out = Vec::new();
            view(&headers, body).write_for_people(7, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(shown(b"hello\n"), "#7 a.b (6 bytes)\nk: \\u{1b}[1m\nhello\n\n");
        assert_eq!(shown(b""), "#7 a.b (0 bytes)\nk: \\u{1b}[1m\n\n");
        assert!(shown(b"\xff").contains("(1 byte)\n") && shown(b"\xff").contains("--raw"));
    }
}
