//! What can be seen of groups from outside.

use mesh_core::meta;
use mesh_log::id::GroupId;
use mesh_replica::{
    id::NodeNumber,
    view::{Role, View},
};
use serde::Serialize;

/// A group as this node sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct GroupInfo {
    /// Its number.
    pub(crate) group: u32,
    /// `meta`, or `shard-` and its number.
    pub(crate) name: String,
    /// The node that leads it, as far as is known here.
    pub(crate) leader: Option<String>,
    /// The term.
    pub(crate) term: u64,
    /// What this node is in it: `leader`, `follower`, `candidate`, `learner`.
    pub(crate) role: &'static str,
    /// Its members.
    pub(crate) replicas: Vec<ReplicaInfo>,
    /// How many entries the member lacks that is furthest behind; none when that is not known here.
    pub(crate) lag: Option<u64>,
    /// The last entry that is known to be committed.
    pub(crate) commit: u64,
    /// The last entry that is applied here.
    pub(crate) applied: u64,
    /// It has nothing to do.
    pub(crate) rests: bool,
    /// The replica here has lost something, and takes no part.
    pub(crate) quarantined: bool,
    /// A snapshot is being fetched.
    pub(crate) fetching: bool,
    /// Pieces of its records that are damaged or missing here, and are fetched from other members.
    pub(crate) damaged: usize,
    /// A change of members is under way: the members of before count, too.
    pub(crate) changing: bool,
    /// Bytes of its log in memory.
    pub(crate) log_bytes: usize,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ReplicaInfo {
    /// The node.
    pub(crate) node: String,
    /// `voter` or `learner`.
    pub(crate) role: &'static str,
    /// The last entry that it has, as far as the leader knows.
    #[serde(rename = "match")]
    pub(crate) matched: Option<u64>,
    /// How many entries it lacks, as far as the leader knows.
    pub(crate) lag: Option<u64>,
    /// It has lost what it had promised to keep, as far as the leader knows, and is to begin anew.
    pub(crate) lost: bool,
}

/// What the gauges show of the groups here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Groups {
    /// Those that this node leads.
    pub leaders: u64,
    /// Those that it follows, or would.
    pub followers: u64,
    /// Those that it has without a vote.
    pub learners: u64,
    /// Those without a leader.
    pub leaderless: u64,
    /// Those with nothing to do.
    pub resting: u64,
    /// Those that have lost something and take no part.
    pub quarantined: u64,
    /// Entries that the member lacks that is furthest behind, of groups that are led here.
    pub lag: u64,
    /// Bytes of their logs in memory.
    pub log_bytes: u64,
    /// Requests that wait to be answered.
    pub waiting: u64,
}

/// What the gauges show of the search for damage on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scrubbed {
    /// Bytes of records in segments that were read for it.
    pub bytes: u64,
    /// When all segments had been gone through, in seconds since 1970; 0 when they have not been yet.
    pub last_pass: u64,
}

impl Groups {
    /// Counts one more.
    pub(super) fn count(&mut self, view: &View) {
        match view.role {
            Role::Leader => self.leaders += 1,
            Role::Learner => self.learners += 1,
            Role::Follower | Role::Candidate => self.followers += 1,
        }
        self.leaderless += u64::from(view.leader.is_none());
        self.resting += u64::from(view.rests);
        self.quarantined += u64::from(view.quarantined);
        self.lag = self.lag.max(view.lag.values().copied().max().unwrap_or_default());
        self.log_bytes += view.log_bytes as u64;
    }
}

/// A group for a listing.
pub(super) fn describe(group: GroupId, view: &View, name: impl Fn(NodeNumber) -> String) -> GroupInfo {
    let members = &view.members;
    let voters = members.voters.union(&members.outgoing).map(|node| (*node, "voter"));
    let learners = members.learners.iter().map(|node| (*node, "learner"));
    let replicas = voters.chain(learners).map(|(node, role)| {
        let lag = match (view.role, view.leader == Some(node)) {
            (Role::Leader, true) => Some(0),
            (Role::Leader, false) => view.lag.get(&node).copied(),
            _ => None,
        };
        let matched = lag.map(|lag| view.last.saturating_sub(lag));
        let lost = view.forgot.contains(&node);
        ReplicaInfo { node: name(node), role, matched, lag, lost }
    });
    GroupInfo {
        group: group.0,
        name: if group == GroupId::META { "meta".to_owned() } else { format!("shard-{group}") },
        leader: view.leader.map(&name),
        term: view.term,
        role: match view.role {
            Role::Leader => "leader",
            Role::Follower => "follower",
            Role::Candidate => "candidate",
            Role::Learner => "learner",
        },
        replicas: replicas.collect(),
        // The leader itself lacks nothing.
        lag: matches!(view.role, Role::Leader).then(|| view.lag.values().copied().max().unwrap_or(0)),
        commit: view.commit,
        applied: view.applied,
        rests: view.rests,
        quarantined: view.quarantined,
        fetching: view.fetching,
        damaged: view.damaged,
        changing: view.changing,
        log_bytes: view.log_bytes,
    }
}

/// What a node is called: by its number when nothing is known of it.
pub(super) fn name_of(
    meta: Option<&meta::Meta>,
    founders: &[mesh_wire::name::Name],
    node: NodeNumber,
) -> String {
    let known = meta.and_then(|meta| meta.node(meta::NodeNumber(node.0))).map(|node| &node.name);
    let founder = || usize::try_from(node.0).ok().and_then(|number| founders.get(number.checked_sub(1)?));
    known.or_else(founder).map_or_else(|| format!("#{node}"), |name| name.as_str().to_owned())
}
