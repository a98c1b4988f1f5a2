//! The ways of finding others, as their users see them. Those with etcd start a real one.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod clusters;
mod conformance;
mod credentials;
mod listed;
mod members;
mod nodes;
mod outages;
mod relay;
mod view;
