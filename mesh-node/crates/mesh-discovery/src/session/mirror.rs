//! The nodes that etcd has: read as a whole, then change by change.

use std::time::{Duration, Instant};

use mesh_wire::name::Name;

use super::{Action, Change, Item};
use crate::{
    error::Trouble,
    event::Left,
    feed::Feed,
    peer::{Key, Peer},
    record::{self, Record},
};

/// Longest key that is reported whole, in bytes.
const KEY_BYTES: usize = 128;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    stage: Stage,
    /// The last revision that is known in full.
    revision: i64,
    /// Whether the own key was there when everything was read.
    has_own: bool,
}

#[derive(Debug, Default)]
enum Stage {
    #[default]
    Off,
    Reading {
        peers: Vec<Peer>,
        as_of: Option<i64>,
    },
    Opening,
    Watching {
        /// When to ask whether the watch is alive; asked when there is none.
        ask: Option<Instant>,
    },
}

impl Mirror {
    /// Reads everything, whatever was known.
    pub(super) fn open(&mut self) -> Action {
        self.has_own = false;
        self.stage = Stage::Reading { peers: Vec::new(), as_of: None };
        Action::Read { after: None, revision: None }
    }

    pub(super) fn close(&mut self) {
        self.stage = Stage::Off;
    }

    pub(super) fn is_watching(&self) -> bool {
        matches!(self.stage, Stage::Watching { .. })
    }

    /// Whether everything was read, and the own key was not there or somebody else's.
    pub(super) fn lacks_own(&self) -> bool {
        matches!(self.stage, Stage::Opening) && !self.has_own
    }

    pub(super) fn revision(&self) -> i64 {
        self.revision
    }

    pub(super) fn handle_page(
        &mut self,
        items: Vec<Item>,
        more: bool,
        revision: i64,
        own: &Record,
        feed: &mut Feed,
    ) -> Action {
        let Stage::Reading { peers, as_of } = &mut self.stage else { return self.open() };
        // Later pages are of the first one's revision, whatever is the newest by then.
        let as_of = *as_of.get_or_insert(revision);
        let after = items.last().map(|item| item.key.clone());
        for item in items {
            match read(&item) {
                Ok(record) if record.id == own.id => self.has_own = record.instance == own.instance,
                Ok(record) if record.leaving => {}
                Ok(record) => peers.push(Peer::Node(Box::new(record))),
                Err((key, why)) => feed.handle_ignored(&key, why),
            }
        }
        if more && after.is_some() {
            return Action::Read { after, revision: Some(as_of) };
        }
        feed.handle_all(std::mem::take(peers), Left::Hint);
        self.stage = Stage::Opening;
        self.revision = as_of;
        Action::Watch { from: as_of + 1 }
    }

    pub(super) fn handle_watching(&mut self, now: Instant, pace: Duration) {
        if let Stage::Opening = self.stage {
            self.stage = Stage::Watching { ask: Some(now + pace) };
        }
    }

    /// Applies what changed, and says whether the own key is not the own one's any more.
    pub(super) fn handle_changes(
        &mut self,
        changes: Vec<Change>,
        revision: i64,
        own: &Record,
        feed: &mut Feed,
    ) -> bool {
        if !self.is_watching() {
            return false;
        }
        self.revision = self.revision.max(revision);
        let mut is_lost = false;
        for change in changes {
            match change {
                Change::Delete { key } => match node(&key) {
                    Some(id) if id == own.id => is_lost = true,
                    Some(id) => feed.handle_gone(&Key::Node(id), Left::Hint),
                    None => {}
                },
                Change::Put(item) => match read(&item) {
                    Ok(record) if record.id == own.id => is_lost = record.instance != own.instance,
                    Ok(record) if record.leaving => feed.handle_gone(&Key::Node(record.id), Left::Meant),
                    Ok(record) => feed.handle_peer(Peer::Node(Box::new(record))),
                    Err((key, why)) => {
                        if let Some(id) = node(&item.key) {
                            is_lost |= id == own.id;
                            feed.handle_gone(&Key::Node(id), Left::Hint);
                        }
                        feed.handle_ignored(&key, why);
                    }
                },
            }
        }
        is_lost
    }

    /// The answer is only taken as a sign of life: etcd before 3.4.25 and 3.5.8 may name a revision in it whose changes
    /// are yet to come (etcd issue 15220).
    pub(super) fn handle_progress(&mut self, now: Instant, pace: Duration) {
        if let Stage::Watching { ask } = &mut self.stage {
            *ask = Some(now + pace);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match self.stage {
            Stage::Watching { ask } => ask,
            _ => None,
        }
    }

    pub(super) fn is_progress_due(&mut self, now: Instant) -> bool {
        match &mut self.stage {
            Stage::Watching { ask } => ask.take_if(|ask| now >= *ask).is_some(),
            _ => false,
        }
    }
}

fn node(key: &[u8]) -> Option<Name> {
    Name::new(Name::check(key).ok()?).ok()
}

fn read(item: &Item) -> Result<Record, (String, Trouble)> {
    let record = Record::decode(&item.value).and_then(|record| {
        if record.id.as_str().as_bytes() == item.key {
            Ok(record)
        } else {
            Err(record::Error::OtherId(record.id))
        }
    });
    record.map_err(|error| {
        let shown = &item.key[..item.key.len().min(KEY_BYTES)];
        (String::from_utf8_lossy(shown).into_owned(), Trouble { code: error.code(), text: error.to_string() })
    })
}
