//! The answer to "who wants this subject?".

use std::sync::Arc;

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
            [single] => {
                let mut runs = Runs::default();
                single.for_each(|member| runs.add(member));
                runs.finish()
            }
            _ => {
                let mut members = Vec::new();
                found.iter().for_each(|interest| interest.for_each(|member| members.push(member)));
                members.sort_unstable();
                let mut runs = Runs::default();
                members.into_iter().for_each(|member| runs.add(member));
                runs.finish()
            }
        }
    }
}

/// Collects members that come in order: a group's members follow each other.
#[derive(Default)]
struct Runs {
    plain: [Vec<Target>; 2],
    groups: [Vec<(Arc<str>, Vec<Target>)>; 2],
}

impl Runs {
    fn add(&mut self, member: MemberRef<'_>) {
        let mode = member.mode as usize;
        let Some(name) = member.group else { return self.plain[mode].push(member.target) };
        match self.groups[mode].last_mut() {
            Some((last, members)) if last == name => members.push(member.target),
            _ => self.groups[mode].push((Arc::clone(name), vec![member.target])),
        }
    }

    fn finish(self) -> Routes {
        let boxed = |groups: Vec<(Arc<str>, Vec<Target>)>| {
            groups.into_iter().map(|(name, members)| Group { name, members: members.into() }).collect()
        };
        let [events, responders] = self.plain;
        let [event_groups, responder_groups] = self.groups;
        Routes {
            events: events.into(),
            event_groups: boxed(event_groups),
            responders: responders.into(),
            responder_groups: boxed(responder_groups),
        }
    }
}
