//! How the command ends: the exit statuses, which scripts may rely on.

use std::process::ExitCode;

use mesh_wire::code::{Code, ErrorKind};

/// An exit status. The table in `docs/guide/cli.md` and in `mesh --help` is [`Exit::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything that was asked for was done.
    Done = 0,
    /// An error that has no number of its own.
    Failed = 1,
    /// The command line, or something it named, is wrong.
    Usage = 2,
    /// Nobody answers requests on the subject.
    NoResponders = 3,
    /// The time was up.
    Deadline = 4,
    /// No connection, or it was lost.
    Disconnected = 5,
    /// The user, the certificate or the token may not do this, or the node's certificate is not to be trusted.
    Refused = 6,
    /// The responder answered with an error of its own.
    Application = 7,
    /// Ended by an interrupt (Ctrl-C).
    Interrupted = 130,
    /// Ended by a termination signal.
    Terminated = 143,
}

impl Exit {
    /// Every status and what it stands for.
    #[cfg(test)]
    pub(crate) const ALL: [(Self, &'static str); 10] = [
        (Self::Done, "everything that was asked for was done"),
        (Self::Failed, "any other error"),
        (Self::Usage, "the command line, or something that it named, is wrong"),
        (Self::NoResponders, "nobody answers requests on the subject"),
        (Self::Deadline, "the time was up"),
        (Self::Disconnected, "no connection to a node, or it was lost"),
        (
            Self::Refused,
            "refused: this user, certificate or token may not, or the node's certificate is not to be trusted",
        ),
        (Self::Application, "the responder answered with an error of its own"),
        (Self::Interrupted, "ended by Ctrl-C (SIGINT)"),
        (Self::Terminated, "ended by SIGTERM"),
    ];

    /// The status for an error with this code.
    pub(crate) fn of(code: Code) -> Self {
        match code {
            // A connection that could not be made is that, whatever the reason.
            Code::ConnectNoSuchSocket
            | Code::ConnectNothingListening
            | Code::ConnectPermissionDenied
            | Code::ConnectBusy
            | Code::ConnectFailed
            | Code::ConnectTimeout
            | Code::PeerNotMesh
            | Code::HandshakeTimeout
            | Code::VersionUnsupported
            | Code::NodeStopped
            | Code::NodeDraining
            | Code::TooManyLinks
            | Code::AlpnMismatch
            | Code::TlsHandshakeFailed => Self::Disconnected,
            Code::CodeUnknown
            | Code::ContextUnknown
            | Code::SubjectReserved
            | Code::NameTooLong
            | Code::CaRequired
            | Code::CertsUnreadable
            | Code::CertsMalformed
            | Code::CertsKeyMismatch
            | Code::CertsMissing
            | Code::CertsAmbiguous
            | Code::CrlUnusable
            | Code::CertsExist
            | Code::CertsIssueFailed => Self::Usage,
            Code::CommandFailed => Self::Failed,
            _ => Self::of_kind(code.kind()),
        }
    }

    fn of_kind(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Usage | ErrorKind::Invalid => Self::Usage,
            ErrorKind::NoResponders => Self::NoResponders,
            ErrorKind::Deadline => Self::Deadline,
            ErrorKind::Disconnected => Self::Disconnected,
            ErrorKind::Unauthorized => Self::Refused,
            ErrorKind::Application => Self::Application,
            _ => Self::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_of_codes() {
        let table = [
            (Code::NoResponders, 3),
            (Code::RequestDeadline, 4),
            (Code::ConnectTimeout, 5),
            (Code::ConnectNoSuchSocket, 5),
            (Code::ConnectPermissionDenied, 5),
            (Code::Disconnected, 5),
            (Code::PeerNotAllowed, 6),
            (Code::TokenRefused, 6),
            (Code::CertificateUntrusted, 6),
            (Code::CertificateWrongName, 6),
            (Code::IdentityRequired, 6),
            (Code::CaRequired, 2),
            (Code::CertsMissing, 2),
            (Code::CertsExist, 2),
            (Code::HostUnresolved, 5),
            (Code::LinkDead, 5),
            (Code::AlpnMismatch, 5),
            (Code::ApplicationError, 7),
            (Code::UsageError, 2),
            (Code::SubjectMalformed, 2),
            (Code::SubjectReserved, 2),
            (Code::EndpointInvalid, 2),
            (Code::ContextUnknown, 2),
            (Code::CodeUnknown, 2),
            (Code::CommandFailed, 1),
            (Code::CheckFailed, 1),
            (Code::InternalError, 1),
        ];
        for (code, status) in table {
            assert_eq!(Exit::of(code) as u8, status, "{code} {code:?}");
        }
    }

    #[test]
    fn the_table_has_every_status_once_and_in_order() {
        let numbers: Vec<u8> = Exit::ALL.iter().map(|(exit, _)| *exit as u8).collect();
        let mut sorted = numbers.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(numbers, sorted);
        for code in Code::all() {
            assert!(numbers.contains(&(Exit::of(code) as u8)), "{code}");
            assert_ne!(Exit::of(code), Exit::Done, "{code}");
        }
    }
}
