//! What the end of a QUIC connection means: from quinn's words to our codes.

use mesh_wire::code::Code;
use quinn::{ConnectionError, TransportErrorCode, VarInt};

use crate::link::Closed;
use crate::side::Side;

/// The application error code of a link that is left in good order.
pub(super) const IN_ORDER: VarInt = VarInt::from_u32(0);

/// TLS alerts are transport error codes from here to 0x1ff (RFC 9001, section 4.8).
const ALERTS: std::ops::RangeInclusive<u64> = 0x100..=0x1ff;

/// What `error` means for a handshake.
pub(super) fn of_handshake(error: &ConnectionError, side: &Side) -> Closed {
    match error {
        ConnectionError::TimedOut => {
            Closed::new(Code::ConnectTimeout, "the other side did not answer in time")
        }
        error => of(error, side),
    }
}

/// What `error` means for a link.
pub(super) fn of(error: &ConnectionError, side: &Side) -> Closed {
    match error {
        ConnectionError::ApplicationClosed(close) => {
            let cause = String::from_utf8_lossy(&close.reason).into_owned();
            by_application(close.error_code.into_inner(), cause)
        }
        ConnectionError::ConnectionClosed(close) => {
            let reason = String::from_utf8_lossy(&close.reason);
            by_transport(close.error_code, &reason, "the other side refuses", side)
        }
        ConnectionError::TransportError(error) => {
            by_transport(error.code, &error.reason, "refused here", side)
        }
        ConnectionError::TimedOut => Closed::new(Code::LinkDead, "nothing was heard from the other side"),
        ConnectionError::Reset => {
            Closed::new(Code::LinkReset, "the other side does not know the link any more")
        }
        ConnectionError::LocallyClosed => Closed::in_order("closed here"),
        ConnectionError::VersionMismatch => {
            Closed::new(Code::PeerNotMesh, "the other side speaks no version of QUIC that we know")
        }
        ConnectionError::CidsExhausted => Closed::new(Code::TooManyLinks, "there are no connection ids left"),
    }
}

fn by_application(number: u64, cause: String) -> Closed {
    if number == IN_ORDER.into_inner() {
        let cause = if cause.is_empty() { "the other side left".to_owned() } else { cause };
        return Closed::in_order(cause);
    }
    match u32::try_from(number).ok().and_then(Code::from_number) {
        Some(code) if cause.is_empty() => Closed::new(code, code.cause()),
        Some(code) => Closed::new(code, cause),
        // A newer version's code: what is known of it goes on.
        None => Closed::new(Code::Disconnected, format!("closed with code MESH-{number}: {cause}")),
    }
}

fn by_transport(code: TransportErrorCode, reason: &str, who: &str, side: &Side) -> Closed {
    let number = u64::from(code);
    let cause = if reason.is_empty() { format!("{who}: {code}") } else { format!("{who}: {reason}") };
    if ALERTS.contains(&number) {
        return Closed::new(side.code((number & 0xff) as u8, reason), cause);
    }
    let code = match code {
        TransportErrorCode::NO_ERROR => return Closed::in_order(cause),
        TransportErrorCode::CONNECTION_REFUSED => Code::ConnectBusy,
        TransportErrorCode::INTERNAL_ERROR => Code::LinkReset,
        TransportErrorCode::INVALID_TOKEN | TransportErrorCode::NO_VIABLE_PATH => Code::ConnectFailed,
        // Streams in both directions, too many streams, more than the windows allow, datagrams.
        _ => Code::LaneForbidden,
    };
    Closed::new(code, cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side() -> Side {
        Side {
            store: mesh_identity::store::Store::without_ca(),
            expect: mesh_identity::verify::Expect::Anything,
        }
    }

    #[test]
    fn ends_and_their_codes() {
        let by = |number, cause: &str| {
            of(
                &ConnectionError::ApplicationClosed(quinn::ApplicationClose {
                    error_code: VarInt::from_u32(number),
                    reason: cause.to_owned().into(),
                }),
                &side(),
            )
        };
        assert_eq!(by(0, ""), Closed::in_order("the other side left"));
        assert_eq!(by(0, "bye"), Closed::in_order("bye"));
        assert_eq!(by(6054, "silence"), Closed::new(Code::LinkDead, "silence"));
        assert_eq!(by(6054, ""), Closed::new(Code::LinkDead, Code::LinkDead.cause()));
        assert_eq!(by(65_001, "new").code, Some(Code::Disconnected));
        assert_eq!(of(&ConnectionError::TimedOut, &side()).code, Some(Code::LinkDead));
        assert_eq!(of(&ConnectionError::Reset, &side()).code, Some(Code::LinkReset));
        assert_eq!(of(&ConnectionError::LocallyClosed, &side()).code, None);
    }

    #[test]
    fn transport_codes_and_ours() {
        let table = [
            (TransportErrorCode::STREAM_LIMIT_ERROR, Some(Code::LaneForbidden)),
            (TransportErrorCode::FLOW_CONTROL_ERROR, Some(Code::LaneForbidden)),
            (TransportErrorCode::PROTOCOL_VIOLATION, Some(Code::LaneForbidden)),
            (TransportErrorCode::CONNECTION_REFUSED, Some(Code::ConnectBusy)),
            (TransportErrorCode::NO_ERROR, None),
            (TransportErrorCode::crypto(120), Some(Code::AlpnMismatch)),
        ];
        for (code, ours) in table {
            assert_eq!(by_transport(code, "why", "who", &side()).code, ours, "{code}");
        }
    }
}
