//! How the first nodes of a cluster agree on who they are, before any of them promises anything.
//!
//! ```text
//!   each hears of all the others: name, number, directory ─► writes the list down   (agreed)
//!   each hears that all the others wrote down the same   ─► writes that down       (begun)  ─► opens its groups, votes
//!   one hears that another one has begun with its list    ─► the same
//! ```
//! A directory agrees to one list, once for all, and takes part only when every directory of its list has agreed to it. So
//! two lists of which both have begun share no directory: a node that lost its directory, and comes back under its name
//! with another one, finds somebody who remembers the one before, and is not among the founders any more. It joins.

use std::collections::BTreeMap;

use mesh_log::directory::{Founders, Uuid};
use mesh_replica::id::NodeNumber;

/// What another founder says of itself, over a link that is up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Its directory.
    pub directory: Uuid,
    /// What it has written down.
    pub founders: Option<Founders>,
}

/// A founder, as it is now.
#[derive(Debug, Clone, Copy)]
pub struct Founder<'a> {
    /// Its number.
    pub own: NodeNumber,
    /// Its directory.
    pub directory: Uuid,
    /// How many founders there are.
    pub count: usize,
    /// What it has written down.
    pub written: Option<&'a Founders>,
}

/// What a founder does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// It waits for others.
    Wait(Waits),
    /// It writes this down, durably, and then says so to all. When the cluster has begun, it takes part from then on.
    Write(Founders),
    /// Others have agreed to another directory under its number: it begins anew, and joins.
    Resign,
    /// It takes part.
    Nothing,
}

/// Whom a founder waits for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Waits {
    /// It has not heard of these, or not that they agree.
    pub missing: Vec<NodeNumber>,
    /// These have agreed to another list, or came back with another directory: this does not change by itself.
    pub differing: Vec<NodeNumber>,
}

impl Founder<'_> {
    /// What is next, given what is heard of the others.
    #[must_use]
    pub fn next(&self, heard: &BTreeMap<NodeNumber, Heard>) -> Next {
        match self.written {
            None => self.agree(heard),
            Some(written) if written.begun => Next::Nothing,
            Some(written) => self.begin(written, heard),
        }
    }

    fn agree(&self, heard: &BTreeMap<NodeNumber, Heard>) -> Next {
        let at = usize::try_from(self.own.0).ok().and_then(|number| number.checked_sub(1));
        let counts_another = |other: &Heard| {
            let founders = other.founders.as_ref();
            founders.is_some_and(|list| at.and_then(|at| list.directories.get(at)) != Some(&self.directory))
        };
        if heard.values().any(counts_another) {
            return Next::Resign;
        }
        let missing: Vec<_> = self.others().filter(|node| !heard.contains_key(node)).collect();
        if !missing.is_empty() {
            return Next::Wait(Waits { missing, ..Waits::default() });
        }
        let directory = |node: NodeNumber| heard.get(&node).map_or(self.directory, |other| other.directory);
        let directories: Vec<Uuid> = self.all().map(directory).collect();
        let differs = |other: &Heard| {
            other.founders.as_ref().is_some_and(|founders| founders.directories != directories)
        };
        let differing: Vec<_> =
            heard.iter().filter(|(_, other)| differs(other)).map(|(node, _)| *node).collect();
        if !differing.is_empty() {
            return Next::Wait(Waits { differing, ..Waits::default() });
        }
        Next::Write(Founders { directories, begun: false })
    }

    fn begin(&self, written: &Founders, heard: &BTreeMap<NodeNumber, Heard>) -> Next {
        let begun = Next::Write(Founders { begun: true, ..written.clone() });
        let list =
            |other: &Heard| other.founders.as_ref().map(|list| list.directories == written.directories);
        if heard.values().any(|other| {
            list(other) == Some(true) && other.founders.as_ref().is_some_and(|founders| founders.begun)
        }) {
            return begun;
        }
        let mut waits = Waits::default();
        for (node, directory) in self.all().zip(&written.directories).filter(|(node, _)| *node != self.own) {
            match heard.get(&node) {
                Some(other) if other.directory != *directory => waits.differing.push(node),
                Some(other) => match list(other) {
                    Some(true) => {}
                    Some(false) => waits.differing.push(node),
                    None => waits.missing.push(node),
                },
                None => waits.missing.push(node),
            }
        }
        if waits == Waits::default() { begun } else { Next::Wait(waits) }
    }

    fn all(&self) -> impl Iterator<Item = NodeNumber> + use<> {
        (1..=self.count as u64).map(NodeNumber)
    }

    fn others(&self) -> impl Iterator<Item = NodeNumber> + use<> {
        let own = self.own;
        self.all().filter(move |node| *node != own)
    }
}

#[cfg(test)]
mod tests;
