//! Setting up a client.

use std::sync::Arc;
use std::time::Duration;

use mesh_transport::endpoint::Endpoint;
use mesh_transport::socket_path;
use mesh_wire::code::Code;
use mesh_wire::limits;
use mesh_wire::name::Name;

use crate::client::Client;
use crate::error::Error;
use crate::link::driver::Driver;
use crate::link::handshake::Introduction;
use crate::link::shared::Shared;
use crate::reconnect::ReconnectPolicy;
use crate::state::endpoints::Endpoints;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// Most endpoints of one client.
const ENDPOINTS_MAX: usize = 64;

/// Sets up a [`Client`].
#[derive(Clone)]
#[must_use = "nothing happens until `connect` is awaited"]
pub struct ClientBuilder {
    name: Option<String>,
    endpoints: Vec<String>,
    token: Option<String>,
    connect_timeout: Duration,
    request_timeout: Duration,
    reconnect: ReconnectPolicy,
    retry_initial: bool,
}

impl ClientBuilder {
    pub(crate) fn new() -> Self {
        Self {
            name: None,
            endpoints: Vec::new(),
            token: None,
            connect_timeout: CONNECT_TIMEOUT,
            request_timeout: REQUEST_TIMEOUT,
            reconnect: ReconnectPolicy::DEFAULT,
            retry_initial: false,
        }
    }

    /// The application's name, as listings of links show it: 1 to 128 bytes of `a-z 0-9 . _ -`. By default the name
    /// of the program, as far as it fits.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Adds an endpoint, for instance `unix:///run/mesh/mesh.sock`. The first that answers is taken, and the next one
    /// when it is lost. Without any: those of `MESH_URL`, else the default places.
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoints.push(endpoint.into());
        self
    }

    /// The token to show to nodes that ask for one. By default that of `MESH_TOKEN`.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// How long one attempt to connect may take, the handshake included. 5 seconds by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long requests wait that say nothing else. 5 seconds by default.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }

    /// What to do when the connection is lost. On by default.
    pub fn reconnect(mut self, policy: ReconnectPolicy) -> Self {
        self.reconnect = policy;
        self
    }

    /// Whether [`ClientBuilder::connect`] keeps trying as the reconnect policy says when no node answers at first.
    /// Off by default: it then fails with the reason of the last endpoint.
    pub fn retry_initial_connect(mut self, retry: bool) -> Self {
        self.retry_initial = retry;
        self
    }

    /// Connects to the first endpoint that answers.
    ///
    /// # Errors
    /// A malformed name or endpoint, or why no endpoint could be connected to.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    ///
    /// # Cancel safety
    /// Safe: nothing stays behind.
    pub async fn connect(self) -> Result<Client, Error> {
        let name = self.checked_name()?;
        let endpoints = self.parsed_endpoints()?;
        let who = Introduction { name: name.clone(), token: self.token.or_else(|| from_env("MESH_TOKEN")) };
        let shared = Arc::new(Shared::new(name, self.request_timeout));
        let mut driver =
            Driver::new(Arc::clone(&shared), endpoints, who, self.connect_timeout, self.reconnect);
        let opened = match driver.open_any().await {
            Err(error) if self.retry_initial && error.is_retryable() => {
                // Nobody can close a client that is not there yet.
                driver.reopen().await.unwrap_or(Err(error))?
            }
            opened => opened?,
        };
        let pump = driver.install(opened);
        tokio::spawn(driver.run(pump));
        Ok(Client::new(shared))
    }

    fn checked_name(&self) -> Result<String, Error> {
        let Some(name) = &self.name else { return Ok(default_name()) };
        Name::check(name.as_bytes()).map_err(|error| {
            Error::new(error.code(), format!("{name:?} is no name for a client"))
                .with_cause(error.to_string())
        })?;
        Ok(name.clone())
    }

    fn parsed_endpoints(&self) -> Result<Endpoints, Error> {
        let mut texts = self.endpoints.clone();
        if texts.is_empty() {
            let url = from_env("MESH_URL").unwrap_or_default();
            texts.extend(url.split(',').map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned));
        }
        let mut all = Vec::new();
        for text in texts {
            all.push(text.parse::<Endpoint>().map_err(|error| {
                Error::new(error.code(), error.to_string()).with_hint(error.hint()).with_source(error)
            })?);
        }
        if all.is_empty() {
            all.extend(
                socket_path::candidate_socket_paths()
                    .into_iter()
                    .filter_map(|path| Endpoint::unix(path).ok()),
            );
        }
        if all.len() > ENDPOINTS_MAX {
            return Err(Error::new(Code::EndpointInvalid, format!("more than {ENDPOINTS_MAX} endpoints")));
        }
        let mut all = all.into_iter();
        let first = all.next().ok_or_else(|| Error::of(Code::EndpointInvalid))?;
        Ok(Endpoints::new(first, all.collect()))
    }
}

/// Tokens are no one else's business.
impl std::fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("name", &self.name)
            .field("endpoints", &self.endpoints)
            .field("reconnect", &self.reconnect)
            .finish_non_exhaustive()
    }
}

fn from_env(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|value| !value.is_empty())
}

/// The program's name, in the letters that names have.
fn default_name() -> String {
    let program = std::env::args_os().next().unwrap_or_default();
    let stem =
        std::path::Path::new(&program).file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
    let allowed = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '.' | '_' | '-');
    let name: String = stem.chars().filter(|c| allowed(*c)).take(limits::NAME_BYTES).collect();
    if name.is_empty() { "client".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_name_is_a_name() {
        assert!(Name::check(default_name().as_bytes()).is_ok());
    }

    #[test]
    fn names_and_endpoints_are_checked_first() {
        let builder = || ClientBuilder::new().endpoint("unix:///a");
        assert_eq!(builder().name("Not A Name").checked_name().unwrap_err().code(), Code::NameMalformed);
        assert_eq!(builder().name("orders").checked_name().unwrap(), "orders");
        let wrong = builder().endpoint("/b").parsed_endpoints().unwrap_err();
        assert_eq!(wrong.code(), Code::EndpointInvalid);
        let many = (0..ENDPOINTS_MAX).fold(ClientBuilder::new(), |b, i| b.endpoint(format!("unix:///{i}")));
        assert_eq!(many.parsed_endpoints().unwrap().len(), ENDPOINTS_MAX);
        assert!(many.endpoint("unix:///one-more").parsed_endpoints().is_err());
    }

    #[test]
    fn a_token_is_not_printed() {
        assert!(!format!("{:?}", ClientBuilder::new().token("secret")).contains("secret"));
    }
}
