//! What an error of a TLS connection means: from the words of rustls and the system to our codes.

use std::io;

use mesh_identity::verify;
use mesh_wire::code::Code;

use crate::link::Closed;
use crate::side::Side;

/// What `error` means for a link or its handshake.
pub(super) fn of(error: &io::Error, side: &Side) -> Closed {
    if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return of_tls(error, side);
    }
    let code = match error.kind() {
        io::ErrorKind::TimedOut
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NetworkDown => Code::LinkDead,
        _ => Code::LinkReset,
    };
    let cause = match error.kind() {
        io::ErrorKind::UnexpectedEof => "the other side ended the connection without a word".to_owned(),
        _ => error.to_string(),
    };
    Closed::new(code, cause)
}

fn of_tls(error: &rustls::Error, side: &Side) -> Closed {
    if let Some(refusal) = verify::refusal_of(error) {
        return Closed::new(refusal.code(), format!("refused here: {refusal}"));
    }
    match error {
        rustls::Error::AlertReceived(alert) => {
            let code = side.code(u8::from(*alert), "");
            Closed::new(code, format!("the other side refuses: {alert:?}"))
        }
        rustls::Error::NoApplicationProtocol => {
            Closed::new(Code::AlpnMismatch, "the other side names no protocol that we speak")
        }
        error => Closed::new(Code::TlsHandshakeFailed, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mesh_identity::store::Store;
    use mesh_identity::verify::Expect;
    use rustls::AlertDescription;

    #[test]
    fn errors_and_their_codes() {
        let side = Side { store: Store::without_ca(), expect: Expect::Host { cluster: None } };
        let tls = |error| io::Error::new(io::ErrorKind::InvalidData, error);
        let table = [
            (io::ErrorKind::TimedOut.into(), Code::LinkDead),
            (io::ErrorKind::HostUnreachable.into(), Code::LinkDead),
            (io::ErrorKind::ConnectionReset.into(), Code::LinkReset),
            (io::ErrorKind::BrokenPipe.into(), Code::LinkReset),
            (io::ErrorKind::UnexpectedEof.into(), Code::LinkReset),
            (tls(rustls::Error::NoApplicationProtocol), Code::AlpnMismatch),
            (tls(rustls::Error::DecryptError), Code::TlsHandshakeFailed),
            (tls(rustls::Error::NoCertificatesPresented), Code::CertificateMissing),
            (
                tls(rustls::Error::AlertReceived(AlertDescription::CertificateRequired)),
                Code::CertificateMissing,
            ),
            (tls(rustls::Error::AlertReceived(AlertDescription::UnknownCA)), Code::CertificateUntrusted),
            (tls(rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol)), Code::AlpnMismatch),
            (tls(rustls::Error::AlertReceived(AlertDescription::DecodeError)), Code::TlsHandshakeFailed),
        ];
        for (error, code) in table {
            assert_eq!(of(&error, &side).code, Some(code), "{error}");
        }
    }
}
