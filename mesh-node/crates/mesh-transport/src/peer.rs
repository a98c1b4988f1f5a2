//! Who is at the other end of a Unix socket, and whether it may be.

use std::fmt;

use mesh_wire::code::Code;
use tokio::net::unix::UCred;

/// Most user ids, and most group ids, that an [`Admission`] lists.
pub const ALLOWED_IDS: usize = 64;

/// The credentials that the kernel vouches for: those of the process that connected, at that time.
///
/// Displayed as the link's identity: `unix:uid=1000,pid=42`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Peer {
    /// Effective user id.
    pub uid: u32,
    /// Effective group id; supplementary groups are not seen.
    pub gid: u32,
    /// Process id, where the kernel tells one.
    pub pid: Option<i32>,
}

impl From<UCred> for Peer {
    fn from(credentials: UCred) -> Self {
        Self { uid: credentials.uid(), gid: credentials.gid(), pid: credentials.pid() }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unix:uid={}", self.uid)?;
        match self.pid {
            Some(pid) => write!(f, ",pid={pid}"),
            None => Ok(()),
        }
    }
}

/// Who may connect: the node's own user, root, and those listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    own_uid: u32,
    allowed_uids: Vec<u32>,
    allowed_gids: Vec<u32>,
}

impl Admission {
    /// Admits the user that this process runs as, root, and those listed. Ids beyond the first [`ALLOWED_IDS`] of a
    /// list are left out: configuration refuses longer lists before.
    #[must_use]
    pub fn new(mut allowed_uids: Vec<u32>, mut allowed_gids: Vec<u32>) -> Self {
        allowed_uids.truncate(ALLOWED_IDS);
        allowed_gids.truncate(ALLOWED_IDS);
        Self { own_uid: rustix::process::geteuid().as_raw(), allowed_uids, allowed_gids }
    }

    /// The same rules for a node that runs as `uid`.
    #[must_use]
    pub fn for_node_user(mut self, uid: u32) -> Self {
        self.own_uid = uid;
        self
    }

    /// Whether `peer` may connect.
    ///
    /// # Errors
    /// [`Refused`] when it may not.
    pub fn check(&self, peer: Peer) -> Result<(), Refused> {
        let admitted = peer.uid == 0
            || peer.uid == self.own_uid
            || self.allowed_uids.contains(&peer.uid)
            || self.allowed_gids.contains(&peer.gid);
        if admitted { Ok(()) } else { Err(Refused { peer }) }
    }
}

/// A peer that may not connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("user {} (group {}) may not use this node", .peer.uid, .peer.gid)]
pub struct Refused {
    /// Who it was.
    pub peer: Peer,
}

impl Refused {
    /// The stable code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::PeerNotAllowed
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        format!("let the node's operator add {} to socket.allow_uids", self.peer.uid)
    }

    /// Whether the same peer may be admitted later without a change of configuration: no.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(uid: u32, gid: u32) -> Peer {
        Peer { uid, gid, pid: Some(7) }
    }

    #[test]
    fn who_may_connect() {
        let closed = Admission::new(vec![], vec![]).for_node_user(1000);
        let open = Admission::new(vec![1001], vec![500]).for_node_user(1000);
        let table = [
            ("the node's user", &closed, peer(1000, 1), true),
            ("root", &closed, peer(0, 0), true),
            ("another user", &closed, peer(1001, 1000), false),
            ("root's group alone", &closed, peer(1001, 0), false),
            ("an allowed user", &open, peer(1001, 9), true),
            ("an allowed group", &open, peer(1002, 500), true),
            ("a user with the number of an allowed group", &open, peer(500, 9), false),
            ("a group with the number of an allowed user", &open, peer(9, 1001), false),
            ("a stranger", &open, peer(1002, 501), false),
        ];
        for (who, admission, peer, admitted) in table {
            assert_eq!(admission.check(peer).is_ok(), admitted, "{who}");
        }
    }

    #[test]
    fn a_refusal_names_the_user_and_what_to_do() {
        let refused = Admission::new(vec![], vec![]).for_node_user(1).check(peer(1234, 5)).unwrap_err();
        assert_eq!(refused.code(), Code::PeerNotAllowed);
        assert!(refused.to_string().contains("user 1234 (group 5)"), "{refused}");
        assert!(refused.hint().contains("1234"), "{}", refused.hint());
        assert!(!refused.is_retryable());
    }

    #[test]
    fn lists_are_bounded() {
        let uids: Vec<u32> = (2000..).take(ALLOWED_IDS + 1).collect();
        let last = *uids.last().unwrap();
        let admission = Admission::new(uids, vec![]).for_node_user(1);
        assert!(admission.check(peer(last - 1, 1)).is_ok());
        assert!(admission.check(peer(last, 1)).is_err());
    }

    #[test]
    fn an_identity_as_text() {
        assert_eq!(peer(1000, 1).to_string(), "unix:uid=1000,pid=7");
        assert_eq!(Peer { uid: 5, gid: 5, pid: None }.to_string(), "unix:uid=5");
    }
}
