//! Subjects and patterns of the command line, checked before anything is sent.

use mesh_wire::subject::{Pattern, Subject, SubjectError};

use crate::failure::Failure;

/// A subject that messages can be published to.
pub(crate) fn to_publish(text: &str) -> Result<&str, Failure> {
    Subject::check_unreserved(text.as_bytes()).map_err(|error| refused(text, "subject", error))
}

/// A subject that can be asked; those of the node too.
pub(crate) fn to_request(text: &str) -> Result<&str, Failure> {
    Subject::check(text.as_bytes()).map_err(|error| refused(text, "subject", error))
}

/// A pattern that can be subscribed to or answered.
pub(crate) fn to_subscribe(text: &str) -> Result<&str, Failure> {
    Pattern::check_unreserved(text.as_bytes()).map_err(|error| refused(text, "pattern", error))
}

fn refused(text: &str, what: &str, error: SubjectError) -> Failure {
    Failure::new(error.code(), format!("{text:?} can't be used as a {what} here")).cause(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mesh_wire::code::Code;

    #[test]
    fn what_is_refused_before_it_is_sent() {
        let published = [
            ("a.b", None),
            ("", Some(Code::SubjectMalformed)),
            ("a..b", Some(Code::SubjectMalformed)),
            ("a.*", Some(Code::SubjectWildcard)),
            ("$mesh.node.info", Some(Code::SubjectReserved)),
        ];
        for (text, code) in published {
            assert_eq!(to_publish(text).err().and_then(|failure| failure.code()), code, "{text:?}");
        }
        assert!(to_request("$mesh.node.info").is_ok());
        assert!(to_subscribe("a.>").is_ok());
        assert!(to_subscribe("$mesh.>").is_err());
        assert!(to_subscribe("a.>.b").is_err());
    }
}
