//! Certificates, identities and tokens: 6001 to 6039.

use crate::code::entry::Entry;
use crate::code::{Code, ErrorKind};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        code: Code::CertificateMissing,
        name: "certificate_missing",
        kind: ErrorKind::Unauthorized,
        retryable: false,
        title: "The other side showed no certificate",
        cause: "The client was started without `--certs`, or its directory holds no certificate for it.",
        hint: "Make one with `mesh cert issue DIR --service NAME` and name the directory: `--certs DIR`.",
        explanation: "The port asks for a certificate that names a service (port of clients) or a node (port of \
        peers), and none was shown. With only a CA at hand a client can verify the node, but the \
        node can't tell who the client is.\n\n\
        A node that takes tokens (`--client-tokens`) asks for one of both.",
    },
    Entry {
        code: Code::CertificateUntrusted,
        name: "certificate_untrusted",
        kind: ErrorKind::Unauthorized,
        retryable: false,
        title: "The certificate comes from no CA that is trusted",
        cause: "The two sides were given certificates of different CAs, or a CA was rotated on one side \
        only.",
        hint: "Compare the two: `mesh cert show ca.pem` here and `mesh cert show` of the certificate there.",
        explanation: "The certificate was not signed by a CA of the trust bundle (`ca.pem`), through at most the \
        intermediates that were sent with it. Nothing that the certificate says is believed then.\n\n\
        When a CA is rotated, the bundle with both CAs must have reached every node and client \
        before a certificate of the new CA is used. `mesh cert show` prints issuers and \
        fingerprints.",
    },
    Entry {
        code: Code::CertificateExpired,
        name: "certificate_expired",
        kind: ErrorKind::Unauthorized,
        retryable: false,
        title: "The certificate has expired",
        cause: "The certificate was not replaced in time, or a clock is wrong.",
        hint: "Issue a new one: `mesh cert issue DIR … --force`; nodes and clients load it within a \
        second. Check the clocks.",
        explanation: "Every certificate has an end. An expired one is refused when a link is made, and a link \
        that is open when it expires is closed. Replace the files in the directory before that: \
        they are loaded while running, without a restart.\n\n\
        `mesh cert show FILE` prints how much time is left. A side that is only told by an alert \
        that its certificate was refused can't tell expired from not yet valid other than by its \
        own clock.",
    },
    Entry {
        code: Code::CertificateNotYetValid,
        name: "certificate_not_yet_valid",
        kind: ErrorKind::Unauthorized,
        retryable: false,
        title: "The certificate is not valid yet",
        cause: "The clock of one of the two machines is wrong.",
        hint: "Compare the clocks of both sides (`date -u`) with what `mesh cert show FILE` prints.",
        explanation: "The certificate starts to be valid in the future. Those of `mesh cert issue` are dated \
        back by one day, so that small differences between clocks don't matter; more than a day \
        apart, a clock is wrong.\n\n\
        A new certificate in the directory of a running node that is not valid yet is taken as \
        soon as it is; until then the old one stays.",
    },
    Entry {
        code: Code::CertificateRevoked,
        name: "certificate_revoked",
        kind: ErrorKind::Unauthorized,
        retryable: false,
        title: "The certificate was revoked",
        cause: "A revocation list (`crl.pem`) signed by the CA names this certificate.",
        hint: "Issue a new certificate under a new key, if the other side is still to be let in.",
        explanation: "The CA has taken the certificate back, and its revocation list is in the directory of the \
        side that refuses. New links are refused, and open ones are closed within seconds after \
        the list was put there.",
    },
    Entry {
        code: Code::CertificateWrongName,
        name: "certificate_wrong_name",
        kind: ErrorKind::Unauthorized,
        retryable: false,
        title: "The certificate is not valid for the address that was dialled",
        cause: "The node is reached by a name or an IP address that its certificate does not carry.",
        hint: "Issue it with that name: `mesh cert issue DIR --node ID --name HOST --force`; or dial a \
        name that it carries.",
        explanation: "A client compares the host of its URL with the names in the node's certificate. \
        Certificates of `mesh cert issue` carry `localhost`, `127.0.0.1`, `::1`, and each `--name` \
        that was given.\n\n\
        A name in the URL is compared with DNS names only and an IP address with IP addresses \
        only. `mesh cert show FILE` prints both.",
    },
    Entry {
        code: Code::CertificateMalformed,
        name: "certificate_malformed",
        kind: ErrorKind::Unauthorized,
        retryable: false,
        title: "The certificate of the other side can't be read",
        cause: "The other side sent something that is not an X.509 certificate of version 3, or one with \
        parts that are unknown here.",
        hint: "Look at it with `mesh cert show FILE` on the side that sent it.",
        explanation: "What was shown as a certificate could not be decoded, or has a critical extension that \
        this side does not know and must not ignore (RFC 5280, section 4.2). It was refused before \
        its signature was looked at.",
    },
    Entry {
        code: Code::IdentityMissing,
        name: "identity_missing",
        kind: ErrorKind::Unauthorized,
        retryable: false,
        title: "The certificate names no Mesh identity",
        cause: "The certificate was made by another tool without a `spiffe://` URI among its names, or \
        with several URIs.",
        hint: "Put exactly one URI among its names: `spiffe://CLUSTER/node/ID` or \
        `spiffe://CLUSTER/service/NAME`.",
        explanation: "A certificate says who somebody is by one URI in its subject alternative names, in the \
        form of SPIFFE: `spiffe://CLUSTER/node/ID` for a node and `spiffe://CLUSTER/service/NAME` \
        for a client. Other names (common name, DNS names) say where somebody is and are never \
        taken for who.\n\n\
        With cert-manager set `spec.uris`. `mesh cert show FILE` prints the identity.",
    },
    Entry {
        code: Code::IdentityWrongKind,
        name: "identity_wrong_kind",
        kind: ErrorKind::Unauthorized,
        retryable: false,
        title: "A node's certificate where a service's belongs, or the reverse",
        cause: "A client dialled the port of peers, a node the port of clients, or the wrong file was taken.",
        hint: "Clients use port 7400 and `service-*.pem`, nodes among themselves 7401 and `node-*.pem`.",
        explanation: "Certificates name either a node or a service. The port for clients takes services only and \
        the port for peers nodes only, so that a stolen certificate of a client can't be used to \
        join the cluster, nor the one of a node to pass for a client.",
    },
    Entry {
        code: Code::IdentityWrongCluster,
        name: "identity_wrong_cluster",
        kind: ErrorKind::Unauthorized,
        retryable: false,
        title: "The certificate is one of another cluster",
        cause: "The certificate was issued for a cluster of another name, by a CA that is trusted here \
        as well.",
        hint: "Compare `--cluster` of the node with the identity that `mesh cert show FILE` prints.",
        explanation: "The first part of an identity (`spiffe://CLUSTER/…`) is the name of the cluster, and it \
        must be the same on both sides even if the CA is trusted. So one CA can serve several \
        clusters that don't mix.",
    },
    Entry {
        code: Code::IdentityWrongNode,
        name: "identity_wrong_node",
        kind: ErrorKind::Unauthorized,
        retryable: false,
        title: "The certificate names somebody else",
        cause: "The file of another node or service was taken, or a node was renamed without a new \
        certificate.",
        hint: "Issue one for this name: `mesh cert issue DIR --node ID` or `--service NAME`.",
        explanation: "The certificate is good, and names another node or service than the one that uses it. A \
        node must own a certificate of its own id, and a peer that says in HELLO that it is one \
        node and shows the certificate of another is refused.",
    },
    Entry {
        code: Code::CertificateWrongUse,
        name: "certificate_wrong_use",
        kind: ErrorKind::Unauthorized,
        retryable: false,
        title: "The certificate may not be used for this",
        cause: "A certificate for clients only was used by a server, or the certificate of a CA as one's \
        own.",
        hint: "Nodes need the extended key usages serverAuth and clientAuth, services clientAuth: see \
        `mesh cert show FILE`.",
        explanation: "A certificate can say what its key is for (extended key usage, RFC 5280 section 4.2.1.12). \
        A node accepts and dials links and needs both usages; a client needs clientAuth. The \
        certificate of a CA is for signing only.\n\n\
        `mesh cert issue` sets them. With cert-manager set `spec.usages` to `server auth` and \
        `client auth`.",
    },
    Entry {
        code: Code::CertsUnreadable,
        name: "certs_unreadable",
        kind: ErrorKind::Config,
        retryable: false,
        title: "A certificate file can't be read",
        cause: "The file or directory does not exist, belongs to another user, is not a regular file, or \
        is over 1 MiB.",
        hint: "Check the path and its permissions: `ls -l DIR`.",
        explanation: "A file of the certificate directory, or one that was named on its own, could not be read. \
        While a node or client is running the certificates that it has stay in use, and the files \
        are tried again every second.",
    },
    Entry {
        code: Code::CertsMalformed,
        name: "certs_malformed",
        kind: ErrorKind::Config,
        retryable: false,
        title: "A certificate file is damaged or holds something else",
        cause: "The file was cut off while it was copied, or two files were swapped.",
        hint: "Look at it with `mesh cert show FILE`, and copy it again; write to a temporary name and \
        rename it.",
        explanation: "Files are in PEM: certificates in `.pem` or `.crt`, one private key in `.key`, revocation \
        lists in `crl.pem`. The message says which file does not hold what it should and what is \
        wrong with it.\n\n\
        While a node or client is running the certificates that it has stay in use, and the files \
        are tried again every second; a file that is half written is harmless.",
    },
    Entry {
        code: Code::CertsKeyMismatch,
        name: "certs_key_mismatch",
        kind: ErrorKind::Config,
        retryable: false,
        title: "The private key does not belong to the certificate",
        cause: "Only one of the two files was replaced, or they come from different certificates.",
        hint: "Replace both, or issue both anew: `mesh cert issue DIR … --force`.",
        explanation: "The public key in the first certificate of the file (the leaf) is not the one of the \
        private key. While a node or client is running this is also what is seen between the \
        replacement of the first file and of the second; the old pair stays in use until both fit.",
    },
    Entry {
        code: Code::CertsMissing,
        name: "certs_missing",
        kind: ErrorKind::Config,
        retryable: false,
        title: "There is no certificate where one is needed",
        cause: "The directory was not filled, holds the files of another node or service, or lacks the \
        private key.",
        hint: "Make them: `mesh cert init DIR --cluster NAME`, then `mesh cert issue DIR --node ID` or \
        `--service NAME`.",
        explanation: "A certificate directory holds `ca.pem` (or `ca.crt`), and for a node `node-ID.pem` with \
        `node-ID.key`, for a service `service-NAME.pem` with `service-NAME.key`; or `tls.crt` with \
        `tls.key`, as cert-manager names them.",
    },
    Entry {
        code: Code::CertsAmbiguous,
        name: "certs_ambiguous",
        kind: ErrorKind::Config,
        retryable: false,
        title: "Several certificates could be meant",
        cause: "The directory holds the certificates of several services, and none was named.",
        hint: "Say which one: `--identity NAME`, or `MESH_IDENTITY=NAME`.",
        explanation: "A client that is not told the name of its service takes the only `service-*.pem` of the \
        directory. There are several, so that picking one would be a guess about who the client \
        is.",
    },
    Entry {
        code: Code::CrlUnusable,
        name: "crl_unusable",
        kind: ErrorKind::Config,
        retryable: false,
        title: "The revocation list can't be used",
        cause: "`crl.pem` is not signed by a CA of `ca.pem`, or is of a form that is not known here.",
        hint: "Make it again: `mesh cert revoke DIR FILE`; or take the list of a CA that was removed \
        out of `crl.pem`.",
        explanation: "A revocation list counts only if its signature is that of a CA in the trust bundle that \
        may sign lists; otherwise anyone who can write the file could lock others out, or hide a \
        revocation. Delta and indirect lists (RFC 5280 section 5) are not supported.\n\n\
        The whole set of certificates is refused, because a list that was put there is meant to be \
        obeyed. A running node keeps the set that it has.",
    },
    Entry {
        code: Code::CertsExist,
        name: "certs_exist",
        kind: ErrorKind::Config,
        retryable: false,
        title: "The certificate files exist already",
        cause: "The directory has a CA or a certificate of this name.",
        hint: "Use another directory, or replace the files on purpose with `--force`.",
        explanation: "A CA or certificate that is replaced without need locks out everybody who relies on the \
        old one. So nothing is overwritten unless told. To replace a CA step by step use `mesh \
        cert rotate`, which keeps the old one in the trust bundle.",
    },
    Entry {
        code: Code::CertsIssueFailed,
        name: "certs_issue_failed",
        kind: ErrorKind::Config,
        retryable: false,
        title: "The certificate could not be made",
        cause: "The directory has no `ca.key`, can't be written to, or a name is not valid.",
        hint: "Issue where the CA is: the directory that `mesh cert init` made.",
        explanation: "Certificates are signed with `ca.key`, which only the directory of the CA has; keep it off \
        the nodes. The message says which step failed. Files are written under a temporary name \
        and renamed, so that none is left half written.",
    },
    Entry {
        code: Code::IdentityRequired,
        name: "identity_required",
        kind: ErrorKind::Unauthorized,
        retryable: false,
        title: "The client showed neither a certificate nor a token",
        cause: "The client was started without `--certs` and without a token.",
        hint: "Give it a certificate (`--certs DIR`) or a token (`MESH_TOKEN`).",
        explanation: "The node takes a certificate or a token on this port and was shown neither, so that it \
        can't tell who the client is. Only a node with `--insecure-loopback` does without, on this \
        machine alone.",
    },
    Entry {
        code: Code::TokenMalformed,
        name: "token_malformed",
        kind: ErrorKind::Unauthorized,
        retryable: false,
        title: "The token can't be read",
        cause: "The token was cut off or quoted on its way, or is not a JWT.",
        hint: "Print it and compare: a JWT has three parts with dots between, at most 8 KiB, without spaces.",
        explanation: "A token is a signed JWT (RFC 7519) in its compact form: header, claims and signature, each \
        in base64url without padding. It must name its key (`kid`) and carry `sub`, `aud` and \
        `exp`, and may have no critical extensions (`crit`).",
    },
    Entry {
        code: Code::TokenAlgorithm,
        name: "token_algorithm",
        kind: ErrorKind::Unauthorized,
        retryable: false,
        title: "The token's algorithm is not accepted",
        cause: "The token is signed with HS256 or `none`, or with another algorithm than its key is for.",
        hint: "Have tokens signed with EdDSA, ES256 or RS256, and `alg` of the key in the JWKS say the same.",
        explanation: "The algorithm is a property of the key, not of the token: only EdDSA, ES256 and RS256 are \
        known, and the one in the token must be the one of the key that it names. Symmetric \
        algorithms are refused because the node would hold the secret to make tokens, and because \
        a public key is a known secret (RFC 8725, section 3.1).",
    },
    Entry {
        code: Code::TokenKeyUnknown,
        name: "token_key_unknown",
        kind: ErrorKind::Unauthorized,
        retryable: false,
        title: "The token is signed with a key that is not known",
        cause: "The key was rotated and the JWKS file of the node was not, or the token comes from \
        another issuer.",
        hint: "Add the key to the node's JWKS file; it is loaded within a second.",
        explanation: "A token names its key by `kid`, and the JWKS file that the node was given has no key of \
        that name. When keys are rotated, the new key goes into the file before the first token is \
        signed with it, and the old one stays until its last token has expired.",
    },
    Entry {
        code: Code::TokenSignature,
        name: "token_signature",
        kind: ErrorKind::Unauthorized,
        retryable: false,
        title: "The token's signature is wrong",
        cause: "The token was changed, or signed with another key than the one of that `kid`.",
        hint: "Get a new token; if that fails too, compare the issuer's keys with the node's JWKS file.",
        explanation: "The signature does not fit header and claims under the key that the token names. Nothing \
        in the token is believed then, not even its end.",
    },
    Entry {
        code: Code::TokenAudience,
        name: "token_audience",
        kind: ErrorKind::Unauthorized,
        retryable: false,
        title: "The token is meant for somebody else",
        cause: "`aud` in the token does not contain the name that the node goes by.",
        hint: "Have the token issued for this cluster: its name belongs into `aud`.",
        explanation: "A token says whom it is for (`aud`, RFC 7519 section 4.1.3), so that one that was given to \
        another service can't be used here. The node compares with the name of its cluster unless \
        it was configured otherwise.",
    },
    Entry {
        code: Code::TokenExpired,
        name: "token_expired",
        kind: ErrorKind::Unauthorized,
        retryable: false,
        title: "The token has expired",
        cause: "The token's `exp` has passed, or a clock is wrong.",
        hint: "Get a new token. Check the clocks (`date -u`) if it is new.",
        explanation: "Every token has an end (`exp`). A link that was opened with a token is closed when the \
        token ends; the client comes back with the token that it has then. Clocks may differ by 30 \
        seconds.",
    },
    Entry {
        code: Code::TokenNotYetValid,
        name: "token_not_yet_valid",
        kind: ErrorKind::Unauthorized,
        retryable: false,
        title: "The token is not valid yet",
        cause: "The clock of the node or of the issuer is wrong.",
        hint: "Compare the clocks of the node and of the issuer (`date -u`).",
        explanation: "The token's `nbf` lies in the future by more than the 30 seconds by which clocks may \
        differ.",
    },
    Entry {
        code: Code::TokenSubject,
        name: "token_subject",
        kind: ErrorKind::Unauthorized,
        retryable: false,
        title: "The token's subject is not a name of a service",
        cause: "`sub` in the token is missing, or has capitals, slashes or other characters that names \
        don't have.",
        hint: "Have `sub` set to the name of the service: 1 to 128 of a-z 0-9 . _ -",
        explanation: "The subject of a token becomes the identity `spiffe://CLUSTER/service/SUB` of the client, \
        so it must be a name as services have it.",
    },
    Entry {
        code: Code::JwksUnusable,
        name: "jwks_unusable",
        kind: ErrorKind::Config,
        retryable: false,
        title: "The key file for tokens can't be used",
        cause: "The JWKS file is missing, not valid JSON, or holds no key that can be used, or a secret.",
        hint: "Check the file: a JSON object with `keys`, each with `kid`, `kty` and, if given, `alg` \
        EdDSA, ES256 or RS256.",
        explanation: "Tokens are verified with the public keys of a JWKS file (RFC 7517). Each key needs a `kid` \
        of its own; symmetric keys (`oct`) are refused, as are private ones and RSA keys below \
        2048 bits. A running node keeps the keys that it has when a new file is bad, and tries \
        again every second.",
    },
];
