//! What a failure of etcd, or of the way there, means.

use std::io;

use etcd_client::Error;
use mesh_wire::code::Code;
use tonic::Status;

use crate::{error::Trouble, session::Input};

/// What the session is told of a failed call.
///
/// An etcd that does not like our certificate may close the connection before its reason is read: TLS 1.3 lets a client
/// write before it knows. So a connection over TLS that is cut before it was of any use (`is_proven`) counts as such.
pub(super) fn input(endpoint: &str, is_proven: bool, error: &Error) -> Input {
    let is_fresh_tls = !is_proven && endpoint.starts_with("https://");
    match error {
        Error::GRpcStatus(status) if is_fresh_tls && is_cut(status) => failed(
            endpoint,
            Code::DiscoveryTlsFailed,
            &format!("closed after the handshake: {}", chain(status)),
        ),
        Error::GRpcStatus(status) => of_status(endpoint, status),
        // The answer to renewing a lease that is not there is no error of gRPC.
        Error::LeaseKeepAliveError(text) if text.contains("not found") => Input::LeaseGone,
        Error::TransportError(error) => {
            let code = if is_tls(error) { Code::DiscoveryTlsFailed } else { Code::DiscoveryUnreachable };
            failed(endpoint, code, &chain(error))
        }
        Error::WatchError(text) => failed(endpoint, Code::DiscoveryUnreachable, text),
        other => failed(endpoint, Code::DiscoveryRefused, &other.to_string()),
    }
}

/// What the session is told when a watch is cancelled.
pub(super) fn cancelled(endpoint: &str, reason: &str) -> Input {
    failed(
        endpoint,
        by_words(reason).unwrap_or(Code::DiscoveryUnreachable),
        &format!("the watch has ended: {reason}"),
    )
}

fn of_status(endpoint: &str, status: &Status) -> Input {
    let message = status.message();
    let code = match status.code() {
        tonic::Code::NotFound if message.contains("lease not found") => return Input::LeaseGone,
        tonic::Code::OutOfRange if message.contains("compacted") => return Input::Compacted,
        tonic::Code::PermissionDenied => Code::DiscoveryDenied,
        _ if is_tls(status) => Code::DiscoveryTlsFailed,
        code => by_words(message).unwrap_or(match code {
            // Without a word of etcd's own it is the way there that failed.
            tonic::Code::Unavailable | tonic::Code::Cancelled | tonic::Code::Unknown => {
                Code::DiscoveryUnreachable
            }
            tonic::Code::DeadlineExceeded => Code::DiscoverySilent,
            _ => Code::DiscoveryRefused,
        }),
    };
    let text = if message.starts_with("etcdserver") { message.to_owned() } else { chain(status) };
    failed(endpoint, code, &text)
}

/// Several of etcd's refusals share a number, and differ in their words.
fn by_words(message: &str) -> Option<Code> {
    let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if has(&[
        "authentication failed",
        "user name is empty",
        "authentication is not enabled",
        "permission denied",
    ]) {
        Some(Code::DiscoveryDenied)
    } else if has(&[
        "no leader",
        "leader changed",
        "previous leader failure",
        "request timed out",
        "not leader",
    ]) {
        Some(Code::DiscoveryNoLeader)
    } else if message.contains("etcdserver") {
        // Also a token that has run out: the next connection gets another one.
        Some(Code::DiscoveryRefused)
    } else {
        None
    }
}

fn failed(endpoint: &str, code: Code, text: &str) -> Input {
    Input::Failed(Trouble { code, text: format!("{endpoint}: {text}") })
}

/// Whether it comes from TLS.
fn is_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        // What is inside an error of I/O is not its source, but what that one's is.
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if error.is::<rustls::Error>() || inner.is_some_and(|inner| is_tls(inner)) {
            return true;
        }
        next = error.source();
    }
    false
}

/// Whether a connection that was there has ended without a word. Its end is told in many ways, and that there is none yet in
/// few.
fn is_cut(status: &Status) -> bool {
    let is_transport =
        matches!(status.code(), tonic::Code::Unavailable | tonic::Code::Cancelled | tonic::Code::Unknown);
    if !is_transport || status.message().contains("etcdserver") {
        return false;
    }
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(status);
    while let Some(error) = next {
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        let text = error.to_string();
        let never_there =
            ["connect error", "dns error", "timed out", "deadline"].iter().any(|word| text.contains(word));
        if never_there || matches!(kind, Some(io::ErrorKind::ConnectionRefused | io::ErrorKind::TimedOut)) {
            return false;
        }
        next = error.source();
    }
    true
}

