//! A certificate in memory, signed by itself.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use mesh_wire::name::Name;
use rcgen::{CertificateParams, KeyPair, SanType, date_time_ymd};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;

use crate::id::{Kind, SpiffeId};
use crate::set::{CertSet, Error, Own};

const DAY: Duration = Duration::from_secs(86_400);
/// A process that runs longer than this makes a new one when it starts again; nobody checks it anyway.
const VALID_DAYS: u32 = 3650;

pub(crate) fn set(cluster: Name, node: Name) -> Result<CertSet, Error> {
    let failed = |detail: String| Error::Malformed { path: PathBuf::from("(in memory)"), detail };
    let id = SpiffeId::new(cluster, Kind::Node, node).map_err(|error| failed(error.to_string()))?;
    let now = SystemTime::now();
    let (not_before, not_after) = (now - DAY, now + DAY * VALID_DAYS);
    let made = || -> Result<CertifiedKey, Box<dyn std::error::Error>> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(local_names())?;
        params.subject_alt_names.push(SanType::URI(id.to_string().try_into()?));
        params.not_before = date_time_ymd(1970, 1, 1) + since_1970(not_before);
        params.not_after = date_time_ymd(1970, 1, 1) + since_1970(not_after);
        let certificate = params.self_signed(&key)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Ok(CertifiedKey::from_der(vec![certificate.into()], key, &default_provider())?)
    };
    let key = Arc::new(made().map_err(|error| failed(error.to_string()))?);
    Ok(CertSet::of_own(Own { key, id, not_before, not_after }))
}

/// The names by which a node is reached on its own machine.
pub(crate) fn local_names() -> Vec<String> {
    ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec()
}

/// How long after 1970, which is how a time is told to rcgen: the type that it takes is one of a crate that is not used
/// here.
pub(crate) fn since_1970(time: SystemTime) -> Duration {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
