//! Making tokens, for development and tests.
//!
//! ```text
//!  tokens.key    the private key (PKCS #8 in PEM, 0600)      stays with who issues
//!  jwks.json     the public key                             mesh-node --client-tokens
//! ```

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{KeyPair, PKCS_ED25519, PublicKeyData as _, SigningKey as _};
use ring::digest;
use serde_json::{Value, json};

use crate::authority::Error;
use crate::authority::files::{Write, make_dir, must_not_exist, write_all};
use crate::{facts, file, verify};

/// Signs tokens with an Ed25519 key.
pub struct Signer {
    key: KeyPair,
    kid: String,
}

/// What a token shall say; what is missing is left out of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Token {
    /// The service.
    pub sub: Option<String>,
    /// For whom: the cluster.
    pub aud: Vec<String>,
    /// Until when.
    pub expires: Option<SystemTime>,
    /// From when.
    pub not_before: Option<SystemTime>,
}

/// The files of a signer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// The private key.
    pub key: PathBuf,
    /// The public keys, for nodes.
    pub jwks: PathBuf,
}

impl Signer {
    /// A signer with a new key, in memory.
    ///
    /// # Errors
    /// [`Error::Make`].
    pub fn generate() -> Result<Self, Error> {
        Ok(Self::of(KeyPair::generate_for(&PKCS_ED25519)?))
    }

    /// Makes `tokens.key` and `jwks.json` in a directory, which is made if it is not there.
    ///
    /// # Errors
    /// [`Error::Exists`] if they are there and `force` is not set; [`Error::Make`], [`Error::Io`].
    pub fn create(dir: &Path, force: bool) -> Result<Created, Error> {
        let (key, jwks) = (dir.join("tokens.key"), dir.join("jwks.json"));
        if !force {
            must_not_exist(&key)?;
            must_not_exist(&jwks)?;
        }
        make_dir(dir)?;
        let signer = Self::generate()?;
        write_all(&[
            Write::secret(&key, signer.key.serialize_pem()),
            Write::public(&jwks, format!("{:#}\n", signer.jwks())),
        ])?;
        Ok(Created { key, jwks })
    }

    /// The signer of a directory.
    ///
    /// # Errors
    /// [`Error::Files`] or [`Error::Make`] if `tokens.key` can't be used.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let key = file::read(&dir.join("tokens.key"))?.key()?;
        Ok(Self::of(KeyPair::from_der_and_sign_algo(&key, &PKCS_ED25519)?))
    }

    fn of(key: KeyPair) -> Self {
        let digest = digest::digest(&digest::SHA256, key.der_bytes());
        let kid = facts::hex(&digest.as_ref()[..8]).to_lowercase();
        Self { key, kid }
    }

    /// The id of the key, made from the key.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public key as a JWKS.
    pub fn jwks(&self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.key.der_bytes());
        json!({ "keys": [
            { "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": self.kid, "x": x }
        ] })
    }

    /// Signs a token.
    ///
    /// # Errors
    /// [`Error::Make`].
    pub fn sign(&self, token: &Token) -> Result<String, Error> {
        let mut claims = serde_json::Map::new();
        let seconds = |time| Value::from(verify::unix(time).as_secs());
        claims.extend(token.sub.clone().map(|sub| ("sub".to_owned(), sub.into())));
        if !token.aud.is_empty() {
            claims.insert("aud".to_owned(), token.aud.clone().into());
        }
        claims.extend(token.expires.map(|time| ("exp".to_owned(), seconds(time))));
        claims.extend(token.not_before.map(|time| ("nbf".to_owned(), seconds(time))));
        self.sign_raw(&json!({ "alg": "EdDSA", "kid": self.kid, "typ": "JWT" }), &Value::from(claims))
    }

    /// Signs any header and any claims, however wrong they are: for tests.
    ///
    /// # Errors
    /// [`Error::Make`].
    pub fn sign_raw(&self, header: &Value, claims: &Value) -> Result<String, Error> {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(header), encode(claims));
        let signature = self.key.sign(signed.as_bytes())?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}
