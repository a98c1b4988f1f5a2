//! The compact form of a signed token. Source: RFC 7515, sections 4 and 7.1.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::{Error, KID_BYTES_MAX, TOKEN_BYTES_MAX};

/// How much of an unknown algorithm is told.
const ALGORITHM_CHARS: usize = 32;

/// A token taken apart and not yet verified.
pub(super) struct Jws<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) kid: String,
    /// Header and claims as they were signed.
    pub(super) signed: &'a [u8],
    pub(super) claims: Vec<u8>,
    pub(super) signature: Vec<u8>,
}

/// The algorithms that are accepted, all of them asymmetric. Source: RFC 7518, section 3.1; RFC 8037.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    EdDsa,
    Es256,
    Rs256,
}

impl Algorithm {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }

    fn of(name: &str) -> Option<Self> {
        [Self::EdDsa, Self::Es256, Self::Rs256].into_iter().find(|algorithm| algorithm.name() == name)
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<serde::de::IgnoredAny>,
}

pub(super) fn parse(token: &[u8]) -> Result<Jws<'_>, Error> {
    if token.len() > TOKEN_BYTES_MAX {
        return Err(Error::malformed(format!("it has {} bytes, {TOKEN_BYTES_MAX} are allowed", token.len())));
    }
    let mut parts = token.split(|byte| *byte == b'.');
    let (Some(header), Some(claims), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Error::malformed("it does not have three parts with dots between"));
    };
    let signed = &token[..header.len() + 1 + claims.len()];
    let header: Header = serde_json::from_slice(&decode("header", header)?)
        .map_err(|_| Error::malformed("its header is not the JSON of a header"))?;
    // Before anything else, so that `none` is called by its name.
    let algorithm = Algorithm::of(&header.alg).ok_or_else(|| Error::Algorithm {
        // It comes from a stranger and goes into logs.
        algorithm: header.alg.chars().take(ALGORITHM_CHARS).collect(),
    })?;
    if header.crit.is_some() {
        return Err(Error::malformed("it has critical extensions"));
    }
    let kid = header.kid.ok_or_else(|| Error::malformed("it does not name its key (kid)"))?;
    if kid.len() > KID_BYTES_MAX {
        return Err(Error::malformed(format!("the id of its key has more than {KID_BYTES_MAX} bytes")));
    }
    let (claims, signature) = (decode("claims", claims)?, decode("signature", signature)?);
    Ok(Jws { algorithm, kid, signed, claims, signature })
}

fn decode(what: &str, part: &[u8]) -> Result<Vec<u8>, Error> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Error::malformed(format!("its {what} is not base64url")))
}
