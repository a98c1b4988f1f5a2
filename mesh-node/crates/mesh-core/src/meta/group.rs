//! Who is to have a group, and who has it.

use std::collections::BTreeSet;

use super::{Fields, FormatError, NodeNumber, fields::FieldsExt};

/// A group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Group {
    /// The nodes that are to be its voters.
    pub wanted: BTreeSet<NodeNumber>,
    /// Rises by one with each change of `wanted`.
    pub version: u64,
    /// The members that its leader told last, and all that were wanted since.
    pub actual: Option<Actual>,
    /// What a later version says of it.
    pub rest: Fields,
}

/// The members that a group's leader saw, and those that may vote since.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Actual {
    /// The group's entry that was applied then: a later one is news, an earlier one is not.
    pub index: u64,
    /// All that vote, also those of a change under way.
    pub voters: BTreeSet<NodeNumber>,
    /// All that don't vote.
    pub learners: BTreeSet<NodeNumber>,
}

impl Group {
    /// Whether a node has a replica, or is to have one, as far as is known.
    #[must_use]
    pub fn involves(&self, node: NodeNumber) -> bool {
        let has = |actual: &Actual| actual.voters.contains(&node) || actual.learners.contains(&node);
        self.wanted.contains(&node) || self.actual.as_ref().is_some_and(has)
    }

    /// Whether its voters are those that it is to have.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.actual.as_ref().is_some_and(|actual| actual.voters == self.wanted)
    }

    pub(super) fn to_fields(&self) -> Fields {
        let fields = Fields::new().set(2, &self.wanted).number(3, self.version);
        let fields = match &self.actual {
            Some(actual) => fields.record(4, actual.to_fields()),
            None => fields,
        };
        fields.with_rest(&self.rest)
    }

    pub(super) fn from_fields(mut fields: Fields) -> Result<Self, FormatError> {
        Ok(Self {
            wanted: fields.take_set(2)?,
            version: fields.take_number(3)?,
            actual: fields.find_record(4)?.map(Actual::from_fields).transpose()?,
            rest: fields,
        })
    }
}

impl Actual {
    pub(super) fn to_fields(&self) -> Fields {
        Fields::new().number(1, self.index).set(2, &self.voters).set(3, &self.learners)
    }

    pub(super) fn from_fields(mut fields: Fields) -> Result<Self, FormatError> {
        Ok(Self { index: fields.take_number(1)?, voters: fields.take_set(2)?, learners: fields.take_set(3)? })
    }
}
