//! The one table of all error codes of the project.
//!
//! A code is a number that never changes its meaning and is never used again once it is gone. It has a page in
//! `docs/reference/errors/`, made from this table, and `mesh explain` prints the same text.
//!
//! | numbers | about |
//! |---|---|
//! | 1001 to 1049 | links, frames, messages; 1042 is *no responders*, the one that everybody meets |
//! | 1050 to 1099 | the end of links, access, internal errors |
//! | 1100 to 1149 | record batches |
//! | 2001 to 2999 | subjects, names, subscriptions |
//! | 3001 to 3999 | requests and replies |
//! | 4001 to 4999 | configuration and start-up of a node |
//! | 5001 to 5999 | clients and the command line |
//! | 6001 to 6099 | networks, certificates, tokens, peers |
//! | 6100 to 6999 | discovery: who is in the cluster |
//! | 7001 to 7999 | the durable plane: data directories, logs, replicas, declarations, records |
//!
//! ```
//! use mesh_wire::code::{Code, Report};
//!
//! assert_eq!(Code::NoResponders.to_string(), "MESH-1042");
//! assert_eq!("mesh-1042".parse(), Ok(Code::NoResponders));
//! let report = Report::new(Code::NoResponders, "no responders for \"orders.get\"").to_string();
//! assert!(report.starts_with("error[MESH-1042]: no responders for \"orders.get\"\ncause: "));
//! ```

mod entry;
mod explain;
mod kind;
mod properties;
mod report;
mod table;
#[cfg(test)]
mod tests;
mod text;

pub use self::explain::explain;
pub use self::kind::ErrorKind;
pub use self::report::Report;
pub use self::text::ParseCodeError;

