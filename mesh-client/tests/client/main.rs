//! The client against a scripted node: what it says, when, and what it makes of what it hears.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod certificates;
mod connecting;
mod ending;
mod fake_node;
mod lanes;
mod publishing;
mod reconnecting;
#[cfg(feature = "registers")]
mod registers;
mod requesting;
mod serving;
mod subscribing;
mod trust;
