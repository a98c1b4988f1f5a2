//! What operators see: health, metrics, and questions to the node over HTTP and over links.
//!
//! ```text
//!  GET /api/v1/links ──► http ──┐
//!                               ├─► Api (one table of questions) ─► Inspect ─► the node's actors
//!  request $mesh.links ─► link ─┘            │
//!                                            ├─► Metrics
//!  GET /readyz ─────────► http ─► Health ◄───┘
//! ```
//!
//! HTTP has a thread of its own, so that nothing that is asked there delays a message.

mod api;
mod error;
#[cfg(test)]
mod fake;
mod health;
mod http;
mod info;
mod inspect;
mod rates;
#[cfg(test)]
mod reference;
mod services;

pub(crate) use api::{Api, Facts};
pub(crate) use error::Error;
pub(crate) use health::{Health, State};
pub use http::HttpError;
pub(crate) use http::{Bound, Hosts, Server};
pub(crate) use info::{
    CertificatesInfo, EndpointInfo, FailingInfo, FilesInfo, LinkInfo, ResponderInfo, SubscriptionInfo,
};
pub(crate) use inspect::{Answer, Inspect, SubscriptionCursor};
