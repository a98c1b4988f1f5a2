//! What the session has done, and what comes of it.

use std::time::Duration;

use crate::{error::Trouble, founding::Founding, record::Record};

/// What the shell is to do. All but [`Action::Close`] are on the connection that was opened last.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Open a connection: [`Input::Connected`].
    Connect {
        /// Which of the endpoints.
        endpoint: usize,
    },
    /// Give up the connection and all that is under way on it.
    Close,
    /// Get a lease: [`Input::Granted`].
    Grant {
        /// For how long.
        ttl: Duration,
    },
    /// Renew a lease: [`Input::Alive`] or [`Input::LeaseGone`].
    KeepAlive {
        /// Which.
        lease: i64,
    },
    /// Write the own record under the own key, unless somebody has it: [`Input::Registered`], [`Input::Held`] or
    /// [`Input::LeaseGone`].
    Register {
        /// The lease that it goes with.
        lease: i64,
        /// When to write it.
        guard: Guard,
        /// What to write.
        record: Box<Record>,
    },
    /// See for how long somebody's lease is valid: [`Input::Looked`].
    Look {
        /// Which.
        lease: i64,
    },
    /// Read the next page of all nodes: [`Input::Page`] or [`Input::Compacted`].
    Read {
        /// The last key of the page before.
        after: Option<Vec<u8>>,
        /// As of when; as of now for the first page.
        revision: Option<i64>,
    },
    /// Watch all nodes: [`Input::Watching`], then [`Input::Changes`]; or [`Input::Compacted`].
    Watch {
        /// The first change that is not known.
        from: i64,
    },
    /// Ask whether the watch is alive: [`Input::Progress`].
    Progress,
    /// Look how the cluster began, or begin it: [`Input::Founding`].
    Found {
        /// What to write if there is nothing.
        proposal: Option<Founding>,
        /// Write only if no node has changed after this revision.
        unchanged_since: Option<i64>,
    },
    /// Say goodbye if the key is of this lease, and revoke it: [`Input::Departed`].
    Depart {
        /// Which.
        lease: i64,
        /// The goodbye.
        record: Box<Record>,
    },
}

/// When a registration is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// While nobody has the key.
    Absent,
    /// While it was last changed at this revision.
    Unchanged(i64),
}

/// What came of an [`Action`].
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// There is a connection, and its user is who they say.
    Connected,
    /// Something failed.
    Failed(Trouble),
    /// There is a lease.
    Granted {
        /// Which.
        lease: i64,
        /// For how long; etcd may give more than it was asked for.
        ttl: Duration,
    },
    /// The lease begins anew.
    Alive,
    /// There is no such lease any more.
    LeaseGone,
    /// The record was written.
    Registered,
    /// It was not: there is one.
    Held(Box<Holder>),
    /// How long the lease that was looked at is valid, if there is one.
    Looked(Option<Validity>),
    /// Some of the nodes.
    Page {
        /// They.
        items: Vec<Item>,
        /// Whether there are more.
        more: bool,
        /// As of when.
        revision: i64,
    },
    /// The revision that was asked for is gone.
    Compacted,
    /// The watch is there.
    Watching,
    /// Something changed.
    Changes {
        /// In their order.
        changes: Vec<Change>,
        /// As of when.
        revision: i64,
    },
    /// The watch is alive.
    Progress,
    /// How the cluster began.
    Founding {
        /// What is written now; nothing if it has not begun.
        founding: Option<Founding>,
        /// Whether it was written just now.
        ours: bool,
    },
    /// The registration was taken back.
    Departed,
}

/// Who has this node's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// What is under it, if it can be read.
    pub record: Option<Record>,
    /// The lease that it goes with; 0 is none.
    pub lease: i64,
    /// When it was last changed.
    pub revision: i64,
}

/// How long a lease is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// From now, in whole seconds.
    pub left: Duration,
    /// When it has just been renewed.
    pub granted: Duration,
}

/// A key below the prefix, and what is under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The key without the prefix.
    pub key: Vec<u8>,
    /// The value.
    pub value: Vec<u8>,
}

/// A change of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// This is under it now.
    Put(Item),
    /// Nothing is.
    Delete {
        /// The key without the prefix.
        key: Vec<u8>,
    },
}
