//! What quinn lets one choose. The defaults are those of Mesh's links, so that the floors are under the same conditions;
//! other values are for comparing.

use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use quinn::congestion::{BbrConfig, ControllerFactory, CubicConfig, NewRenoConfig};
use quinn::{AckFrequencyConfig, EndpointConfig, MtuDiscoveryConfig, TransportConfig, VarInt};
use rustls::crypto::{CryptoProvider, ring};

/// Settings of an endpoint and its connections.
#[derive(Debug, Clone, Args)]
pub(crate) struct Settings {
    /// Largest UDP payload that is looked for; ten of them must fit into one of 65,507 bytes
    #[arg(long, default_value_t = 6500)]
    mtu: u16,

    /// Bytes of the socket's buffers, in each direction; 0 leaves what the system gives
    #[arg(long, default_value_t = 4 << 20)]
    pub(crate) buffers: usize,

    /// Send each packet by itself
    #[arg(long)]
    no_segmentation: bool,

    /// Bytes under way on one stream
    #[arg(long, default_value_t = 2 << 20)]
    stream_window: u32,

    /// Bytes under way on one connection
    #[arg(long, default_value_t = 6 << 20)]
    window: u32,

    /// Bytes kept by a sender until they are acknowledged
    #[arg(long, default_value_t = 2 << 20)]
    send_window: u64,

    /// Acknowledge after so many packets, where the other side can be asked to; 0 is the protocol's two
    #[arg(long, default_value_t = 0)]
    acknowledge_after: u32,

    /// How much may be under way
    #[arg(long, value_enum, default_value = "cubic")]
    congestion: Congestion,

    /// The only cipher
    #[arg(long, value_enum)]
    cipher: Option<Cipher>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Congestion {
    Cubic,
    Bbr,
    NewReno,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Cipher {
    Aes128,
    Aes256,
    Chacha20,
}

/// How long a connection may be silent, and how often it says something.
const IDLE: Duration = Duration::from_secs(5);
const KEEP_ALIVE: Duration = Duration::from_secs(1);

/// Streams that the other side may have open: one per class of message.
const STREAMS: u32 = 5;

impl Settings {
    /// For the connections.
    pub(crate) fn transport(&self) -> anyhow::Result<Arc<TransportConfig>> {
        let mut discovery = MtuDiscoveryConfig::default();
        discovery.upper_bound(self.mtu);
        let mut transport = TransportConfig::default();
        transport
            .max_idle_timeout(Some(IDLE.try_into()?))
            .keep_alive_interval(Some(KEEP_ALIVE))
            .max_concurrent_uni_streams(STREAMS.into())
            .max_concurrent_bidi_streams(VarInt::from_u32(0))
            .datagram_receive_buffer_size(None)
            .mtu_discovery_config(Some(discovery))
            .enable_segmentation_offload(!self.no_segmentation)
            .stream_receive_window(self.stream_window.into())
            .receive_window(self.window.into())
            .send_window(self.send_window)
            .congestion_controller_factory(self.congestion.factory());
        if self.acknowledge_after > 0 {
            let mut acknowledging = AckFrequencyConfig::default();
            acknowledging.ack_eliciting_threshold(self.acknowledge_after.into());
            transport.ack_frequency_config(Some(acknowledging));
        }
        Ok(Arc::new(transport))
    }

    /// For the endpoint.
    pub(crate) fn endpoint(&self) -> anyhow::Result<EndpointConfig> {
        let mut endpoint = EndpointConfig::default();
        endpoint.max_udp_payload_size(self.mtu)?;
        Ok(endpoint)
    }

    /// For TLS: the suites are what a choice is made of; AES-128 stays, since QUIC's first packets need it.
    pub(crate) fn provider(&self) -> Arc<CryptoProvider> {
        let mut provider = ring::default_provider();
        if let Some(cipher) = self.cipher {
            let first = match cipher {
                Cipher::Aes128 => ring::cipher_suite::TLS13_AES_128_GCM_SHA256,
                Cipher::Aes256 => ring::cipher_suite::TLS13_AES_256_GCM_SHA384,
                Cipher::Chacha20 => ring::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
            };
            provider.cipher_suites.retain(|suite| suite.suite() != first.suite());
            provider.cipher_suites.insert(0, first);
        }
        Arc::new(provider)
    }
}

impl Congestion {
    fn factory(self) -> Arc<dyn ControllerFactory + Send + Sync> {
        match self {
            Self::Cubic => Arc::new(CubicConfig::default()),
            Self::Bbr => Arc::new(BbrConfig::default()),
            Self::NewReno => Arc::new(NewRenoConfig::default()),
        }
    }
}
