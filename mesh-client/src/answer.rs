//! What the end of a request means, and how replies are marked.

use mesh_wire::code::Code;
use mesh_wire::frame::Flags;
use mesh_wire::subject::is_reserved;

use crate::error::{Error, Failure};
use crate::link::dispatch::node_error;
use crate::message::Message;
use crate::state::requests::Ended;

/// `aux` of a reply that is none: it only ends a series whose last reply did not know that it was the last.
pub(crate) const END_OF_SERIES: u32 = 1;
/// Set in `aux` of a failed reply whose code is the project's own and not the application's.
pub(crate) const OWN_CODE: u32 = 1 << 31;

/// Whether the reply only ends its series.
pub(crate) fn is_end_of_series(message: &Message) -> bool {
    let flags = message.flags();
    message.aux() == END_OF_SERIES && !flags.contains(Flags::FAILED) && !flags.contains(Flags::MORE)
}

/// The reply, or the error that it carries.
pub(crate) fn judge(message: Message, subject: &str) -> Result<Message, Error> {
    if !message.flags().contains(Flags::FAILED) {
        return Ok(message);
    }
    let text = String::from_utf8_lossy(message.as_bytes()).into_owned();
    let number = message.aux();
    // The node itself has no codes but the project's.
    if number & OWN_CODE != 0 || is_reserved(subject) {
        return Err(node_error(number & !OWN_CODE, Some(&text)));
    }
    Err(Error::new(Code::ApplicationError, format!("{subject:?} answered with an error: {text}"))
        .with_cause(format!("the service failed with its code {number}"))
        .with_failure(Failure::new(number, text)))
}

/// Why a request to `subject` has no (further) reply.
pub(crate) fn ended_error(ended: Ended, subject: &str) -> Error {
    match ended {
        Ended::Code(number) => of_number(number, subject),
        Ended::Refused(number, cause) => match cause.is_empty() {
            true => of_number(number, subject),
            false => of_number(number, subject).with_cause(cause),
        },
        Ended::Lost => Error::of(Code::Disconnected),
        Ended::Expired => of_number(Code::RequestDeadline.number().into(), subject),
        Ended::Closed => Error::of(Code::ClientClosed),
        Ended::Complete => Error::new(Code::ResponderGone, format!("{subject:?} gave no reply")),
    }
}

fn of_number(number: u32, subject: &str) -> Error {
    match Code::from_number(number) {
        Some(code @ Code::NoResponders) => Error::new(code, format!("no responders for {subject:?}")),
        Some(code @ Code::RequestDeadline) => {
            Error::new(code, format!("{subject:?} did not answer before the deadline"))
        }
        Some(code @ Code::ResponderGone) => {
            Error::new(code, format!("the responder for {subject:?} went away before it answered"))
        }
        _ => node_error(number, None),
    }
}

/// Whether the same request, sent again, may go better.
pub(crate) fn is_worth_retrying(ended: &Ended) -> bool {
    match ended {
        Ended::Lost => true,
        Ended::Code(number) | Ended::Refused(number, _) => matches!(
            Code::from_number(*number),
            Some(Code::NoResponders | Code::ResponderGone | Code::ResponderBusy | Code::NodeDraining)
        ),
        Ended::Expired | Ended::Closed | Ended::Complete => false,
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use mesh_wire::code::ErrorKind;
    use mesh_wire::frame::{Kind, Parts};

    use super::*;

    fn reply(flags: Flags, aux: u32, body: &[u8]) -> Message {
        let mut frame = BytesMut::new();
        Parts { flags, aux, ..Parts::bare(Kind::Reply, 1).body(body) }.encode(&mut frame).unwrap();
        Message::new(frame.freeze())
    }

    #[test]
    fn failed_replies_are_errors_of_the_application_or_of_ours() {
        assert_eq!(judge(reply(Flags::NONE, 0, b"ok"), "a.b").unwrap().as_bytes(), b"ok");

        let error = judge(reply(Flags::FAILED, 404, b"no such order"), "a.b").unwrap_err();
        assert_eq!((error.code(), error.kind()), (Code::ApplicationError, ErrorKind::Application));
        assert_eq!(error.failure(), Some(&Failure::new(404, "no such order")));

        let own = OWN_CODE | u32::from(Code::HandlerPanicked.number());
        let error = judge(reply(Flags::FAILED, own, b"index out of bounds"), "a.b").unwrap_err();
        assert_eq!((error.code(), error.cause()), (Code::HandlerPanicked, "index out of bounds"));
        assert!(error.failure().is_none());

        let of_the_node = u32::from(Code::NodeRequestUnknown.number());
        let error = judge(reply(Flags::FAILED, of_the_node, b"no such"), "$mesh.nothing").unwrap_err();
        assert_eq!(error.code(), Code::NodeRequestUnknown);
    }

    #[test]
    fn only_a_marked_reply_ends_a_series() {
        assert!(is_end_of_series(&reply(Flags::NONE, END_OF_SERIES, b"")));
        assert!(!is_end_of_series(&reply(Flags::NONE, 0, b"")));
        assert!(!is_end_of_series(&reply(Flags::MORE, END_OF_SERIES, b"")));
        assert!(!is_end_of_series(&reply(Flags::FAILED, END_OF_SERIES, b"")));
    }

    #[test]
    fn ends_and_what_they_mean() {
        let number = |code: Code| u32::from(code.number());
        let table = [
            (Ended::Code(number(Code::NoResponders)), Code::NoResponders, true),
            (Ended::Code(number(Code::ResponderGone)), Code::ResponderGone, true),
            (Ended::Code(number(Code::ResponderBusy)), Code::ResponderBusy, true),
            (Ended::Code(number(Code::RequestDeadline)), Code::RequestDeadline, false),
            (Ended::Refused(number(Code::TooManyRequests), String::new()), Code::TooManyRequests, false),
            (Ended::Code(65_000), Code::InternalError, false),
            (Ended::Lost, Code::Disconnected, true),
            (Ended::Expired, Code::RequestDeadline, false),
            (Ended::Closed, Code::ClientClosed, false),
            (Ended::Complete, Code::ResponderGone, false),
        ];
        for (ended, code, retried) in table {
            assert_eq!(is_worth_retrying(&ended), retried, "{ended:?}");
            assert_eq!(ended_error(ended.clone(), "a.b").code(), code, "{ended:?}");
        }
        let nobody = ended_error(Ended::Code(number(Code::NoResponders)), "a.b");
        assert_eq!(nobody.to_string(), "MESH-1042: no responders for \"a.b\"");
    }
}