/// A stable error code; its discriminant is its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[repr(u16)]
pub enum Code {
    /// The link did not start with the Mesh preface.
    PrefaceBad = 1001,
    /// No protocol version in common.
    VersionUnsupported = 1002,
    /// A frame came before HELLO.
    HelloExpected = 1003,
    /// HELLO came twice on one link.
    HelloRepeated = 1004,
    /// The handshake was not finished in time.
    HandshakeTimeout = 1005,
    /// A frame used a feature that the link did not agree on.
    FeatureNotAgreed = 1006,
    /// A frame's length is below the size of its header.
    FrameUndersize = 1010,
    /// A frame's length is over the limit.
    FrameOversize = 1011,
    /// The link closed in the middle of a frame.
    FrameTruncated = 1012,
    /// Unknown frame kind.
    UnknownKind = 1013,
    /// A frame of a kind that this side may not send now.
    UnexpectedKind = 1014,
    /// The parts of a frame do not fit into it.
    FrameMalformed = 1015,
    /// The extension area of a frame can't be read.
    ExtMalformed = 1016,
    /// The body of a control frame can't be read.
    BodyMalformed = 1017,
    /// A field of a frame is out of its range.
    FieldOutOfRange = 1018,
    /// A message header is malformed.
    HeaderMalformed = 1020,
    /// More headers than a message may have.
    TooManyHeaders = 1021,
    /// The headers of a message are too large.
    HeadersTooLarge = 1022,
    /// The body of a message is too large.
    BodyTooLarge = 1023,
    /// The message id is too long.
    MessageIdTooLong = 1024,
    /// The message key is too long.
    KeyTooLong = 1025,
    /// Too many chunked messages under way.
    TooManyChunkSeries = 1030,
    /// A chunk belongs to no series that is open.
    ChunkUnknownSeries = 1031,
    /// A chunk series was opened twice.
    ChunkSeriesInUse = 1032,
    /// A chunked body is longer or shorter than announced.
    ChunkLengthMismatch = 1033,
    /// No responders.
    NoResponders = 1042,
    /// The node is draining.
    NodeDraining = 1050,
    /// The node closed the link because it stops.
    NodeStopped = 1051,
    /// The other side of the link went silent.
    LinkIdle = 1052,
    /// The link was closed because the client stopped reading.
    LinkStalled = 1053,
    /// The node holds as many links as it may.
    TooManyLinks = 1060,
    /// This user may not use the node.
    PeerNotAllowed = 1061,
    /// The token was refused.
    TokenRefused = 1062,
    /// The client may not do this.
    PermissionDenied = 1063,
    /// An internal error.
    InternalError = 1099,
    /// A record batch can't be read.
    BatchMalformed = 1100,
    /// A record batch has an unknown version.
    BatchVersionUnsupported = 1101,
    /// A record batch is too large.
    BatchTooLarge = 1102,
    /// A record batch holds too many records.
    TooManyRecords = 1103,
    /// The index of a record batch is damaged.
    BatchIndexCorrupt = 1104,
    /// A record is damaged.
    RecordCorrupt = 1105,
    /// A record batch is encoded in a way that this reader does not know.
    BatchEncodingUnsupported = 1106,
    /// A record has a field out of its range.
    RecordInvalid = 1107,
    /// The subject is malformed.
    SubjectMalformed = 2001,
    /// The subject is too long.
    SubjectTooLong = 2002,
    /// The subject has too many tokens.
    SubjectTooManyTokens = 2003,
    /// The subject belongs to the node.
    SubjectReserved = 2004,
    /// A wildcard stands where only a plain subject may.
    SubjectWildcard = 2005,
    /// The pattern is malformed.
    PatternMalformed = 2006,
    /// The name is malformed.
    NameMalformed = 2010,
    /// The name is too long.
    NameTooLong = 2011,
    /// No such subscription on this link.
    SubscriptionUnknown = 2020,
    /// The subscription id is in use.
    SubscriptionIdInUse = 2021,
    /// The link holds as many subscriptions as it may.
    TooManySubscriptions = 2022,
    /// A subscription asks for a pending limit out of range.
    PendingLimitOutOfRange = 2023,
    /// A subscription asks for a credit out of range.
    CreditOutOfRange = 2024,
    /// More credit was granted than a subscription may hold.
    CreditOverflow = 2025,
    /// The subscription was closed because it could not keep up.
    SubscriptionOverflow = 2030,
    /// Messages were dropped.
    MessagesDropped = 2031,
    /// The request was not answered before its deadline.
    RequestDeadline = 3001,
    /// The request was cancelled.
    RequestCancelled = 3002,
    /// The responder went away before it answered.
    ResponderGone = 3003,
    /// The responder refused the request.
    RequestRefused = 3004,
    /// The request id is in use.
    RequestIdInUse = 3005,
    /// Too many requests under way on the link.
    TooManyRequests = 3006,
    /// The timeout of a request is out of range.
    TimeoutOutOfRange = 3007,
    /// The retry budget is spent.
    RetryBudgetSpent = 3008,
    /// The responder holds as many calls as it takes at once.
    ResponderBusy = 3009,
    /// A reply to a call that was not made to this client.
    ReplyForeign = 3010,
    /// A second reply to the same call.
    ReplyRepeated = 3011,
    /// More replies than the requester gave credit for.
    ReplyBeyondCredit = 3012,
    /// The reply came too late.
    ReplyLate = 3013,
    /// The credit for replies is out of range.
    ReplyCreditOutOfRange = 3014,
    /// The responder answered with an error of its own.
    ApplicationError = 3020,
    /// The service has no such method.
    MethodUnknown = 3021,
    /// The service could not read the body of the request.
    RequestBodyInvalid = 3022,
    /// The handler of the request panicked.
    HandlerPanicked = 3023,
    /// The node has no such request.
    NodeRequestUnknown = 3030,
    /// The node could not read the body of the request.
    NodeRequestInvalid = 3031,
    /// The configuration file can't be read.
    ConfigUnreadable = 4001,
    /// The configuration file is not valid TOML.
    ConfigSyntax = 4002,
    /// Unknown configuration key.
    ConfigUnknownKey = 4003,
    /// A configuration value is not valid.
    ConfigBadValue = 4004,
    /// A running node already listens on the socket.
    SocketInUse = 4010,
    /// A stale socket file can't be removed.
    SocketStale = 4011,
    /// There is no directory for the socket.
    SocketNoDirectory = 4012,
    /// The path of the socket is too long.
    SocketPathTooLong = 4013,
    /// The path is not a socket.
    SocketNotASocket = 4014,
    /// No permission to make the socket.
    SocketPermissionDenied = 4015,
    /// The socket can't be used.
    SocketUnusable = 4016,
    /// The node ran out of files or memory for new links.
    AcceptExhausted = 4017,
    /// The admin HTTP address is in use.
    HttpAddressInUse = 4020,
    /// The admin HTTP address can't be used.
    HttpUnusable = 4021,
    /// The request carries a host name that the admin HTTP server does not answer for.
    HttpHostRefused = 4022,
    /// The address for clients or peers is in use.
    ListenInUse = 4023,
    /// The address for clients or peers can't be used.
    ListenUnusable = 4024,
    /// Insecure links are for this machine only.
    InsecureNotLoopback = 4025,
    /// Listening on a network needs certificates.
    ListenNeedsCertificates = 4026,
    /// The settings for peers are not complete.
    PeerConfigIncomplete = 4027,
    /// The data directory can't be used.
    DataDirUnusable = 4030,
    /// The data directory belongs to a running node.
    DataDirLocked = 4031,
    /// Telemetry can't be set up.
    TelemetrySetup = 4040,
    /// There is no socket to connect to.
    ConnectNoSuchSocket = 5001,
    /// Nothing listens there.
    ConnectNothingListening = 5002,
    /// No permission to connect to the socket.
    ConnectPermissionDenied = 5003,
    /// The node did not accept the connection in time.
    ConnectBusy = 5004,
    /// The connection failed.
    ConnectFailed = 5005,
    /// Connecting took too long.
    ConnectTimeout = 5006,
    /// What answered is not a Mesh node.
    PeerNotMesh = 5007,
    /// The name of the node's host has no address.
    HostUnresolved = 5008,
    /// The connection to the node was lost.
    Disconnected = 5010,
    /// The client is not connected.
    NotConnected = 5011,
    /// The client gave up reconnecting.
    ReconnectGaveUp = 5012,
    /// The client is closed.
    ClientClosed = 5013,
    /// The client's outbox is full.
    OutboxFull = 5014,
    /// The body could not be encoded.
    EncodeFailed = 5020,
    /// The body could not be decoded.
    DecodeFailed = 5021,
    /// The body is in an encoding that this client can't read.
    EncodingUnsupported = 5022,
    /// The service is not set up properly.
    ServiceInvalid = 5030,
    /// The address of the node is not valid.
    EndpointInvalid = 5040,
    /// The address of the node is of a kind that is not supported.
    EndpointNotSupported = 5041,
    /// There is no context of this name.
    ContextUnknown = 5042,
    /// The contexts can't be read or written.
    ContextUnreadable = 5043,
    /// The command was not used properly.
    UsageError = 5050,
    /// The input can't be read.
    InputUnreadable = 5051,
    /// The output can't be written.
    OutputFailed = 5052,
    /// There is no such error code.
    CodeUnknown = 5053,
    /// The check found problems.
    CheckFailed = 5054,
    /// The command that answers requests failed.
    CommandFailed = 5055,
    /// The benchmark lost messages.
    BenchIncomplete = 5056,
    /// The node is not healthy.
    NodeUnhealthy = 5060,
    /// The node did not finish draining in time.
    DrainTimeout = 5061,
    /// The other side showed no certificate.
    CertificateMissing = 6001,
    /// The certificate comes from no CA that is trusted.
    CertificateUntrusted = 6002,
    /// The certificate has expired.
    CertificateExpired = 6003,
    /// The certificate is not valid yet.
    CertificateNotYetValid = 6004,
    /// The certificate was revoked.
    CertificateRevoked = 6005,
    /// The certificate is not valid for the address that was dialled.
    CertificateWrongName = 6006,
    /// The certificate of the other side can't be read.
    CertificateMalformed = 6007,
    /// The certificate names no Mesh identity.
    IdentityMissing = 6008,
    /// A node's certificate where a service's belongs, or the reverse.
    IdentityWrongKind = 6009,
    /// The certificate is one of another cluster.
    IdentityWrongCluster = 6010,
    /// The certificate names somebody else.
    IdentityWrongNode = 6011,
    /// The certificate may not be used for this.
    CertificateWrongUse = 6012,
    /// A certificate file can't be read.
    CertsUnreadable = 6020,
    /// A certificate file is damaged or holds something else.
    CertsMalformed = 6021,
    /// The private key does not belong to the certificate.
    CertsKeyMismatch = 6022,
    /// There is no certificate where one is needed.
    CertsMissing = 6023,
    /// Several certificates could be meant.
    CertsAmbiguous = 6024,
    /// The revocation list can't be used.
    CrlUnusable = 6025,
    /// The certificate files exist already.
    CertsExist = 6026,
    /// The certificate could not be made.
    CertsIssueFailed = 6027,
    /// The client showed neither a certificate nor a token.
    IdentityRequired = 6030,
    /// The token can't be read.
    TokenMalformed = 6031,
    /// The token's algorithm is not accepted.
    TokenAlgorithm = 6032,
    /// The token is signed with a key that is not known.
    TokenKeyUnknown = 6033,
    /// The token's signature is wrong.
    TokenSignature = 6034,
    /// The token is meant for somebody else.
    TokenAudience = 6035,
    /// The token has expired.
    TokenExpired = 6036,
    /// The token is not valid yet.
    TokenNotYetValid = 6037,
    /// The token's subject is not a name of a service.
    TokenSubject = 6038,
    /// The key file for tokens can't be used.
    JwksUnusable = 6039,
    /// A lane of a class that there is not.
    LaneUnknown = 6050,
    /// A second lane of one class.
    LaneRepeated = 6051,
    /// A lane was opened and nothing came on it.
    LaneSilent = 6052,
    /// The other side broke the rules for lanes.
    LaneForbidden = 6053,
    /// Nothing was heard from the other side.
    LinkDead = 6054,
    /// The link was cut off.
    LinkReset = 6055,
    /// The TLS handshake failed.
    TlsHandshakeFailed = 6056,
    /// What answers speaks another protocol than Mesh.
    AlpnMismatch = 6057,
    /// There is no CA to verify the node with.
    CaRequired = 6058,
    /// Two nodes had more than one link with each other.
    PeerDuplicate = 6070,
    /// A node reached itself.
    PeerIsSelf = 6071,
    /// A newer process runs under the same node name.
    PeerIdTaken = 6072,
    /// No such peer.
    PeerUnknown = 6073,
    /// The node has links with as many peers as it may.
    TooManyPeers = 6074,
    /// etcd does not answer.
    DiscoveryUnreachable = 6100,
    /// etcd went silent.
    DiscoverySilent = 6101,
    /// etcd has no leader.
    DiscoveryNoLeader = 6102,
    /// etcd refused the user, or what it may do.
    DiscoveryDenied = 6103,
    /// The TLS handshake with etcd failed.
    DiscoveryTlsFailed = 6104,
    /// etcd refused a request.
    DiscoveryRefused = 6105,
    /// Another node has this node's id.
    DiscoveryIdTaken = 6106,
    /// The lease of this node's registration was lost.
    DiscoveryLeaseLost = 6107,
    /// What stands under a key of the cluster is no node.
    DiscoveryRecordInvalid = 6108,
    /// More nodes are registered than a node keeps in mind.
    DiscoveryTooManyNodes = 6109,
    /// etcd knows another cluster under this name.
    DiscoveryOtherCluster = 6110,
    /// A cluster can't be founded this way.
    DiscoveryCannotFound = 6111,
    /// The file of peers can't be used.
    DiscoveryFileUnusable = 6112,
    /// The settings for discovery can't be.
    DiscoveryInvalid = 6113,
    /// The data directory has another format.
    DataDirVersion = 7001,
    /// The data directory belongs to another cluster.
    DataDirOtherCluster = 7002,
    /// The data directory belongs to another node.
    DataDirOtherNode = 7003,
    /// The data directory can't be written to.
    DataDirReadOnly = 7004,
    /// The data directory is not whole.
    DataDirIncomplete = 7005,
    /// The file that says what a data directory is is damaged.
    DataDirDamaged = 7006,
    /// There is no data directory.
    DataDirMissing = 7007,
    /// The log can't be read.
    LogUnreadable = 7010,
    /// The log is damaged.
    LogDamaged = 7011,
    /// The log could not be written.
    LogWriteFailed = 7012,
    /// There is no room for the log on the disk.
    LogFull = 7013,
    /// A record is too large for the log.
    LogRecordTooLarge = 7014,
    /// A repair was not agreed to.
    RepairNeedsConsent = 7015,
    /// A checkpoint is damaged.
    CheckpointDamaged = 7030,
    /// The index of a segment is damaged.
    IndexDamaged = 7031,
    /// A segment is damaged, cut short or gone.
    SegmentDamaged = 7032,
    /// A segment, an index or a checkpoint has another format.
    StoreVersionUnsupported = 7033,
    /// Segments and checkpoints can't be read or made.
    StoreUnreadable = 7034,
    /// A frame of the durable plane between nodes can't be read.
    PeerFrameMalformed = 7045,
    /// Something between nodes is larger than it may be.
    PeerFrameTooLarge = 7046,
    /// What a node sent does not have its checksum.
    PayloadDamaged = 7047,
    /// A manifest can't be read, or can't be true.
    ManifestMalformed = 7048,
    /// No replica of the group is on this node.
    GroupUnknown = 7049,
    /// The replica of a group on this node is in quarantine.
    GroupQuarantined = 7050,
    /// A message about a group is not from whom it says, or not for this node.
    ReplicaSender = 7051,
    /// A message about a group can't be true.
    ReplicaMalformed = 7052,
    /// A message about a group comes too late.
    ReplicaStale = 7053,
    /// Two nodes say that they lead the same group in the same term.
    TwoLeaders = 7054,
    /// A leader's log contradicts an entry that is committed here.
    LogConflict = 7055,
    /// An entry is acknowledged that the leader does not have.
    AckBeyondLog = 7056,
    /// This replica lost entries that it had acknowledged.
    LostTail = 7057,
    /// An entry can't be read by this node.
    EntryUnreadable = 7058,
    /// A snapshot is not what its manifest says.
    SnapshotLied = 7059,
    /// A snapshot that is being fetched is not there any more.
    SnapshotGone = 7060,
    /// A part of a snapshot was asked for that was not offered.
    SnapshotRefused = 7061,
    /// Damaged records have no intact copy that can be reached.
    NoIntactCopy = 7062,
    /// The cluster is not founded yet.
    ClusterNotFounded = 7070,
    /// The cluster is founded already.
    ClusterFounded = 7071,
    /// A command to the meta group can't be read or done.
    MetaCommandInvalid = 7072,
    /// No node of the cluster has this number.
    NodeNumberUnknown = 7073,
    /// The node's number belongs to another data directory.
    NodeNumberTaken = 7074,
    /// A later start of the same node is known.
    NodeOutdated = 7075,
    /// The node can't read what the cluster writes.
    FeatureLevelTooLow = 7076,
    /// Fewer nodes than replicas.
    TooFewNodes = 7077,
    /// As many nodes as there may be.
    TooManyNodes = 7078,
    /// The node still has replicas.
    NodeInUse = 7079,
    /// A plan for a group that has changed since.
    PlacementOutdated = 7080,
    /// As many declarations as there may be.
    TooManyDeclarations = 7081,
    /// As many producers as are remembered.
    TooManyProducers = 7082,
    /// As many lanes as a shard may have.
    TooManyLanes = 7083,
    /// A command to a shard can't be read or done.
    ShardCommandInvalid = 7084,
    /// The first nodes of a cluster are not named properly.
    BootstrapInvalid = 7085,
    /// The node keeps no records.
    DurableDisabled = 7090,
    /// There is nothing of this name or number to put to or read from.
    LaneUndeclared = 7091,
    /// The batch does not follow what its producer put before.
    SequenceGap = 7092,
    /// The producer has a later life.
    ProducerFenced = 7093,
    /// The batch is older than what is remembered of its producer.
    SequenceForgotten = 7094,
    /// Nobody leads the group.
    NoLeader = 7095,
    /// It is not known whether it was committed.
    OutcomeUnknown = 7096,
    /// Too much waits to be committed.
    CommitQueueFull = 7097,
    /// There is no room on the disk for more records.
    StorageFull = 7098,
    /// The records are damaged on the disk of this node.
    RecordsDamaged = 7099,
}
