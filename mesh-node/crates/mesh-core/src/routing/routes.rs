//! The answer to "who wants this subject?".

use std::sync::Arc;

use smallvec::SmallVec;

use super::interest::{Interest, MemberRef};
use super::{Mode, Target};

/// Everyone who wants one subject, at one version of the table.
///
/// Targets are sorted by link, groups by name. A group is its name: members that came through different patterns
/// are in one group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routes {
    /// Each gets every message.
    pub events: Box<[Target]>,
    /// One member of each gets a message.
    pub event_groups: Box<[Group]>,
    /// Responders that are in no group.
    pub responders: Box<[Target]>,
    /// Responders that share their requests.
    pub responder_groups: Box<[Group]>,
}

/// The members of one group that want the subject; there is at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The group's name; the text is shared by all routes that name it.
    pub name: Arc<str>,
    /// Its members, sorted by link.
    pub members: Box<[Target]>,
}

impl Routes {
    /// Whether nobody wants the subject.
    pub fn is_empty(&self) -> bool {
        self.targets() == 0
    }

    /// Whether a message would reach nobody.
    pub fn has_no_events(&self) -> bool {
        self.events.is_empty() && self.event_groups.is_empty()
    }

    /// Whether a request would reach nobody.
    pub fn has_no_responders(&self) -> bool {
        self.responders.is_empty() && self.responder_groups.is_empty()
    }

    /// How many targets are named, members of groups included: a measure of the memory held.
    pub fn targets(&self) -> usize {
        let members = |groups: &[Group]| groups.iter().map(|group| group.members.len()).sum::<usize>();
        self.events.len()
            + self.responders.len()
            + members(&self.event_groups)
            + members(&self.responder_groups)
    }

    pub(super) fn of(found: &[&Interest]) -> Self {
        match found {
            [] => Self::default(),
            [Interest::One { mode, subscription, link }] => {
                let target = Box::new([Target::new(*link, *subscription)]);
                match mode {
                    Mode::Events => Self { events: target, ..Self::default() },
                    Mode::Responder => Self { responders: target, ..Self::default() },
                }
            }
            _ => {
                let mut members: SmallVec<[MemberRef<'_>; 16]> = SmallVec::new();
                found.iter().for_each(|interest| interest.for_each(|member| members.push(member)));
                if found.len() > 1 {
                    members.sort_unstable();
                }
                Self::of_sorted(&members)
            }
        }
    }

    fn of_sorted(members: &[MemberRef<'_>]) -> Self {
        let mut plain: [Box<[Target]>; 2] = Default::default();
        let mut groups: [Vec<Group>; 2] = Default::default();
        for run in members.chunk_by(|one, next| one.mode == next.mode && one.group == next.group) {
            let mode = run[0].mode as usize;
            let targets = run.iter().map(|member| member.target).collect();
            match run[0].group {
                None => plain[mode] = targets,
                Some(name) => groups[mode].push(Group { name: Arc::clone(name), members: targets }),
            }
        }
        let [events, responders] = plain;
        let [event_groups, responder_groups] = groups.map(Vec::into_boxed_slice);
        Self { events, event_groups, responders, responder_groups }
    }
}
