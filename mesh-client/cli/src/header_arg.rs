//! `-H name:value`.

use std::str::FromStr;

use mesh_wire::header::{HeaderError, Headers, HeadersBuilder};

use crate::failure::Failure;

/// One header of the command line: everything before the first colon, and everything behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeaderArg {
    name: String,
    value: String,
}

impl FromStr for HeaderArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((name, value)) = text.split_once(':') else {
            return Err("there is no colon; write name:value".to_owned());
        };
        // Checked here so that the error names the option.
        HeadersBuilder::new().push(name, value).map_err(|error| error.to_string())?;
        // `name: value` is how others write headers.
        Ok(Self { name: name.to_owned(), value: value.strip_prefix(' ').unwrap_or(value).to_owned() })
    }
}

/// All headers of the command line, in their order.
pub(crate) fn headers(args: &[HeaderArg]) -> Result<Headers, Failure> {
    let mut builder = HeadersBuilder::new();
    for arg in args {
        builder.push(&arg.name, arg.value.as_str()).map_err(|error: HeaderError| {
            Failure::new(error.code(), format!("header {:?}: {error}", arg.name))
        })?;
    }
    Ok(builder.build())
}

#[cfg(test)]
mod tests {
    use super::*;
    use mesh_wire::code::Code;
    use mesh_wire::header::Value;
    use mesh_wire::limits;

    #[test]
    fn names_and_values() {
        let table = [
            ("key:value", Some(("key", "value"))),
            ("key: value", Some(("key", "value"))),
            ("key:  value ", Some(("key", " value "))),
            ("url:unix://x", Some(("url", "unix://x"))),
            ("key:", Some(("key", ""))),
            ("key", None),
            (":value", None),
            ("", None),
        ];
        for (text, want) in table {
            let want = want.map(|(name, value)| HeaderArg { name: name.to_owned(), value: value.to_owned() });
            assert_eq!(text.parse().ok(), want, "{text:?}");
        }
    }

    #[test]
    fn as_many_as_a_message_may_have() {
        let arg = || "k:v".parse::<HeaderArg>().unwrap();
        let most = headers(&vec![arg(); limits::HEADERS]).unwrap();
        assert_eq!((most.len(), most.get("k")), (limits::HEADERS, Some(Value::Str("v"))));
        let failure = headers(&vec![arg(); limits::HEADERS + 1]).unwrap_err();
        assert_eq!(failure.code(), Some(Code::TooManyHeaders));
    }
}
