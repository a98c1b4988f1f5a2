//! Setting up a client.

use std::hash::RandomState;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mesh_transport::endpoint::Endpoint;
use mesh_transport::socket_path;
use mesh_wire::code::Code;
use mesh_wire::limits;
use mesh_wire::name::Name;

use crate::client::Client;
use crate::credentials::Credentials;
use crate::error::Error;
use crate::link::dial::Dialer;
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
    randomize_endpoints: bool,
    token: Option<String>,
    credentials: Credentials,
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
            randomize_endpoints: false,
            token: None,
            credentials: Credentials::default(),
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

    /// Adds an endpoint: `unix:///run/mesh/mesh.sock`, `quic://HOST:PORT`, or `tls://HOST:PORT` where a network lets no
    /// UDP through. The first that answers is taken, and the next one when it is lost, whatever their schemes. Without
    /// any: those of `MESH_URL`, with commas between them, else the default places.
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoints.push(endpoint.into());
        self
    }

    /// Whether endpoints are tried in a random order instead of the given one, so that many clients with the same list
    /// spread over the nodes. Off by default.
    pub fn randomize_endpoints(mut self, randomize: bool) -> Self {
        self.randomize_endpoints = randomize;
        self
    }

    /// The directory with the certificates for links over a network, as `mesh cert` writes it or Kubernetes mounts it:
    /// the CA that nodes are verified with, and the certificate that this client shows. By default that of `MESH_CERTS`.
    ///
    /// The files are looked at again each second and before each connect, so that a certificate or CA can be replaced
    /// while the client runs. A set with a fault is not taken: the old one stays, and a [`ConnectionEvent::Error`] says
    /// what is wrong.
    ///
    /// Naming any file here leaves out all that the environment names.
    ///
    /// [`ConnectionEvent::Error`]: crate::ConnectionEvent::Error
    pub fn certs(mut self, directory: impl Into<PathBuf>) -> Self {
        self.credentials.certs = Some(directory.into());
        self
    }

    /// Which service's certificate of the directory is shown: `service-NAME.pem`. By default that of `MESH_IDENTITY`,
    /// else the one with this client's own name, else the only one there is.
    pub fn identity(mut self, service: impl Into<String>) -> Self {
        self.credentials.identity = Some(service.into());
        self
    }

    /// The file with the CA that nodes are verified with, where there is no directory for all. By default that of
    /// `MESH_CA`.
    pub fn ca(mut self, file: impl Into<PathBuf>) -> Self {
        self.credentials.ca = Some(file.into());
        self
    }

    /// The files with the certificate that this client shows, with its intermediates, and with its private key; beside
    /// [`ClientBuilder::ca`]. By default those of `MESH_CERT` and `MESH_KEY`. Without any, a node has to take tokens.
    pub fn certificate(mut self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.credentials.cert = Some(certificate.into());
        self.credentials.key = Some(key.into());
        self
    }

    /// The file with revocation lists; beside [`ClientBuilder::ca`]. In a directory it is `crl.pem`.
    pub fn crl(mut self, file: impl Into<PathBuf>) -> Self {
        self.credentials.crl = Some(file.into());
        self
    }

    /// The token to show to nodes, in place of a certificate. By default that of `MESH_TOKEN`. Over a network it is shown
    /// to verified nodes only: without a CA it stays here.
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
    /// A malformed name or endpoint, certificate files with a fault, or why no endpoint could be connected to: a node
    /// that refuses this client does not keep it from trying the others.
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
        let credentials = self.credentials.or_environment(|variable| std::env::var_os(variable)).or_of(&name);
        // Who stays on this machine needs none, and is not to fail over those that others need.
        let credentials = if endpoints.are_local() { Credentials::default() } else { credentials };
        let dialer = Dialer::new(credentials.load().await?, who, self.connect_timeout);
        let shared = Arc::new(Shared::new(name, self.request_timeout));
        let mut driver = Driver::new(Arc::clone(&shared), endpoints, dialer, self.reconnect);
        let opened = match driver.open_any().await {
            Err(unopened) if self.retry_initial && unopened.may_open_later => {
                // Nobody can close a client that is not there yet.
                driver.reopen().await.unwrap_or(Err(unopened.reason))?
            }
            opened => opened.map_err(|unopened| unopened.reason)?,
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
        let endpoints = Endpoints::new(first, all.collect());
        Ok(if self.randomize_endpoints { endpoints.shuffled(&RandomState::new()) } else { endpoints })
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
