//! What is kept for long: fields that say what they are, so that a reader may meet one that it doesn't know, and keep it.
//!
//! ```text
//!  record := field …                     in rising order of tag; a list is one tag several times
//!  field  := key value                   key = varint(tag << 2 | type)
//!  type 0   number    varint             7 bits per byte, the lowest first, the top bit set but in the last one
//!  type 1   bytes     varint length, bytes
//!  type 2   text      varint length, UTF-8
//!  type 3   record    varint length, fields
//! ```
//! Read by taking what is known by its tag; what is left over goes back into what is written. Every byte is described
//! in `docs/reference/meta.md`.

use bytes::Bytes;

/// Most records within records.
pub const DEPTH_MAX: usize = 8;
/// The highest tag.
pub const TAG_MAX: u32 = (1 << 28) - 1;

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A number.
    Number(u64),
    /// Bytes.
    Bytes(Bytes),
    /// Text.
    Text(Box<str>),
    /// Fields of its own.
    Record(Fields),
}

/// Fields with their tags.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fields(Vec<(u32, Value)>);

/// Why bytes can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// They end in the middle of a field.
    #[error("cut off")]
    Truncated,
    /// A number has more than 64 bits, or more bytes than it needs.
    #[error("a number is not in its one form")]
    Number,
    /// A text is not UTF-8.
    #[error("a text is not UTF-8")]
    Text,
    /// A tag is above [`TAG_MAX`], or below the one before it.
    #[error("tag {tag} is out of its order or range")]
    Tag {
        /// The tag.
        tag: u64,
    },
    /// Records within records within records.
    #[error("records are nested deeper than {DEPTH_MAX}")]
    Depth,
    /// A field that has to be there is not.
    #[error("field {tag} is missing")]
    Missing {
        /// Its tag.
        tag: u32,
    },
    /// A field holds something else than it should.
    #[error("field {tag} does not hold what it should")]
    Unfit {
        /// Its tag.
        tag: u32,
    },
}

impl Fields {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds a field behind those of the same tag.
    pub fn put(&mut self, tag: u32, value: Value) {
        debug_assert!(tag <= TAG_MAX, "tags are constants");
        let at = self.0.partition_point(|(other, _)| *other <= tag);
        self.0.insert(at, (tag, value));
    }

    /// Adds a number.
    #[must_use]
    pub fn number(mut self, tag: u32, number: u64) -> Self {
        self.put(tag, Value::Number(number));
        self
    }

    /// Adds bytes.
    #[must_use]
    pub fn bytes(mut self, tag: u32, bytes: impl Into<Bytes>) -> Self {
        self.put(tag, Value::Bytes(bytes.into()));
        self
    }

    /// Adds a text.
    #[must_use]
    pub fn text(mut self, tag: u32, text: impl Into<Box<str>>) -> Self {
        self.put(tag, Value::Text(text.into()));
        self
    }

    /// Adds a record.
    #[must_use]
    pub fn record(mut self, tag: u32, record: Self) -> Self {
        self.put(tag, Value::Record(record));
        self
    }

    /// Adds a list of numbers.
    #[must_use]
    pub fn numbers(mut self, tag: u32, numbers: impl IntoIterator<Item = u64>) -> Self {
        for number in numbers {
            self.put(tag, Value::Number(number));
        }
        self
    }

    /// Adds a list of records.
    #[must_use]
    pub fn records(mut self, tag: u32, records: impl IntoIterator<Item = Self>) -> Self {
        for record in records {
            self.put(tag, Value::Record(record));
        }
        self
    }

    /// Adds what was left over when it was read.
    #[must_use]
    pub fn with_rest(mut self, rest: &Self) -> Self {
        for (tag, value) in &rest.0 {
            self.put(*tag, value.clone());
        }
        self
    }

    /// Takes the first field of a tag out.
    pub fn take(&mut self, tag: u32) -> Option<Value> {
        let at = self.0.partition_point(|(other, _)| *other < tag);
        (self.0.get(at)?.0 == tag).then(|| self.0.remove(at).1)
    }

    /// Takes a number out that may be missing.
    ///
    /// # Errors
    /// When something else is there.
    pub fn find_number(&mut self, tag: u32) -> Result<Option<u64>, Error> {
        match self.take(tag) {
            None => Ok(None),
            Some(Value::Number(number)) => Ok(Some(number)),
            Some(_) => Err(Error::Unfit { tag }),
        }
    }

    /// Takes a number out.
    ///
    /// # Errors
    /// When it is not there, or something else is.
    pub fn take_number(&mut self, tag: u32) -> Result<u64, Error> {
        self.find_number(tag)?.ok_or(Error::Missing { tag })
    }

    /// Takes bytes out that may be missing.
    ///
    /// # Errors
    /// When something else is there.
    pub fn find_bytes(&mut self, tag: u32) -> Result<Option<Bytes>, Error> {
        match self.take(tag) {
            None => Ok(None),
            Some(Value::Bytes(bytes)) => Ok(Some(bytes)),
            Some(_) => Err(Error::Unfit { tag }),
        }
    }

