//! A TLS session that rewrites what quinn sends, and what it is told.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{Buf, BytesMut};
use quinn_proto::crypto::{
    self, ClientConfig, CryptoError, ExportKeyingMaterialError, HeaderKey, KeyPair, Keys, PacketKey,
};
use quinn_proto::transport_parameters::TransportParameters;
use quinn_proto::{ConnectError, ConnectionId, Side, TransportError};

use crate::frames::cut_streams;

/// Bytes that stay of a stream frame that gets a hole.
const KEEP: usize = 1;
/// The limits of the other side that are ignored (RFC 9000, section 18.2): data of a connection, data of a unidirectional
/// stream, unidirectional streams.
const LIMITS: [u64; 3] = [0x04, 0x07, 0x09];
/// What is taken for them: a varint of eight bytes.
const NO_LIMIT: [u8; 8] = (0xc000_0000_0000_0000_u64 | 1 << 40).to_be_bytes();

/// How a peer misbehaves below its streams. Clones share the switch.
#[derive(Debug, Clone, Default)]
pub struct Tamper {
    limits_ignored: bool,
    gaps: Arc<AtomicUsize>,
}

impl Tamper {
    /// Sends without regard for the limits of the other side.
    #[must_use]
    pub fn ignore_limits(self) -> Self {
        Self { limits_ignored: true, ..self }
    }

    /// Of the next `count` stream frames only the first byte is sent, for good: a gap behind each.
    pub fn gaps(&self, count: usize) {
        self.gaps.store(count, Ordering::Relaxed);
    }

    /// A configuration that does so.
    pub(crate) fn apply(&self, inner: Arc<dyn ClientConfig>) -> Arc<dyn ClientConfig> {
        Arc::new(Config { inner, tamper: self.clone() })
    }
}

struct Config {
    inner: Arc<dyn ClientConfig>,
    tamper: Tamper,
}

impl ClientConfig for Config {
    fn start_session(
        self: Arc<Self>,
        version: u32,
        server_name: &str,
        params: &TransportParameters,
    ) -> Result<Box<dyn crypto::Session>, ConnectError> {
        let inner = Arc::clone(&self.inner).start_session(version, server_name, params)?;
        Ok(Box::new(Session { inner, tamper: self.tamper.clone(), keys: 0 }))
    }
}

struct Session {
    inner: Box<dyn crypto::Session>,
    tamper: Tamper,
    /// Keys that were given out: those of the handshake, then those of the streams.
    keys: usize,
}

impl Session {
    fn tampering(&self, key: Box<dyn PacketKey>) -> Box<dyn PacketKey> {
        Box::new(Key { inner: key, gaps: Arc::clone(&self.tamper.gaps) })
    }
}

impl crypto::Session for Session {
    fn initial_keys(&self, dst_cid: &ConnectionId, side: Side) -> Keys {
        self.inner.initial_keys(dst_cid, side)
    }

    fn handshake_data(&self) -> Option<Box<dyn Any>> {
        self.inner.handshake_data()
    }

    fn peer_identity(&self) -> Option<Box<dyn Any>> {
        self.inner.peer_identity()
    }

    fn early_crypto(&self) -> Option<(Box<dyn HeaderKey>, Box<dyn PacketKey>)> {
        self.inner.early_crypto()
    }

    fn early_data_accepted(&self) -> Option<bool> {
        self.inner.early_data_accepted()
    }

    fn is_handshaking(&self) -> bool {
        self.inner.is_handshaking()
    }

    fn read_handshake(&mut self, buf: &[u8]) -> Result<bool, TransportError> {
        self.inner.read_handshake(buf)
    }

    fn transport_parameters(&self) -> Result<Option<TransportParameters>, TransportError> {
        let told = self.inner.transport_parameters()?;
        Ok(told.map(|told| if self.tamper.limits_ignored { without_limits(&told) } else { told }))
    }

    fn write_handshake(&mut self, buf: &mut Vec<u8>) -> Option<Keys> {
        let mut keys = self.inner.write_handshake(buf)?;
        self.keys += 1;
        if self.keys == 2 {
            keys.packet.local = self.tampering(keys.packet.local);
        }
        Some(keys)
    }

    fn next_1rtt_keys(&mut self) -> Option<KeyPair<Box<dyn PacketKey>>> {
        let KeyPair { local, remote } = self.inner.next_1rtt_keys()?;
        Some(KeyPair { local: self.tampering(local), remote })
    }

    fn is_valid_retry(&self, orig_dst_cid: &ConnectionId, header: &[u8], payload: &[u8]) -> bool {
        self.inner.is_valid_retry(orig_dst_cid, header, payload)
    }

    fn export_keying_material(
        &self,
        output: &mut [u8],
        label: &[u8],
        context: &[u8],
    ) -> Result<(), ExportKeyingMaterialError> {
        self.inner.export_keying_material(output, label, context)
    }
}

struct Key {
    inner: Box<dyn PacketKey>,
    gaps: Arc<AtomicUsize>,
}

impl PacketKey for Key {
    fn encrypt(&self, packet: u64, buf: &mut [u8], header_len: usize) {
        let left = self.gaps.load(Ordering::Relaxed);
        if left > 0 {
            let end = buf.len() - self.tag_len();
            let cut = cut_streams(&mut buf[header_len..end], KEEP, left);
            self.gaps.fetch_sub(cut, Ordering::Relaxed);
        }
        self.inner.encrypt(packet, buf, header_len);
    }

    fn decrypt(&self, packet: u64, header: &[u8], payload: &mut BytesMut) -> Result<(), CryptoError> {
        self.inner.decrypt(packet, header, payload)
    }

    fn tag_len(&self) -> usize {
        self.inner.tag_len()
    }

    fn confidentiality_limit(&self) -> u64 {
        self.inner.confidentiality_limit()
    }

    fn integrity_limit(&self) -> u64 {
        self.inner.integrity_limit()
    }
}

/// The same parameters with the limits on what may be sent taken away.
fn without_limits(told: &TransportParameters) -> TransportParameters {
    let mut written = Vec::new();
    told.write(&mut written);
    let mut rest = &written[..];
    let mut changed = Vec::new();
    while rest.has_remaining() {
        let start = rest;
        let id = varint(&mut rest);
        let len = varint(&mut rest) as usize;
        rest.advance(len);
        if !LIMITS.contains(&id) {
            changed.extend_from_slice(&start[..start.len() - rest.len()]);
        }
    }
    for id in LIMITS {
        changed.extend([id as u8, NO_LIMIT.len() as u8]);
        changed.extend(NO_LIMIT);
    }
    TransportParameters::read(Side::Client, &mut &changed[..])
        .expect("parameters as they were, but for limits")
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let first = bytes.get_u8();
    let more = (1 << (first >> 6)) - 1;
    (0..more).fold(u64::from(first & 0x3f), |value, _| value << 8 | u64::from(bytes.get_u8()))
}
