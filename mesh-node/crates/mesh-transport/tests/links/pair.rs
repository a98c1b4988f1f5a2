//! Both ends of a link, in one process.

use std::future::poll_fn;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use mesh_identity::store::Store;
use mesh_transport::connect::{self, ConnectOptions};
use mesh_transport::endpoint::Endpoint;
use mesh_transport::link::{Link, Outbound};
use mesh_transport::listen::{self, UnixListenerOptions};
use mesh_transport::{quic, tls};
use mesh_wire::class::Class;
use tokio::time::timeout;

use crate::certs::Certs;

/// What waits for something that must happen gives up after this time.
const PATIENCE: Duration = Duration::from_secs(60);
/// Nothing happened for so long: it is blocked.
const STILL: Duration = Duration::from_millis(400);

/// A listener for links of one carrier.
pub(crate) enum Node {
    /// With the directory that it is in.
    Unix(listen::Listener, #[expect(dead_code, reason = "removed when it is dropped")] tempfile::TempDir),
    Quic(quic::Listener),
    Tls(tls::Listener),
}

pub(crate) fn quic_options(certs: &Certs) -> quic::ListenerOptions {
    quic::ListenerOptions::new(
        "127.0.0.1:0".parse().unwrap(),
        certs.node("a"),
        certs.expect_service(),
        quic::ResetKey::random().unwrap(),
    )
}

pub(crate) fn tls_options(certs: &Certs) -> tls::ListenerOptions {
    let address = "127.0.0.1:0".parse().unwrap();
    tls::ListenerOptions::new(address, certs.node("a"), certs.expect_service())
}

impl Node {
    pub(crate) fn unix() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = UnixListenerOptions::new(dir.path().join("mesh.sock"));
        Self::Unix(listen::Listener::bind(options).unwrap(), dir)
    }

    pub(crate) fn quic() -> Self {
        Self::Quic(quic::Listener::bind(quic_options(Certs::shared())).unwrap())
    }

    pub(crate) fn tls() -> Self {
        Self::Tls(tls::Listener::bind(tls_options(Certs::shared())).unwrap())
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        match self {
            Self::Unix(listener, _) => listener.endpoint(),
            Self::Quic(listener) => format!("quic://{}", listener.local_address().unwrap()).parse().unwrap(),
            Self::Tls(listener) => format!("tls://{}", listener.local_address().unwrap()).parse().unwrap(),
        }
    }

    pub(crate) async fn accept(&self) -> Link {
        match self {
            Self::Unix(listener, _) => match listener.accept().await.unwrap() {
                listen::Incoming::Admitted(stream, peer) => Link::unix(stream, Some(peer)),
                listen::Incoming::Refused(..) => panic!("refused"),
            },
            Self::Quic(listener) => listener.accept().await.unwrap().finish().await.unwrap(),
            Self::Tls(listener) => listener.accept().await.unwrap().finish().await.unwrap(),
        }
    }

    /// A link: the end that dialled, and the end that listened.
    pub(crate) async fn pair(&self) -> (Link, Link) {
        let endpoint = self.endpoint();
        let (client, node) = tokio::join!(open(&endpoint, Certs::shared().service("app")), self.accept());
        (client, node)
    }
}

pub(crate) async fn open(endpoint: &Endpoint, credentials: Store) -> Link {
    connect::open(endpoint, &ConnectOptions::new(credentials)).await.unwrap()
}

/// What has to happen, and soon.
pub(crate) async fn soon<T>(event: impl Future<Output = T>) -> T {
    timeout(PATIENCE, event).await.expect("it did not happen")
}

pub(crate) async fn write_all(
    outbound: &mut Outbound,
    class: Class,
    bytes: impl Into<Bytes>,
) -> io::Result<()> {
    let lane = outbound.lane_of(class);
    let mut bytes: Bytes = bytes.into();
    while !bytes.is_empty() {
        let written = poll_fn(|cx| outbound.poll_write(lane, cx, std::slice::from_ref(&bytes))).await?;
        bytes = bytes.split_off(written);
    }
    Ok(())
}

/// What [`fill`] writes.
pub(crate) static FILLING: &[u8] = &[b'f'; 64 * 1024];

/// Writes until nothing more is taken, at most `limit` bytes; gives how many were.
pub(crate) async fn fill(outbound: &mut Outbound, class: Class, limit: usize) -> usize {
    let lane = outbound.lane_of(class);
    let chunk = Bytes::from_static(FILLING);
    let mut taken = 0;
    while taken < limit {
        let write = poll_fn(|cx| outbound.poll_write(lane, cx, std::slice::from_ref(&chunk)));
        match timeout(STILL, write).await {
            Ok(written) => taken += written.unwrap(),
            Err(_) => return taken,
        }
    }
    panic!("{taken} bytes were taken, and more would be")
}