    /// Takes a text out that may be missing.
    ///
    /// # Errors
    /// When something else is there.
    pub fn find_text(&mut self, tag: u32) -> Result<Option<Box<str>>, Error> {
        match self.take(tag) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(_) => Err(Error::Unfit { tag }),
        }
    }

    /// Takes a text out.
    ///
    /// # Errors
    /// When it is not there, or something else is.
    pub fn take_text(&mut self, tag: u32) -> Result<Box<str>, Error> {
        self.find_text(tag)?.ok_or(Error::Missing { tag })
    }

    /// Takes a record out that may be missing.
    ///
    /// # Errors
    /// When something else is there.
    pub fn find_record(&mut self, tag: u32) -> Result<Option<Self>, Error> {
        match self.take(tag) {
            None => Ok(None),
            Some(Value::Record(record)) => Ok(Some(record)),
            Some(_) => Err(Error::Unfit { tag }),
        }
    }

    /// Takes a record out.
    ///
    /// # Errors
    /// When it is not there, or something else is.
    pub fn take_record(&mut self, tag: u32) -> Result<Self, Error> {
        self.find_record(tag)?.ok_or(Error::Missing { tag })
    }

    /// Takes a list of numbers out.
    ///
    /// # Errors
    /// When something else is among them.
    pub fn take_numbers(&mut self, tag: u32) -> Result<Vec<u64>, Error> {
        self.take_all(tag)
            .map(|value| match value {
                Value::Number(number) => Ok(number),
                _ => Err(Error::Unfit { tag }),
            })
            .collect()
    }

    /// Takes a list of records out.
    ///
    /// # Errors
    /// When something else is among them.
    pub fn take_records(&mut self, tag: u32) -> Result<Vec<Self>, Error> {
        self.take_all(tag)
            .map(|value| match value {
                Value::Record(record) => Ok(record),
                _ => Err(Error::Unfit { tag }),
            })
            .collect()
    }

    fn take_all(&mut self, tag: u32) -> impl Iterator<Item = Value> {
        let from = self.0.partition_point(|(other, _)| *other < tag);
        let to = self.0.partition_point(|(other, _)| *other <= tag);
        self.0.drain(from..to).map(|(_, value)| value)
    }

    /// Their bytes.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let mut out = Vec::new();
        self.encode_into(&mut out);
        out.into()
    }

    fn encode_into(&self, out: &mut Vec<u8>) {
        for (tag, value) in &self.0 {
            let key = u64::from(*tag) << 2;
            match value {
                Value::Number(number) => {
                    varint(key, out);
                    varint(*number, out);
                }
                Value::Bytes(bytes) => part(key | 1, bytes, out),
                Value::Text(text) => part(key | 2, text.as_bytes(), out),
                Value::Record(record) => part(key | 3, &record.encode(), out),
            }
        }
    }

    /// Reads them; bytes share the memory of the input. Takes no more memory than a small multiple of the input's.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn decode(bytes: &Bytes) -> Result<Self, Error> {
        Self::decode_at(bytes, DEPTH_MAX)
    }

    fn decode_at(bytes: &Bytes, depth: usize) -> Result<Self, Error> {
        let mut fields = Vec::new();
        let mut rest: &[u8] = bytes;
        let mut last = 0;
        while !rest.is_empty() {
            let key = read_varint(&mut rest)?;
            let tag = u32::try_from(key >> 2).ok().filter(|tag| *tag <= TAG_MAX && *tag >= last);
            let tag = tag.ok_or(Error::Tag { tag: key >> 2 })?;
            last = tag;
            let number = read_varint(&mut rest)?;
            if key & 3 == 0 {
                fields.push((tag, Value::Number(number)));
                continue;
            }
            let len = usize::try_from(number).map_err(|_| Error::Truncated)?;
            let (value, behind) = rest.split_at_checked(len).ok_or(Error::Truncated)?;
            rest = behind;
            let value = match key & 3 {
                1 => Value::Bytes(bytes.slice_ref(value)),
                2 => Value::Text(std::str::from_utf8(value).map_err(|_| Error::Text)?.into()),
                _ => {
                    let depth = depth.checked_sub(1).ok_or(Error::Depth)?;
                    Value::Record(Self::decode_at(&bytes.slice_ref(value), depth)?)
                }
            };
            fields.push((tag, value));
        }
        Ok(Self(fields))
    }
}

fn part(key: u64, bytes: &[u8], out: &mut Vec<u8>) {
    varint(key, out);
    varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn read_varint(rest: &mut &[u8]) -> Result<u64, Error> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, behind) = rest.split_first().ok_or(Error::Truncated)?;
        *rest = behind;
        let bits = u64::from(byte & 0x7f);
        if (shift == 63 && bits > 1) || (shift > 0 && byte == 0) {
            return Err(Error::Number);
        }
        number |= bits << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(Error::Number)
}

#[cfg(test)]
pub(crate) mod tests;
