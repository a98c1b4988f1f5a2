//! How a node gets its number.

use bytes::Bytes;
use mesh_core::meta::{self, Command, Reply};
use mesh_replica::{id::NodeNumber, ident::Join};
use mesh_wire::code::Code;

use crate::convert;

/// Asks for a number.
#[must_use]
pub fn ask(about: meta::Join) -> Join {
    Join::Ask { about: Command::Join(about).encode() }
}

/// The command for the meta group, from what a node asked that the link knows as `name`.
///
/// # Errors
/// The code to refuse it with: it asks for something else, or in another's name.
pub fn admit(name: &str, about: &Bytes) -> Result<Bytes, Code> {
    match Command::decode(about) {
        Ok(Command::Join(join)) if join.name.as_str() == name => Ok(about.clone()),
        Ok(Command::Join(_)) => Err(Code::NodeNumberTaken),
        _ => Err(Code::MetaCommandInvalid),
    }
}

/// What to tell who asked.
#[must_use]
pub fn answer(reply: &Reply) -> Join {
    match reply {
        Reply::Joined { number: meta::NodeNumber(number), cluster } => {
            Join::Given { cluster: convert::uuid(*cluster), number: NodeNumber(*number) }
        }
        reply => Join::Refused { code: reply.code().unwrap_or(Code::MetaCommandInvalid).number().into() },
    }
}
