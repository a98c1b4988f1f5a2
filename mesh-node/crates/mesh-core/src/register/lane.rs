//! One register.

use std::collections::BTreeMap;

use super::{FormatError, View, producer::Producer};
use crate::tagged::Fields;

/// One register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lane {
    first: u64,
    next: u64,
    digest: u64,
    pub(super) producers: BTreeMap<u64, Producer>,
    rest: Fields,
}

impl Default for Lane {
    fn default() -> Self {
        Self { first: 1, next: 1, digest: 0, producers: BTreeMap::new(), rest: Fields::new() }
    }
}

impl Lane {
    pub(super) fn view(&self) -> View {
        View { first: self.first, next: self.next, digest: self.digest }
    }

    pub(super) fn runs(&self) -> usize {
        self.producers.values().map(Producer::runs).sum()
    }

    pub(super) fn took(&mut self, count: u32, crc: u32) {
        self.next += u64::from(count);
        self.digest = mix(mix(self.digest, count.into()), crc.into());
    }

    pub(super) fn trim(&mut self, below: u64) {
        self.first = self.first.max(below);
    }

    pub(super) fn to_fields(&self) -> Fields {
        Fields::new()
            .number(2, self.first)
            .number(3, self.next)
            .number(4, self.digest)
            .records(5, self.producers.iter().map(|(id, producer)| producer.to_fields().number(1, *id)))
            .with_rest(&self.rest)
    }

    pub(super) fn from_fields(mut fields: Fields) -> Result<Self, FormatError> {
        let mut producers = BTreeMap::new();
        for mut producer in fields.take_records(5)? {
            producers.insert(producer.take_number(1)?, Producer::from_fields(producer)?);
        }
        let (first, next) = (fields.take_number(2)?, fields.take_number(3)?);
        if first < 1 || first > next {
            return Err(FormatError::Unfit { tag: 2 });
        }
        Ok(Self { first, next, digest: fields.take_number(4)?, producers, rest: fields })
    }
}

/// Adds a number to a digest. Not for secrets.
pub(super) fn mix(digest: u64, number: u64) -> u64 {
    let mut mixed = (digest ^ number).wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
