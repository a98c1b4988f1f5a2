//! The messages and names of the service `race.Echo`, written by hand so that building needs no `protoc`.

/// What is asked.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Ask {
    /// The body to send back.
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) body: prost::bytes::Bytes,
}

/// What is answered.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Answer {
    /// The body that was asked.
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) body: prost::bytes::Bytes,
}

/// The service's name.
pub(crate) const SERVICE: &str = "race.Echo";

/// The method's path.
pub(crate) const PATH: &str = "/race.Echo/Call";
