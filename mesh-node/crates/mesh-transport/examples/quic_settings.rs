//! What each setting of QUIC is worth on this machine: `cargo run --release --example quic_settings`.
//!
//! Two threads, two sockets on loopback, one stream, 64 KiB written at a time; a second for each setting, in turns, and
//! the median of the turns. The figures of ADR 0075 come from here.

use std::io::Write;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bytes::Bytes;
use mesh_identity::store::Store;
use mesh_identity::tls::{ALPN, client_config, server_config};
use mesh_identity::verify::Expect;
use mesh_transport::quic::settings;
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{
    ClientConfig, Endpoint, EndpointConfig, MtuDiscoveryConfig, ServerConfig, TokioRuntime, TransportConfig,
    VarInt,
};
use tokio::runtime::Builder;

const TURNS: usize = 5;
const TURN: Duration = Duration::from_millis(700);
const WRITE_BYTES: usize = 64 * 1024;

/// A way to set up both sides.
struct Variant {
    name: &'static str,
    transport: fn() -> TransportConfig,
    payload: u16,
    socket_bytes: Option<usize>,
}

impl Variant {
    const fn of(name: &'static str, transport: fn() -> TransportConfig) -> Self {
        let socket_bytes = Some(settings::SOCKET_BUFFER_BYTES);
        Self { name, transport, payload: settings::MTU_MAX, socket_bytes }
    }
}

const VARIANTS: [Variant; 11] = [
    Variant::of("ours", settings::transport_config),
    Variant {
        payload: 1_472,
        socket_bytes: None,
        ..Variant::of("quinn's defaults", TransportConfig::default)
    },
    Variant::of("packets up to 1,452", || mtu(1_452)),
    Variant::of("packets up to 4,000", || mtu(4_000)),
    Variant { socket_bytes: None, ..Variant::of("socket buffers of the system", settings::transport_config) },
    Variant::of("lane window 256 KiB", || windows(256, 2_048)),
    Variant::of("lane window 1 MiB", || windows(1_024, 2_048)),
    Variant::of("lane window 8 MiB", || windows(8_192, 2_048)),
    Variant::of("send window 256 KiB", || windows(2_048, 256)),
    Variant::of("send window 8 MiB", || windows(2_048, 8_192)),
    Variant::of("no segmentation offload", || {
        let mut config = settings::transport_config();
        config.enable_segmentation_offload(false);
        config
    }),
];

fn mtu(most: u16) -> TransportConfig {
    let mut discovery = MtuDiscoveryConfig::default();
    discovery.upper_bound(most);
    let mut config = settings::transport_config();
    config.mtu_discovery_config(Some(discovery));
    config
}

fn windows(lane_kib: u32, send_kib: u64) -> TransportConfig {
    let mut config = settings::transport_config();
    config
        .stream_receive_window(VarInt::from_u32(lane_kib * 1024))
        .receive_window(VarInt::from_u32(3 * lane_kib * 1024))
        .send_window(send_kib * 1024);
    config
}

fn main() -> Result<()> {
    let mut rates = vec![Vec::new(); VARIANTS.len()];
    for _ in 0..TURNS {
        for (variant, rates) in VARIANTS.iter().zip(&mut rates) {
            rates.push(turn(variant).with_context(|| variant.name)?);
        }
    }
    let mut out = std::io::stdout().lock();
    for (variant, rates) in VARIANTS.iter().zip(&mut rates) {
        rates.sort_by(f64::total_cmp);
        writeln!(out, "{:>32}  {:>7.0} MB/s", variant.name, rates[TURNS / 2])?;
    }
    Ok(())
}

/// Megabytes per second from one thread to another.
fn turn(variant: &'static Variant) -> Result<f64> {
    let (socket, client) = (socket(variant)?, socket(variant)?);
    let address = socket.local_addr()?;
    let reader = thread::spawn(move || {
        Builder::new_current_thread().enable_all().build()?.block_on(read(variant, socket))
    });
    Builder::new_current_thread().enable_all().build()?.block_on(write(variant, client, address))?;
    let (bytes, time) = reader.join().ok().context("the reader panicked")??;
    Ok(bytes as f64 / time.as_secs_f64() / 1e6)
}

fn socket(variant: &Variant) -> Result<UdpSocket> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    if let Some(bytes) = variant.socket_bytes {
        rustix::net::sockopt::set_socket_send_buffer_size(&socket, bytes)?;
        rustix::net::sockopt::set_socket_recv_buffer_size(&socket, bytes)?;
    }
    Ok(socket)
}

fn endpoint(variant: &Variant, server: Option<ServerConfig>, socket: UdpSocket) -> Result<Endpoint> {
    let mut config = EndpointConfig::default();
    config.max_udp_payload_size(variant.payload)?;
    Ok(Endpoint::new(config, server, socket, Arc::new(TokioRuntime))?)
}

async fn read(variant: &Variant, socket: UdpSocket) -> Result<(u64, Duration)> {
    let store = Store::self_signed("test".parse()?, "a".parse()?)?;
    let tls = QuicServerConfig::try_from(server_config(store, Expect::Anything, ALPN)?)?;
    let mut server = ServerConfig::with_crypto(Arc::new(tls));
    server.transport_config(Arc::new((variant.transport)()));
    let endpoint = endpoint(variant, Some(server), socket)?;
    let connection = endpoint.accept().await.context("closed")?.await?;
    let mut stream = connection.accept_uni().await?;
    let start = Instant::now();
    let mut bytes = 0;
    while let Some(chunk) = stream.read_chunk(usize::MAX, true).await? {
        bytes += chunk.bytes.len() as u64;
    }
    let time = start.elapsed();
    connection.close(VarInt::from_u32(0), b"");
    endpoint.wait_idle().await;
    Ok((bytes, time))
}

async fn write(variant: &Variant, socket: UdpSocket, address: SocketAddr) -> Result<()> {
    let tls = client_config(Store::without_ca(), Expect::Host { cluster: None }, ALPN)?;
    let mut client = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls)?));
    client.transport_config(Arc::new((variant.transport)()));
    let endpoint = endpoint(variant, None, socket)?;
    let connection = endpoint.connect_with(client, address, "127.0.0.1")?.await?;
    let mut stream = connection.open_uni().await?;
    let bytes = Bytes::from(vec![7; WRITE_BYTES]);
    let end = Instant::now() + TURN;
    while Instant::now() < end {
        stream.write_chunk(bytes.clone()).await?;
    }
    stream.finish()?;
    stream.stopped().await?;
    connection.closed().await;
    endpoint.wait_idle().await;
    Ok(())
}
