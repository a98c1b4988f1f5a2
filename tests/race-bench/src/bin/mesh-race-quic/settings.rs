//! What quinn lets one choose: as Mesh's links have it, so that the floors are under the same conditions. What is given
//! here is for comparing.

use std::sync::Arc;

use clap::{Args, ValueEnum};
use mesh_transport::quic::settings;
use quinn::congestion::{BbrConfig, ControllerFactory, CubicConfig, NewRenoConfig};
use quinn::{AckFrequencyConfig, EndpointConfig, MtuDiscoveryConfig, TransportConfig};
use rustls::crypto::{CryptoProvider, ring};

/// Settings of an endpoint and its connections that are other than those of Mesh's links.
#[derive(Debug, Clone, Args)]
pub(crate) struct Settings {
    /// Largest UDP payload that is looked for; ten of them must fit into one of 65,507 bytes
    #[arg(long)]
    mtu: Option<u16>,

    /// Bytes of the socket's buffers, in each direction; 0 leaves what the system gives
    #[arg(long, default_value_t = settings::SOCKET_BUFFER_BYTES)]
    pub(crate) buffers: usize,

    /// Send each packet by itself
    #[arg(long)]
    no_segmentation: bool,

    /// Bytes under way on one stream
    #[arg(long)]
    stream_window: Option<u32>,

    /// Bytes under way on one connection
    #[arg(long)]
    window: Option<u32>,

    /// Bytes kept by a sender until they are acknowledged
    #[arg(long)]
    send_window: Option<u64>,

    /// Have the other side acknowledge after so many packets
    #[arg(long)]
    acknowledge_after: Option<u32>,

    /// How much may be under way
    #[arg(long, value_enum)]
    congestion: Option<Congestion>,

    /// The first choice of cipher
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

impl Settings {
    /// For the connections.
    pub(crate) fn transport(&self) -> Arc<TransportConfig> {
        let mut transport = settings::transport_config();
        if let Some(mtu) = self.mtu {
            let mut discovery = MtuDiscoveryConfig::default();
            discovery.upper_bound(mtu);
            transport.mtu_discovery_config(Some(discovery));
        }
        if self.no_segmentation {
            transport.enable_segmentation_offload(false);
        }
        if let Some(bytes) = self.stream_window {
            transport.stream_receive_window(bytes.into());
        }
        if let Some(bytes) = self.window {
            transport.receive_window(bytes.into());
        }
        if let Some(bytes) = self.send_window {
            transport.send_window(bytes);
        }
        if let Some(packets) = self.acknowledge_after {
            let mut acknowledging = AckFrequencyConfig::default();
            acknowledging.ack_eliciting_threshold(packets.into());
            transport.ack_frequency_config(Some(acknowledging));
        }
        if let Some(congestion) = self.congestion {
            transport.congestion_controller_factory(congestion.factory());
        }
        Arc::new(transport)
    }

    /// For the endpoint.
    pub(crate) fn endpoint(&self) -> anyhow::Result<EndpointConfig> {
        let mut endpoint = EndpointConfig::default();
        settings::endpoint(&mut endpoint);
        if let Some(mtu) = self.mtu {
            endpoint.max_udp_payload_size(mtu)?;
        }
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
