//! The state as bytes, for checkpoints and snapshots.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{Declaration, Fields, FormatError, Group, GroupId, Meta, Node, fields::FieldsExt};

/// The first field: what it is and of which form, so that nothing else is taken for it.
const FORM: u64 = 1;

impl Meta {
    /// Its bytes: the same state has the same bytes, whatever has led to it.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let groups = self.groups.iter().map(|(id, group)| group.to_fields().number(1, id.0.into()));
        let fields = Fields::new()
            .number(0, FORM)
            .uuid(1, self.cluster)
            .number(2, self.level.into())
            .number(3, self.replicas.into())
            .number(4, self.next_node)
            .number(5, self.next_lane)
            .records(10, self.nodes.values().map(Node::to_fields))
            .records(11, groups)
            .records(12, self.declarations.values().map(Declaration::to_fields));
        fields.with_rest(&self.rest).encode()
    }

    /// Reads it.
    ///
    /// # Errors
    /// When it is no state, or one of a form that this version can't read.
    pub fn decode(bytes: &Bytes) -> Result<Self, FormatError> {
        let mut fields = Fields::decode(bytes)?;
        if fields.take_number(0)? != FORM {
            return Err(FormatError::Unfit { tag: 0 });
        }
        let nodes = fields.take_records(10)?.into_iter().map(Node::from_fields);
        let nodes = nodes.map(|node| node.map(|node| (node.number, node))).collect::<Result<_, _>>()?;
        let mut groups = BTreeMap::new();
        for mut group in fields.take_records(11)? {
            groups.insert(GroupId(group.take_u32(1)?), Group::from_fields(group)?);
        }
        let declarations = fields.take_records(12)?.into_iter().map(Declaration::from_fields);
        let declarations = declarations
            .map(|found| found.map(|found| ((found.kind, found.name.clone()), found)))
            .collect::<Result<_, _>>()?;
        let meta = Self {
            cluster: fields.find_uuid(1)?,
            level: fields.take_u32(2)?,
            replicas: fields.take_u32(3)?,
            next_node: fields.take_number(4)?,
            next_lane: fields.take_number(5)?,
            nodes,
            groups,
            declarations,
            rest: fields,
        };
        meta.check()?;
        Ok(meta)
    }

    /// What the commands rely on: a state that was written by them has it.
    fn check(&self) -> Result<(), FormatError> {
        let founded = self.cluster.is_some();
        if founded
            && (self.groups.len() < 2 || !self.groups.keys().enumerate().all(|(at, id)| at == id.0 as usize))
        {
            return Err(FormatError::Unfit { tag: 11 });
        }
        if founded && self.nodes.keys().next_back().is_some_and(|last| last.0 >= self.next_node) {
            return Err(FormatError::Unfit { tag: 4 });
        }
        let lane = |declaration: &Declaration| {
            (1..self.next_lane).contains(&declaration.lane.0) && self.groups.contains_key(&declaration.group)
        };
        if !self.declarations.values().all(lane) {
            return Err(FormatError::Unfit { tag: 5 });
        }
        Ok(())
    }
}
