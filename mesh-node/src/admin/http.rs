//! The admin HTTP server, on a thread of its own.

mod error;
mod hosts;
mod routes;

use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer, middleware, web};

use super::Api;

pub use error::HttpError;
pub(crate) use hosts::Hosts;
#[cfg(test)]
pub(super) use routes::PATHS;

/// Most connections at once.
const CONNECTIONS: usize = 256;
/// Connections that may wait to be accepted.
const BACKLOG: u32 = 128;
/// How long a client may take to send the head of a request.
const REQUEST_TIME: Duration = Duration::from_secs(5);
/// How long a connection without a request is kept.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long open requests may take when the server stops.
const STOP_SECONDS: u64 = 2;

/// A running server. Dropping it stops it and waits for its thread.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

/// An address that is taken but not served yet.
#[derive(Debug)]
pub(crate) struct Bound {
    address: SocketAddr,
    listener: TcpListener,
}

impl Bound {
    /// Takes the address, so that a node that can't have it fails before it does anything else.
    ///
    /// # Errors
    /// [`HttpError`] says what is in the way.
    pub(crate) fn bind(address: SocketAddr) -> Result<Self, HttpError> {
        let refused = |source| HttpError::new(address, source);
        let listener = TcpListener::bind(address).map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        Ok(Self { address, listener })
    }

    /// The address, with the port that the system chose where none was named.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves `api` to requests for `hosts`.
    ///
    /// # Errors
    /// [`HttpError`] when the system gives no thread or refuses the listener.
    pub(crate) fn serve(self, api: Api, hosts: Hosts) -> Result<Server, HttpError> {
        let Self { address, listener } = self;
        let refused = |source| HttpError::new(address, source);
        let (started, when_started) = mpsc::sync_channel(1);
        let thread = thread::Builder::new()
            .name("mesh-admin".to_owned())
            .spawn(move || {
                actix_rt::System::new().block_on(async move {
                    let server = HttpServer::new(move || app(api.clone(), hosts.clone()))
                        .workers(1)
                        .worker_max_blocking_threads(1)
                        .max_connections(CONNECTIONS)
                        .backlog(BACKLOG)
                        .client_request_timeout(REQUEST_TIME)
                        .keep_alive(KEEP_ALIVE)
                        .shutdown_timeout(STOP_SECONDS)
                        .disable_signals()
                        .listen(listener)
                        .map(HttpServer::run);
                    match server {
                        Ok(server) => {
                            // Whoever waits is `serve`, which does not give up.
                            started.send(Ok(server.handle())).unwrap_or_default();
                            if let Err(error) = server.await {
                                tracing::error!(%error, "the admin HTTP server ended");
                            }
                        }
                        Err(error) => started.send(Err(error)).unwrap_or_default(),
                    }
                });
            })
            .map_err(refused)?;
        let ended = || std::io::Error::other("the thread ended while it started");
        let handle = when_started.recv().map_err(|_| refused(ended()))?.map_err(refused)?;
        Ok(Server { address, handle, thread: Some(thread) })
    }
}

impl Server {
    /// Where it listens.
    #[cfg(test)]
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        tracing::debug!(address = %self.address, "the admin HTTP server stops");
        // The command is on its way once this returns; the thread's end says that it was carried out.
        drop(self.handle.stop(true));
        if let Some(thread) = self.thread.take() {
            // A panic there was reported when it happened.
            thread.join().unwrap_or_default();
        }
    }
}

fn app(
    api: Api,
    hosts: Hosts,
) -> App<
    impl actix_web::dev::ServiceFactory<
        actix_web::dev::ServiceRequest,
        Config = (),
        Response = actix_web::dev::ServiceResponse<impl actix_web::body::MessageBody>,
        Error = actix_web::Error,
        InitError = (),
    >,
> {
    let headers = middleware::DefaultHeaders::new()
        .add(("Cache-Control", "no-store"))
        .add(("X-Content-Type-Options", "nosniff"));
    App::new()
        .app_data(web::Data::new(hosts))
        .configure(|config| routes::configure(config, &api))
        .wrap(middleware::from_fn(hosts::guard))
        .wrap(headers)
}

#[cfg(test)]
mod tests;
