//! Who is at the other end.

use mesh_transport::link::Carrier;
use mesh_wire::body::WelcomeV1;

/// What the node told of itself and of this link in its greeting.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeInfo {
    /// Name of the node.
    pub node: String,
    /// Name of the cluster.
    pub cluster: String,
    /// Version of the node's software.
    pub version: String,
    /// Start time of the node in microseconds since the epoch: a restarted node has another.
    pub incarnation: u64,
    /// The link's number at the node.
    pub link: u64,
    /// Who this client is to the node, and to the services that it calls: `spiffe://CLUSTER/service/NAME` by its
    /// certificate or token, `unix:uid=UID` on a Unix socket.
    pub identity: String,
    /// Largest message body, in bytes.
    pub body_bytes_max: u64,
    /// The endpoint that this client is connected to.
    pub endpoint: String,
    /// What carries the connection.
    pub carrier: Carrier,
}

impl NodeInfo {
    pub(crate) fn new(welcome: WelcomeV1, endpoint: String, carrier: Carrier) -> Self {
        Self {
            node: welcome.node,
            cluster: welcome.cluster,
            version: welcome.version,
            incarnation: welcome.incarnation,
            link: welcome.link,
            identity: welcome.identity,
            body_bytes_max: welcome.max_body,
            endpoint,
            carrier,
        }
    }
}
