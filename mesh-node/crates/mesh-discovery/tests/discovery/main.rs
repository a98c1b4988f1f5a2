//! The ways of finding others, as their users see them. Those with etcd start a real one.

mod clusters;
mod conformance;
mod credentials;
mod listed;
mod members;
mod nodes;
mod outages;
mod relay;
mod view;
