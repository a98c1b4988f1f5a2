//! What a service says when it is pinged.

use std::fmt::Write;

/// What a service says of itself.
#[derive(Debug)]
pub(crate) struct About {
    pub(crate) service: String,
    pub(crate) version: String,
    pub(crate) description: String,
    /// The name of the client that it runs in.
    pub(crate) name: String,
    pub(crate) pid: u32,
}

impl About {
    /// The answer to a probe, in JSON.
    pub(crate) fn to_json(&self, link: u64, subject: &str, calls: u64, in_flight: usize) -> String {
        let mut out = String::from("{");
        let texts = [
            ("name", self.name.as_str()),
            ("version", &self.version),
            ("service", &self.service),
            ("description", &self.description),
            ("instance", &format!("{}-{}-{link}", self.name, self.pid)),
            ("subject", subject),
        ];
        for (key, text) in texts {
            out.push_str(&format!("\"{key}\":"));
            push_text(&mut out, text);
            out.push(',');
        }
        out.push_str(&format!("\"pid\":{},\"calls\":{calls},\"in_flight\":{in_flight}}}", self.pid));
        out
    }
}

/// A JSON string (RFC 8259, section 7). By hand, because the client has JSON only as an option.
fn push_text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if c < ' ' => drop(write!(out, "\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_is_answered_in_json() {
        let about = About {
            service: "orders".into(),
            version: "1.2".into(),
            description: "says \"hi\"\n\\ and \u{1f600}".into(),
            name: "shop".into(),
            pid: 7,
        };
        let value: serde_json::Value = serde_json::from_str(&about.to_json(3, "orders.get", 10, 2)).unwrap();
        assert_eq!(value["description"], "says \"hi\"\n\\ and \u{1f600}");
        assert_eq!((&value["name"], &value["service"]), (&"shop".into(), &"orders".into()));
        assert_eq!((&value["instance"], &value["subject"]), (&"shop-7-3".into(), &"orders.get".into()));
        assert_eq!((&value["calls"], &value["in_flight"]), (&10.into(), &2.into()));
    }
}