/// What it says, and what the innermost cause says.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    let (first, last) = (error.to_string(), last.to_string());
    if first.contains(&last) { first } else { format!("{first}: {last}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(input: Input) -> Code {
        match input {
            Input::Failed(trouble) => trouble.code,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_etcd_says_has_its_code() {
        use tonic::Code as Grpc;
        for (grpc, text, wanted) in [
            (
                Grpc::InvalidArgument,
                "etcdserver: authentication failed, invalid user ID or password",
                Code::DiscoveryDenied,
            ),
            (Grpc::InvalidArgument, "etcdserver: user name is empty", Code::DiscoveryDenied),
            (Grpc::FailedPrecondition, "etcdserver: authentication is not enabled", Code::DiscoveryDenied),
            (Grpc::PermissionDenied, "etcdserver: permission denied", Code::DiscoveryDenied),
            (Grpc::Unavailable, "etcdserver: no leader", Code::DiscoveryNoLeader),
            (Grpc::Unavailable, "etcdserver: leader changed", Code::DiscoveryNoLeader),
            (Grpc::Unavailable, "etcdserver: request timed out", Code::DiscoveryNoLeader),
            (Grpc::Unauthenticated, "etcdserver: invalid auth token", Code::DiscoveryRefused),
            (Grpc::ResourceExhausted, "etcdserver: mvcc: database space exceeded", Code::DiscoveryRefused),
            (Grpc::Unavailable, "tcp connect error", Code::DiscoveryUnreachable),
            (Grpc::Unknown, "h2 protocol error", Code::DiscoveryUnreachable),
        ] {
            let input = input("e", true, &Error::GRpcStatus(Status::new(grpc, text)));
            assert_eq!(code(input), wanted, "{text}");
        }
    }

    #[test]
    fn what_is_no_failure_is_none() {
        let status = |code, text: &str| input("e", true, &Error::GRpcStatus(Status::new(code, text)));
        assert_eq!(status(tonic::Code::NotFound, "etcdserver: requested lease not found"), Input::LeaseGone);
        assert_eq!(
            status(tonic::Code::OutOfRange, "etcdserver: mvcc: required revision has been compacted"),
            Input::Compacted
        );
        assert_eq!(input("e", true, &Error::LeaseKeepAliveError("lease not found".into())), Input::LeaseGone);
    }

    #[test]
    fn tls_is_found_where_it_hides() {
        let inner = io::Error::new(io::ErrorKind::InvalidData, rustls::Error::DecryptError);
        let outer = io::Error::other(inner);
        assert!(is_tls(&outer));
        assert!(!is_tls(&io::Error::other("x")));
    }

    #[test]
    fn a_connection_over_tls_that_ends_unused_failed_in_its_handshake() {
        let unknown = |text: &str| Error::GRpcStatus(Status::unknown(text));
        let of =
            |endpoint: &str, is_proven: bool, text: &str| code(input(endpoint, is_proven, &unknown(text)));
        assert_eq!(of("https://e", false, "transport error"), Code::DiscoveryTlsFailed);
        assert_eq!(of("https://e", true, "transport error"), Code::DiscoveryUnreachable);
        assert_eq!(of("http://e", false, "transport error"), Code::DiscoveryUnreachable);
        assert_eq!(of("https://e", false, "tcp connect error"), Code::DiscoveryUnreachable);
        assert_eq!(of("https://e", false, "etcdserver: no leader"), Code::DiscoveryNoLeader);
    }

    #[test]
    fn a_watch_that_was_cancelled_says_why() {
        assert_eq!(code(cancelled("e", "etcdserver: no leader")), Code::DiscoveryNoLeader);
        assert_eq!(code(cancelled("e", "etcdserver: permission denied")), Code::DiscoveryDenied);
        assert_eq!(code(cancelled("e", "")), Code::DiscoveryUnreachable);
    }
}
