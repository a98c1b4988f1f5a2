//! How much of this node's interest one peer has been told.

use std::collections::HashSet;

use foldhash::fast::RandomState;

use super::{Change, InterestId, Local, Part, Update, local::Recent};

/// See the [module](super). One for each link with a peer.
#[derive(Debug)]
pub struct Cursor {
    told: Told,
    /// The last interest that the whole named: some of these are newer than the number at which it began.
    named: InterestId,
    acknowledged: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
enum Told {
    /// The whole, up to this interest; then what changed since `at`.
    Whole { at: Option<u64>, upto: InterestId },
    /// All up to this number.
    Upto(u64),
}

const NOTHING: Told = Told::Whole { at: None, upto: InterestId(0) };

impl Default for Cursor {
    fn default() -> Self {
        Self::new()
    }
}

impl Cursor {
    /// A peer that was told nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self { told: NOTHING, named: InterestId(0), acknowledged: None }
    }

    /// What to tell next, of about `bytes` and at least one change; `None` when the peer was told all.
    pub fn next(&mut self, local: &Local, bytes: usize) -> Option<Update> {
        match self.told {
            Told::Whole { at, upto } => Some(self.next_part(local, at, upto, bytes)),
            Told::Upto(number) if number == local.sequence() => None,
            Told::Upto(number) => match local.since(number) {
                Some(changed) => Some(self.next_changes(local, number, changed, bytes)),
                None => {
                    self.told = NOTHING;
                    self.next(local, bytes)
                }
            },
        }
    }

    /// The peer missed something and asks for the whole.
    pub fn restart(&mut self) {
        self.told = NOTHING;
    }

    /// The peer's routing table has all up to a number. Numbers that it was never told are passed over.
    pub fn handle_acknowledged(&mut self, number: u64) {
        let told = match self.told {
            Told::Upto(told) => told,
            // From before it asked for the whole.
            Told::Whole { .. } => return,
        };
        if number <= told {
            self.acknowledged = self.acknowledged.max(Some(number));
        }
    }

    /// Whether all up to a number is effective at the peer.
    #[must_use]
    pub fn is_effective(&self, number: u64) -> bool {
        self.acknowledged.is_some_and(|acknowledged| acknowledged >= number)
    }

    fn next_part(&mut self, local: &Local, at: Option<u64>, upto: InterestId, bytes: usize) -> Update {
        let after = upto;
        let at = at.unwrap_or_else(|| local.sequence());
        let mut rest = local.after(upto);
        let (changes, _) = fill(bytes, rest.by_ref().map(Change::Set));
        let upto = changes.last().map_or(upto, |change| match change {
            Change::Set(entry) => entry.id,
            Change::Gone(id) => *id,
        });
        let last = local.after(upto).next().is_none();
        self.named = upto;
        self.told = if last { Told::Upto(at) } else { Told::Whole { at: Some(at), upto } };
        Update { part: Some(Part { after, upto, last }), from: at, to: at, changes }
    }

    fn next_changes(
        &mut self,
        local: &Local,
        from: u64,
        changed: impl Iterator<Item = Recent>,
        bytes: usize,
    ) -> Update {
        let mut seen: HashSet<InterestId, RandomState> = HashSet::default();
        let mut passed = 0;
        let named = self.named;
        let fresh = changed.filter_map(|Recent { id, is_new }| {
            passed += 1;
            let change = seen.insert(id).then(|| local.change(id))?;
            // What came and went is not told.
            let is_unknown = is_new && id > named;
            (!is_unknown || matches!(change, Change::Set(_))).then_some(change)
        });
        let (changes, is_all) = fill(bytes, fresh);
        // The change that was one too many was looked at and is left for the next update.
        let to = if is_all { local.sequence() } else { from + passed - 1 };
        self.told = Told::Upto(to);
        Update { part: None, from, to, changes }
    }
}

/// Changes for about so many bytes, at least one; whether these are all.
fn fill(bytes: usize, changes: impl Iterator<Item = Change>) -> (Vec<Change>, bool) {
    let mut sum = 0;
    let mut taken = Vec::new();
    for change in changes {
        sum += change.bytes();
        if sum > bytes && !taken.is_empty() {
            return (taken, false);
        }
        taken.push(change);
    }
    (taken, true)
}
