//! What a node says of itself when a link opens, and whether it can be.

use mesh_wire::code::Code;
use mesh_wire::name::Name;

use super::Own;

/// What the node at the other end of a link says of itself, and what its certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Greeting {
    /// The node that its certificate names.
    pub certified: Name,
    /// The node that it says it is.
    pub node: Name,
    /// The cluster that it says it is of.
    pub cluster: Name,
    /// Its start time in microseconds since the epoch.
    pub incarnation: u64,
    /// The number of the link at the node that dialled it.
    pub dial: u64,
}

/// Why a link does not come about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What the other side is told.
    pub code: Code,
    /// What is wrong, in words.
    pub cause: String,
}

impl Refusal {
    pub(super) fn new(code: Code, cause: impl Into<String>) -> Self {
        Self { code, cause: cause.into() }
    }
}

impl Greeting {
    /// Checks that there may be a link with this node at all.
    ///
    /// # Errors
    /// A foreign cluster, a name that is not the certificate's, or this node's own name.
    pub fn judge(&self, own: &Own) -> Result<(), Refusal> {
        if self.cluster != own.cluster {
            let cause = format!("it is of cluster {}, this node of {}", self.cluster, own.cluster);
            return Err(Refusal::new(Code::IdentityWrongCluster, cause));
        }
        if self.node != self.certified {
            let cause = format!("it says it is {}, its certificate names {}", self.node, self.certified);
            return Err(Refusal::new(Code::IdentityWrongNode, cause));
        }
        if self.node != own.node {
            return Ok(());
        }
        if self.incarnation == own.incarnation {
            return Err(Refusal::new(Code::PeerIsSelf, "it is this node"));
        }
        let cause = format!(
            "both are {}: incarnation {} here, {} there",
            own.node, own.incarnation, self.incarnation
        );
        Err(Refusal::new(Code::PeerIdTaken, cause))
    }
}
