//! Setting up a client.

use std::time::Duration;

use crate::client::Client;
use crate::error::Error;
use crate::reconnect::ReconnectPolicy;
use crate::unfinished::unfinished;

/// Sets up a [`Client`].
#[derive(Debug, Clone)]
#[must_use = "nothing happens until `connect` is awaited"]
pub struct ClientBuilder {}

impl ClientBuilder {
    pub(crate) fn new() -> Self {
        Self {}
    }

    /// The application's name, as listings of links show it: 1 to 128 bytes of `a-z 0-9 . _ -`. By default the name
    /// of the program, as far as it fits.
    pub fn name(self, _name: impl Into<String>) -> Self {
        self
    }

    /// Adds an endpoint, for instance `unix:///run/mesh/mesh.sock`. The first that answers is taken, and the next one
    /// when it is lost. Without any: those of `MESH_URL`, else the default places.
    pub fn endpoint(self, _endpoint: impl Into<String>) -> Self {
        self
    }

    /// The token to show to nodes that ask for one.
    pub fn token(self, _token: impl Into<String>) -> Self {
        self
    }

    /// How long one attempt to connect may take, the handshake included. 5 seconds by default.
    pub fn connect_timeout(self, _timeout: Duration) -> Self {
        self
    }

    /// How long requests wait that say nothing else. 5 seconds by default.
    pub fn request_timeout(self, _timeout: Duration) -> Self {
        self
    }

    /// What to do when the connection is lost. On by default.
    pub fn reconnect(self, _policy: ReconnectPolicy) -> Self {
        self
    }

    /// Whether [`ClientBuilder::connect`] keeps trying as the reconnect policy says when no node answers at first.
    /// Off by default: it then fails with the reason of the last endpoint.
    pub fn retry_initial_connect(self, _retry: bool) -> Self {
        self
    }

    /// Connects to the first endpoint that answers.
    ///
    /// # Errors
    /// A malformed name or endpoint, or why the last endpoint could not be connected to.
    ///
    /// # Cancel safety
    /// Safe: nothing stays behind.
    pub async fn connect(self) -> Result<Client, Error> {
        unfinished()
    }
}
