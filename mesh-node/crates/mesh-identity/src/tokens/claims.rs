//! What a token claims. Source: RFC 7519, section 4.1.

use std::time::{Duration, SystemTime};

use mesh_wire::name::Name;
use serde::Deserialize;
use serde_json::Number;

use super::{Error, LEEWAY};
use crate::id::{Kind, SpiffeId};

/// The last second of the year 9999, which is the last that dates are written for.
const LATEST: f64 = 253_402_300_799.0;

/// What a verified token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// Who it is.
    pub id: SpiffeId,
    /// Until when. A link that was opened with the token is to be closed then; see [`Claims::recheck`].
    pub expires: SystemTime,
}

impl Claims {
    /// Whether a link may go on with the token that it was opened with. The leeway is the one of opening it, so that a
    /// link that was just let in is not closed at once.
    ///
    /// # Errors
    /// [`Error::Expired`].
    pub fn recheck(&self, now: SystemTime) -> Result<(), Error> {
        // On or after its end a token must not be accepted (section 4.1.4).
        if now >= self.expires + LEEWAY {
            return Err(Error::Expired { expires: self.expires });
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Raw {
    sub: Option<String>,
    aud: Option<Audience>,
    exp: Option<Number>,
    nbf: Option<Number>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    fn contains(&self, wanted: &str) -> bool {
        match self {
            Self::One(one) => one == wanted,
            Self::Many(many) => many.iter().any(|one| one == wanted),
        }
    }
}

/// Checks the claims of a token whose signature is good.
pub(super) fn check(json: &[u8], cluster: &Name, audience: &str, now: SystemTime) -> Result<Claims, Error> {
    let raw: Raw = serde_json::from_slice(json)
        .map_err(|_| Error::malformed("its claims are not JSON, or one has the wrong type"))?;
    let expires = time("exp", &raw.exp.ok_or_else(|| Error::malformed("it has no end (exp)"))?)?;
    if now >= expires + LEEWAY {
        return Err(Error::Expired { expires });
    }
    if let Some(not_before) = raw.nbf.map(|nbf| time("nbf", &nbf)).transpose()?
        && not_before > now + LEEWAY
    {
        return Err(Error::NotYetValid { not_before });
    }
    if !raw.aud.is_some_and(|audiences| audiences.contains(audience)) {
        return Err(Error::Audience { wanted: audience.to_owned() });
    }
    let sub = raw.sub.ok_or_else(|| Error::Subject { detail: "there is none".to_owned() })?;
    let bad = |error: &dyn std::fmt::Display| Error::Subject { detail: error.to_string() };
    let name = Name::new(sub).map_err(|error| bad(&error))?;
    let id = SpiffeId::new(cluster.clone(), Kind::Service, name).map_err(|error| bad(&error))?;
    Ok(Claims { id, expires })
}

/// Seconds since 1970, which may have a fraction (section 2, *NumericDate*).
fn time(claim: &str, seconds: &Number) -> Result<SystemTime, Error> {
    let seconds = seconds.as_f64().filter(|seconds| (0.0..=LATEST).contains(seconds));
    let seconds = seconds.ok_or_else(|| Error::malformed(format!("its {claim} is out of range")))?;
    Ok(SystemTime::UNIX_EPOCH + Duration::from_secs_f64(seconds))
}
