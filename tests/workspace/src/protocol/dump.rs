//! Bytes in hexadecimal, with a remark on each part.

use std::fmt::Write;

use bytes::BytesMut;
use mesh_wire::frame::{Flags, Kind, Parts};

/// Bytes on one line; longer parts go on below.
const PER_LINE: usize = 12;
/// Where remarks start.
const REMARK_AT: usize = PER_LINE * 3 + 1;

/// Bytes in parts, each with its remark.
#[derive(Default)]
pub struct Dump {
    bytes: Vec<u8>,
    text: String,
}

impl Dump {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a part.
    #[must_use]
    pub fn part(mut self, bytes: impl AsRef<[u8]>, remark: &str) -> Self {
        let bytes = bytes.as_ref();
        self.bytes.extend_from_slice(bytes);
        for (at, line) in bytes.chunks(PER_LINE).enumerate() {
            let hex: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
            let remark = if at == 0 { remark } else { "" };
            let line = format!("{:<REMARK_AT$}{remark}", hex.join(" "));
            // Writing into a String does not fail.
            writeln!(self.text, "{}", line.trim_end()).unwrap_or_default();
        }
        self
    }

    /// Adds the fixed header of a frame.
    #[must_use]
    pub fn head(self, frame: &Parts<'_>, aux: &str, id: &str) -> Self {
        let &Parts { kind, flags, .. } = frame;
        let name = format!("{kind:?}").chars().fold(String::new(), |mut name, c| {
            if c.is_uppercase() && !name.is_empty() {
                name.push('_');
            }
            name.push(c.to_ascii_uppercase());
            name
        });
        let length = frame.encoded_len() as u32;
        self.part(length.to_le_bytes(), &format!("len {length}"))
            .part([kind as u8], &format!("kind {name}"))
            .part([flags.bits()], &flag_names(flags))
            .part(
                (frame.subject.len() as u16).to_le_bytes(),
                &format!("subject {} bytes", frame.subject.len()),
            )
            .part(
                (frame.headers.len() as u16).to_le_bytes(),
                &format!("headers {} bytes", frame.headers.len()),
            )
            .part((frame.ext.len() as u16).to_le_bytes(), &format!("ext {} bytes", frame.ext.len()))
            .part(frame.aux.to_le_bytes(), &format!("aux {aux}"))
            .part(frame.id.to_le_bytes(), &format!("id {id}"))
    }

    /// The text, after a check that the bytes are those of `frames`, one after the other.
    ///
    /// # Panics
    /// When they are not.
    #[must_use]
    pub fn checked(self, before: &[u8], frames: &[Parts<'_>]) -> String {
        let mut wanted = BytesMut::from(before);
        for frame in frames {
            frame.encode(&mut wanted).expect("examples are within the limits");
        }
        self.same_as(&wanted)
    }

    /// The text, after a check that the bytes are `wanted`.
    ///
    /// # Panics
    /// When they are not.
    #[must_use]
    pub fn same_as(self, wanted: &[u8]) -> String {
        assert_eq!(self.bytes, wanted, "the encoder writes something else than the example");
        self.text
    }
}

fn flag_names(flags: Flags) -> String {
    let known = [
        (Flags::MORE, "MORE"),
        (Flags::FAILED, "FAILED"),
        (Flags::PROBE, "PROBE"),
        (Flags::FATAL, "FATAL"),
        (Flags::GATHER, "GATHER"),
        (Flags::IDEMPOTENT, "IDEMPOTENT"),
    ];
    let set: Vec<&str> =
        known.iter().filter(|(flag, _)| flags.contains(*flag)).map(|(_, name)| *name).collect();
    if set.is_empty() { "no flags".to_owned() } else { format!("flags {}", set.join(", ")) }
}

/// A frame of `kind` with a subject.
pub(super) fn with_subject(kind: Kind, id: u64, subject: &str) -> Parts<'_> {
    Parts { subject: subject.as_bytes(), ..Parts::bare(kind, id) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_laid_out_with_their_remarks() {
        let text = Dump::new()
            .part([1, 255], "two")
            .part([0; 13], "many")
            .same_as(&[&[1, 255][..], &[0; 13]].concat());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], format!("{:<REMARK_AT$}two", "01 ff"));
        assert!(lines[1].ends_with("00 many") || lines[1].ends_with("many"));
        assert_eq!(lines[2], "00");
    }

    #[test]
    #[should_panic(expected = "something else")]
    fn an_example_that_the_encoder_does_not_write_is_found() {
        let frame = Parts::bare(Kind::Ping, 1);
        drop(Dump::new().part([24, 0, 0, 0], "len").checked(b"", &[frame]));
    }

    #[test]
    fn names_are_those_of_the_page() {
        let frame = Parts { flags: Flags::MORE, ..Parts::bare(Kind::ReplyCredit, 1) };
        let text = Dump::new().head(&frame, "0", "1").checked(b"", &[frame]);
        assert!(text.contains("kind REPLY_CREDIT") && text.contains("flags MORE"));
    }
}
