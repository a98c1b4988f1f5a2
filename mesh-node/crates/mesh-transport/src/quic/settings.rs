//! Every setting of QUIC, with its reason. The figures behind them are in ADR 0075.

use std::sync::Arc;
use std::time::Duration;

use mesh_wire::class::Class;
use quinn::{EndpointConfig, IdleTimeout, MtuDiscoveryConfig, ServerConfig, TransportConfig, VarInt};

/// A sign of life is sent after this time without traffic.
pub const KEEPALIVE: Duration = Duration::from_secs(1);
/// quinn gives up a link after this time without traffic, in ms, and tells nobody: the watch has to come first.
pub const IDLE_MAX: VarInt = VarInt::from_u32(6_000);
/// How often the watch looks whether anything was heard.
pub const WATCH_STEP: Duration = Duration::from_millis(450);
/// After so many looks without anything heard the link is dead: at 4.5 s, and before 5 s as a look may come late by one.
pub const WATCH_STEPS: u32 = 10;
/// After so many looks without anything heard, which is longer than two signs of life are apart, the side that dialled
/// asks whether the port is still there.
pub(crate) const WATCH_STEPS_TO_ASK: u32 = 3;
/// Longest time from the opening of a lane to its first byte. A packet that is sent again comes well within it.
pub const LANE_SILENCE_MAX: Duration = Duration::from_secs(5);

/// Largest UDP payload, in bytes. quinn hands up to 10 packets of this size to the kernel in one go, and 65,507 bytes
/// is the most that UDP takes: above 6,550 sends fail silently. The packets that fit a path are found by probing.
pub const MTU_MAX: u16 = 6_500;
/// Segments that quinn sends in one go.
const SEGMENTS: usize = 10;
const _: () = assert!(MTU_MAX as usize * SEGMENTS <= 65_507);

/// What a lane may have under way to this side, in bytes.
pub const LANE_WINDOW_BYTES: u32 = 1024 * 1024;
/// What all lanes together may have under way to this side, in bytes: two full lanes do not hold up a third.
pub const LINK_WINDOW_BYTES: u32 = 3 * LANE_WINDOW_BYTES;
/// What this side keeps of written bytes until the other side has them, in bytes.
pub const SEND_WINDOW_BYTES: u64 = 2 * 1024 * 1024;

/// Kernel buffers that are asked for on UDP sockets, in bytes; the kernel clamps to `net.core.[rw]mem_max`.
pub const SOCKET_BUFFER_BYTES: usize = 4 * 1024 * 1024;

/// Handshakes under way at once on a listener: 2,000 clients that come back together need a few hundred at a time, and
/// as many half-open ones hold a bounded amount of memory.
pub const HANDSHAKES_MAX: usize = 1_024;
/// From so many handshakes on, who dials has to prove its address: made-up ones cost nothing then.
pub const RETRY_FROM: usize = 128;
/// Longest time of a handshake, on the listening side.
pub const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(5);
/// First packets that may wait until the listener looks at them.
const INCOMING_MAX: usize = 1_024;
/// What may wait behind a first packet, in bytes: the rest of one client's first flight. Nobody sends data that early.
const INCOMING_BYTES: u64 = 16 * 1024;
/// What may wait behind all first packets, in bytes.
const INCOMING_TOTAL_BYTES: u64 = 4 * 1024 * 1024;

/// The round trip that is assumed before one is measured. The default of 333 ms makes a lost first packet cost a second.
const INITIAL_RTT: Duration = Duration::from_millis(100);

/// How connections behave, on both sides, to be shared.
#[must_use]
pub fn transport() -> Arc<TransportConfig> {
    Arc::new(transport_config())
}

/// How connections behave, on both sides, to be changed where the effect of a setting is measured.
#[must_use]
pub fn transport_config() -> TransportConfig {
    let mut mtu = MtuDiscoveryConfig::default();
    mtu.upper_bound(MTU_MAX);
    let mut config = TransportConfig::default();
    config
        .max_concurrent_uni_streams(VarInt::from_u32(Class::COUNT as u32))
        .max_concurrent_bidi_streams(VarInt::from_u32(0))
        .datagram_receive_buffer_size(None)
        .max_idle_timeout(Some(IdleTimeout::from(IDLE_MAX)))
        .keep_alive_interval(Some(KEEPALIVE))
        .stream_receive_window(VarInt::from_u32(LANE_WINDOW_BYTES))
        .receive_window(VarInt::from_u32(LINK_WINDOW_BYTES))
        .send_window(SEND_WINDOW_BYTES)
        .initial_rtt(INITIAL_RTT)
        .mtu_discovery_config(Some(mtu))
        .congestion_controller_factory(Arc::new(super::congestion::Factory::default()));
    config
}

/// Lets packets of [`MTU_MAX`] in; the other side finds the largest that gets through.
pub fn endpoint(config: &mut EndpointConfig) {
    // Refused below 1,200 only.
    config.max_udp_payload_size(MTU_MAX).ok();
}

/// How a listener takes connections.
pub fn server(config: &mut ServerConfig) {
    config
        .transport_config(transport())
        // A link belongs to where it began: no node moves, and a client that does connects again.
        .migration(false)
        .max_incoming(INCOMING_MAX)
        .incoming_buffer_size(INCOMING_BYTES)
        .incoming_buffer_size_total(INCOMING_TOTAL_BYTES);
}
