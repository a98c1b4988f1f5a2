//! Public keys from a JWKS file. Source: RFC 7517; RFC 7518, section 6; RFC 8037, section 2.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::Error;
use super::jws::{Algorithm, Jws};

/// The most keys of a file.
pub const KEYS_MAX: usize = 64;
/// The most bytes of the id of a key.
pub const KID_BYTES_MAX: usize = 256;
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// Keys by their ids.
#[derive(Debug)]
pub(super) struct Keys {
    keys: HashMap<String, Key>,
    warnings: Vec<String>,
}

/// A key, which says its algorithm by itself.
#[derive(Debug)]
enum Key {
    Ed25519(Vec<u8>),
    /// An uncompressed point.
    P256(Vec<u8>),
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    d: Option<IgnoredAny>,
}

impl Keys {
    /// Reads a file. Keys for other purposes and algorithms are left out with a warning, as an issuer may have them
    /// in the same file; secrets are not tolerated.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let set: Set = serde_json::from_slice(bytes).map_err(|error| format!("it is not a JWKS: {error}"))?;
        if set.keys.len() > KEYS_MAX {
            return Err(format!("it has {} keys, {KEYS_MAX} are allowed", set.keys.len()));
        }
        let mut keys = Self { keys: HashMap::new(), warnings: Vec::new() };
        for (at, jwk) in set.keys.iter().enumerate() {
            keys.take(at, jwk)?;
        }
        if keys.keys.is_empty() {
            return Err("it has no key that can be used here (EdDSA, ES256, RS256)".to_owned());
        }
        Ok(keys)
    }

    fn take(&mut self, at: usize, jwk: &Jwk) -> Result<(), String> {
        if jwk.kty == "oct" || jwk.d.is_some() {
            return Err(format!("key {} is a secret; only public keys belong here", at + 1));
        }
        if let Some(why) = unfit(jwk) {
            let kid = jwk.kid.as_deref().unwrap_or("");
            self.warnings.push(format!("key {} ({kid:?}) is left out: {why}", at + 1));
            return Ok(());
        }
        let bad = |detail: &str| format!("key {}: {detail}", at + 1);
        let kid = jwk.kid.clone().ok_or_else(|| bad("it has no id (kid)"))?;
        if kid.is_empty() || kid.len() > KID_BYTES_MAX {
            return Err(bad(&format!("its id has {} bytes, 1 to {KID_BYTES_MAX} are allowed", kid.len())));
        }
        let key = Key::of(jwk).map_err(|detail| bad(&detail))?;
        if self.keys.insert(kid, key).is_some() {
            return Err(bad("its id is used twice"));
        }
        Ok(())
    }

    pub(super) fn count(&self) -> usize {
        self.keys.len()
    }

    pub(super) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The claims of a token, if the key that it names signed it by that key's algorithm.
    pub(super) fn verify(&self, jws: &Jws<'_>) -> Result<Vec<u8>, Error> {
        let key = self.keys.get(&jws.kid).ok_or_else(|| Error::KeyUnknown { kid: jws.kid.clone() })?;
        if key.algorithm() != jws.algorithm {
            return Err(Error::Algorithm { algorithm: jws.algorithm.name().to_owned() });
        }
        let (message, signature) = (jws.signed, jws.signature.as_slice());
        let verified = match key {
            Key::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key).verify(message, signature),
            Key::P256(key) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key).verify(message, signature)
            }
            Key::Rsa { modulus, exponent } => RsaPublicKeyComponents { n: modulus, e: exponent }.verify(
                &RSA_PKCS1_2048_8192_SHA256,
                message,
                signature,
            ),
        };
        verified.map_err(|_| Error::Signature)?;
        Ok(jws.claims.clone())
    }
}

/// Why a key is not one for us, though it may be good.
fn unfit(jwk: &Jwk) -> Option<String> {
    if jwk.purpose.as_deref().is_some_and(|purpose| purpose != "sig") {
        return Some("it is not for signatures".to_owned());
    }
    let algorithm = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
        ("OKP", Some("Ed25519")) => Algorithm::EdDsa,
        ("EC", Some("P-256")) => Algorithm::Es256,
        ("RSA", _) => Algorithm::Rs256,
        (kty, crv) => return Some(format!("its type {kty:?} {:?} is not known", crv.unwrap_or(""))),
    };
    let named = jwk.alg.as_deref()?;
    (named != algorithm.name()).then(|| format!("its algorithm is {named:?}"))
}

impl Key {
    fn of(jwk: &Jwk) -> Result<Self, String> {
        match jwk.kty.as_str() {
            "OKP" => Ok(Self::Ed25519(exact("x", jwk.x.as_ref())?)),
            "EC" => {
                let mut point = vec![4];
                point.extend(exact("x", jwk.x.as_ref())?);
                point.extend(exact("y", jwk.y.as_ref())?);
                Ok(Self::P256(point))
            }
            _ => {
                let modulus = number("n", jwk.n.as_ref())?;
                let bits =
                    modulus.len() * 8 - modulus.first().map_or(0, |byte| byte.leading_zeros() as usize);
                if !RSA_BITS.contains(&bits) {
                    return Err(format!("it has {bits} bits, 2048 to 8192 are allowed"));
                }
                Ok(Self::Rsa { modulus, exponent: number("e", jwk.e.as_ref())? })
            }
        }
    }

    fn algorithm(&self) -> Algorithm {
        match self {
            Self::Ed25519(_) => Algorithm::EdDsa,
            Self::P256(_) => Algorithm::Es256,
            Self::Rsa { .. } => Algorithm::Rs256,
        }
    }
}

fn bytes(field: &str, text: Option<&String>) -> Result<Vec<u8>, String> {
    let text = text.ok_or_else(|| format!("it has no {field}"))?;
    URL_SAFE_NO_PAD.decode(text).map_err(|_| format!("its {field} is not base64url"))
}

fn exact(field: &str, text: Option<&String>) -> Result<Vec<u8>, String> {
    let bytes = bytes(field, text)?;
    if bytes.len() == 32 { Ok(bytes) } else { Err(format!("its {field} has {} bytes, not 32", bytes.len())) }
}

/// A big-endian number without leading zeros.
fn number(field: &str, text: Option<&String>) -> Result<Vec<u8>, String> {
    Ok(bytes(field, text)?.into_iter().skip_while(|byte| *byte == 0).collect())
}
