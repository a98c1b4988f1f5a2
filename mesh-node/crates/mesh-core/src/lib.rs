//! The pure state machines of a node: no async, clock, random source, log, lock or I/O.
//!
//! Each core takes inputs (`handle_*`, command methods, with the time as an argument), gives outputs
//! (`poll_output`) and says when it wants to be called again (`poll_timeout`).

pub mod balancer;
pub mod cache;
pub mod interest;
pub mod large;
pub mod meta;
pub mod outbox;
pub mod peering;
mod random;
pub mod register;
pub mod request;
pub mod routing;
pub mod subscription;
pub mod tagged;
