//! Tokens: who is let in by one, and each fault with its code.

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mesh_identity::tokens::signer::{Signer, Token};
use mesh_identity::tokens::{Error, Event, KID_BYTES_MAX, LEEWAY, TOKEN_BYTES_MAX, TokenVerifier};
use mesh_wire::code::Code;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::place::{HOUR, name};

pub(crate) struct Issuer {
    dir: TempDir,
    pub(crate) signer: Signer,
}

impl Issuer {
    pub(crate) fn new() -> Self {
        let dir = TempDir::new().unwrap();
        Signer::create(dir.path(), false).unwrap();
        Self { signer: Signer::open(dir.path()).unwrap(), dir }
    }

    pub(crate) fn jwks(&self) -> PathBuf {
        self.dir.path().join("jwks.json")
    }

    /// Replaces the key file.
    pub(crate) fn write(&self, keys: &[Value]) {
        fs::write(self.jwks(), json!({ "keys": keys }).to_string()).unwrap();
    }

    pub(crate) fn own_key(&self) -> Value {
        self.signer.jwks()["keys"][0].clone()
    }

    pub(crate) fn verifier(&self) -> TokenVerifier {
        TokenVerifier::open(self.jwks(), name("demo"), None).unwrap()
    }

    pub(crate) fn bad_keys(&self, keys: &[Value]) -> String {
        self.write(keys);
        let error = TokenVerifier::open(self.jwks(), name("demo"), None).unwrap_err();
        assert_eq!(error.code(), Code::JwksUnusable);
        error.to_string()
    }

    pub(crate) fn header(&self) -> Value {
        json!({ "alg": "EdDSA", "kid": self.signer.kid() })
    }

    fn raw(&self, header: &Value, claims: &Value) -> Result<String, Code> {
        let token = self.signer.sign_raw(header, claims).unwrap();
        verdict(&self.verifier(), &token)
    }
}

pub(crate) fn verdict(verifier: &TokenVerifier, token: &str) -> Result<String, Code> {
    let claims = verifier.verify(token.as_bytes(), SystemTime::now());
    claims.map(|claims| claims.id.to_string()).map_err(|error| error.code())
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

fn in_an_hour() -> u64 {
    seconds(SystemTime::now() + HOUR)
}

/// Claims that are good, with some replaced; null takes one away.
pub(crate) fn claims(changes: &Value) -> Value {
    let mut claims = json!({ "sub": "mail", "aud": "demo", "exp": in_an_hour() });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        }
    }
    claims
}

pub(crate) fn good() -> Value {
    claims(&json!({}))
}

pub(crate) fn mail() -> Result<String, Code> {
    Ok("spiffe://demo/service/mail".to_owned())
}

#[test]
fn a_good_token_is_an_identity_for_a_while() {
    let issuer = Issuer::new();
    let expires = SystemTime::UNIX_EPOCH + Duration::from_secs(in_an_hour());
    let token = issuer.signer.sign(&Token {
        sub: Some("mail".to_owned()),
        aud: vec!["other".to_owned(), "demo".to_owned()],
        expires: Some(expires),
        not_before: Some(SystemTime::now()),
    });
    let claims = issuer.verifier().verify(token.unwrap().as_bytes(), SystemTime::now()).unwrap();
    assert_eq!(claims.id.to_string(), "spiffe://demo/service/mail");
    assert_eq!(claims.expires, expires);
    let nearly = expires + LEEWAY - Duration::from_millis(1);
    assert_eq!(claims.recheck(nearly), Ok(()));
    assert_eq!(claims.recheck(expires + LEEWAY), Err(Error::Expired { expires }));
    assert_eq!(Error::Expired { expires }.code(), Code::TokenExpired);
}

#[test]
fn each_claim() {
    let now = seconds(SystemTime::now());
    let cases = [
        (json!({}), mail()),
        (json!({ "iss": "x", "iat": 1, "more": { "a": [1] } }), mail()),
        (json!({ "aud": ["x", "demo"] }), mail()),
        (json!({ "aud": "other" }), Err(Code::TokenAudience)),
        (json!({ "aud": "demo2" }), Err(Code::TokenAudience)),
        (json!({ "aud": ["x", "y"] }), Err(Code::TokenAudience)),
        (json!({ "aud": [] }), Err(Code::TokenAudience)),
        (json!({ "aud": null }), Err(Code::TokenAudience)),
        (json!({ "aud": 7 }), Err(Code::TokenMalformed)),
        (json!({ "exp": now - 3600 }), Err(Code::TokenExpired)),
        (json!({ "exp": 0 }), Err(Code::TokenExpired)),
        (json!({ "exp": in_an_hour() as f64 + 0.5 }), mail()),
        (json!({ "exp": null }), Err(Code::TokenMalformed)),
        (json!({ "exp": "tomorrow" }), Err(Code::TokenMalformed)),
        (json!({ "exp": -1 }), Err(Code::TokenMalformed)),
        (json!({ "exp": 253_402_300_799_u64 }), mail()),
        (json!({ "exp": 253_402_300_800_u64 }), Err(Code::TokenMalformed)),
        (json!({ "exp": 1e300 }), Err(Code::TokenMalformed)),
        (json!({ "nbf": now - 5 }), mail()),
        (json!({ "nbf": now + 3600 }), Err(Code::TokenNotYetValid)),
        (json!({ "nbf": "x" }), Err(Code::TokenMalformed)),
        (json!({ "sub": null }), Err(Code::TokenSubject)),
        (json!({ "sub": "" }), Err(Code::TokenSubject)),
        (json!({ "sub": "Mail" }), Err(Code::TokenSubject)),
        (json!({ "sub": "a/../node/a" }), Err(Code::TokenSubject)),
        (json!({ "sub": ".." }), Err(Code::TokenSubject)),
        (json!({ "sub": "x".repeat(128) }), Ok(format!("spiffe://demo/service/{}", "x".repeat(128)))),
        (json!({ "sub": "x".repeat(129) }), Err(Code::TokenSubject)),
        (json!({ "sub": 7 }), Err(Code::TokenMalformed)),
    ];
    let issuer = Issuer::new();
    for (changes, verdict) in cases {
        assert_eq!(issuer.raw(&issuer.header(), &claims(&changes)), verdict, "{changes}");
    }
    for other in [json!([]), json!("x"), json!(7), json!(null)] {
        assert_eq!(issuer.raw(&issuer.header(), &other), Err(Code::TokenMalformed), "{other}");
    }
}

#[test]
fn times_at_the_edge_of_the_leeway() {
    let issuer = Issuer::new();
    let verifier = issuer.verifier();
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000);
    let token = |claims: &Value| issuer.signer.sign_raw(&issuer.header(), claims).unwrap();
    let code = |token: &str, now| verifier.verify(token.as_bytes(), now).map(drop).map_err(|e| e.code());
    let millisecond = Duration::from_millis(1);
    let exp = token(&claims(&json!({ "exp": 2_000_000_000 })));
    assert_eq!(code(&exp, at + LEEWAY - millisecond), Ok(()));
    assert_eq!(code(&exp, at + LEEWAY), Err(Code::TokenExpired));
    let nbf = token(&claims(&json!({ "exp": 2_100_000_000, "nbf": 2_000_000_000 })));
    assert_eq!(code(&nbf, at - LEEWAY), Ok(()));
    assert_eq!(code(&nbf, at - LEEWAY - millisecond), Err(Code::TokenNotYetValid));
}

#[test]
fn each_header() {
    let issuer = Issuer::new();
    let kid = issuer.signer.kid();
    let cases = [
        (json!({ "alg": "EdDSA", "kid": kid }), mail()),
        (json!({ "alg": "EdDSA", "kid": kid, "typ": "JWT", "x": 1 }), mail()),
        (json!({ "alg": "none", "kid": kid }), Err(Code::TokenAlgorithm)),
        (json!({ "alg": "None", "kid": kid }), Err(Code::TokenAlgorithm)),
        (json!({ "alg": "HS256", "kid": kid }), Err(Code::TokenAlgorithm)),
        (json!({ "alg": "RS512", "kid": kid }), Err(Code::TokenAlgorithm)),
        (json!({ "alg": "eddsa", "kid": kid }), Err(Code::TokenAlgorithm)),
        (json!({ "alg": "", "kid": kid }), Err(Code::TokenAlgorithm)),
        // Known, and not that key's.
        (json!({ "alg": "ES256", "kid": kid }), Err(Code::TokenAlgorithm)),
        (json!({ "alg": "RS256", "kid": kid }), Err(Code::TokenAlgorithm)),
        (json!({ "alg": "EdDSA", "kid": "other" }), Err(Code::TokenKeyUnknown)),
        (json!({ "alg": "EdDSA" }), Err(Code::TokenMalformed)),
        (json!({ "kid": kid }), Err(Code::TokenMalformed)),
        (json!({ "alg": 7, "kid": kid }), Err(Code::TokenMalformed)),
        (json!({ "alg": "EdDSA", "kid": kid, "crit": ["b64"], "b64": false }), Err(Code::TokenMalformed)),
        (json!({ "alg": "EdDSA", "kid": "k".repeat(KID_BYTES_MAX) }), Err(Code::TokenKeyUnknown)),
        (json!({ "alg": "EdDSA", "kid": "k".repeat(KID_BYTES_MAX + 1) }), Err(Code::TokenMalformed)),
        // Keys that the token brings along are not looked at.
        (json!({ "alg": "EdDSA", "jwk": issuer.own_key() }), Err(Code::TokenMalformed)),
    ];
    for (header, verdict) in cases {
        assert_eq!(issuer.raw(&header, &good()), verdict, "{header}");
    }
}

#[test]
fn a_token_is_unsigned_or_changed_or_signed_by_another() {
    let issuer = Issuer::new();
    let verifier = issuer.verifier();
    let token = issuer.signer.sign_raw(&issuer.header(), &good()).unwrap();
    assert_eq!(verdict(&verifier, &token), mail());
    let parts: Vec<&str> = token.split('.').collect();
    let [header, body, signature] = parts.as_slice() else { panic!() };
    let admin = URL_SAFE_NO_PAD.encode(claims(&json!({ "sub": "admin" })).to_string());
    assert_eq!(verdict(&verifier, &format!("{header}.{admin}.{signature}")), Err(Code::TokenSignature));
    assert_eq!(verdict(&verifier, &format!("{header}.{body}.")), Err(Code::TokenSignature));
    let none = URL_SAFE_NO_PAD.encode(json!({ "alg": "none", "kid": issuer.signer.kid() }).to_string());
    assert_eq!(verdict(&verifier, &format!("{none}.{body}.")), Err(Code::TokenAlgorithm));
    // The right key id under another key.
    let other = Issuer::new().signer.sign_raw(&issuer.header(), &good()).unwrap();
    assert_eq!(verdict(&verifier, &other), Err(Code::TokenSignature));
    // Nothing is told about the claims of a token that is not signed.
    let expired = claims(&json!({ "exp": 1 }));
    let forged = Issuer::new().signer.sign_raw(&issuer.header(), &expired).unwrap();
    assert_eq!(verdict(&verifier, &forged), Err(Code::TokenSignature));
    // One bit of each byte of the signature.
    let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    for at in 0..bytes.len() {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        let token = format!("{header}.{body}.{}", URL_SAFE_NO_PAD.encode(bytes));
        assert_eq!(verdict(&verifier, &token), Err(Code::TokenSignature), "byte {at}");
    }
}

/// The attack on verifiers that take the algorithm from the token: the public key is the secret of HS256.
#[test]
fn a_public_key_is_no_secret() {
    let issuer = Issuer::new();
    let public = URL_SAFE_NO_PAD.decode(issuer.own_key()["x"].as_str().unwrap()).unwrap();
    let pem = fs::read(issuer.jwks()).unwrap();
    for secret in [public, pem] {
        let header =
            URL_SAFE_NO_PAD.encode(json!({ "alg": "HS256", "kid": issuer.signer.kid() }).to_string());
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(good().to_string()));
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &secret);
        let tag = URL_SAFE_NO_PAD.encode(ring::hmac::sign(&key, signed.as_bytes()));
        assert_eq!(verdict(&issuer.verifier(), &format!("{signed}.{tag}")), Err(Code::TokenAlgorithm));
    }
}

#[test]
fn what_is_no_token() {
    let issuer = Issuer::new();
    let verifier = issuer.verifier();
    let token = issuer.signer.sign_raw(&issuer.header(), &good()).unwrap();
    let header = URL_SAFE_NO_PAD.encode(issuer.header().to_string());
    let cases = [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "...".to_owned(),
        "secret".to_owned(),
        format!("Bearer {token}"),
        format!(" {token}"),
        format!("{token}\n"),
        format!("{token}."),
        format!("\"{token}\""),
        format!("{token}="),
        token.replacen('.', "=.", 1),
        token.rsplit_once('.').unwrap().0.to_owned(),
        format!("{}.e30.AA", URL_SAFE_NO_PAD.encode("{")),
        format!("{}.e30.AA", URL_SAFE_NO_PAD.encode("[]")),
        format!("{}.e30.AA", URL_SAFE_NO_PAD.encode([0xff, 0xfe])),
        format!("{}.e30.AA", URL_SAFE_NO_PAD.encode("{\"alg\":\"EdDSA\",\"alg\":\"EdDSA\",\"kid\":\"x\"}")),
        format!("{header}.+/.AA"),
        "\0".to_owned(),
        "é.é.é".to_owned(),
    ];
    for token in cases {
        assert_eq!(verdict(&verifier, &token), Err(Code::TokenMalformed), "{token:?}");
    }
}

#[test]
fn bytes_of_a_token_at_the_limit() {
    let issuer = Issuer::new();
    let token = |filler: usize| {
        issuer.signer.sign_raw(&issuer.header(), &claims(&json!({ "x": "x".repeat(filler) }))).unwrap()
    };
    // Base64 has no length of 1 more than a multiple of 4, so that not each length can be made.
    let lengths = 5700..6100;
    let longest = lengths.clone().map(token).rfind(|token| token.len() <= TOKEN_BYTES_MAX).unwrap();
    let longer = lengths.map(token).find(|token| token.len() > TOKEN_BYTES_MAX).unwrap();
    assert!(longest.len() + 2 >= TOKEN_BYTES_MAX && longer.len() <= TOKEN_BYTES_MAX + 2);
    assert_eq!(verdict(&issuer.verifier(), &longest), mail());
    assert_eq!(verdict(&issuer.verifier(), &longer), Err(Code::TokenMalformed));
    let at = |bytes: usize| issuer.verifier().verify(&vec![b'.'; bytes], SystemTime::now()).unwrap_err();
    assert!(at(TOKEN_BYTES_MAX).to_string().contains("three parts"));
    assert!(at(TOKEN_BYTES_MAX + 1).to_string().contains("bytes"));
}

#[test]
fn another_audience_than_the_cluster() {
    let issuer = Issuer::new();
    let verifier = TokenVerifier::open(issuer.jwks(), name("demo"), Some("https://mesh".to_owned())).unwrap();
    let token = |aud| issuer.signer.sign_raw(&issuer.header(), &claims(&json!({ "aud": aud }))).unwrap();
    assert_eq!(verdict(&verifier, &token("https://mesh")), mail());
    assert_eq!(verdict(&verifier, &token("demo")), Err(Code::TokenAudience));
}

#[tokio::test(start_paused = true)]
async fn watching_tells_each_change_once() {
    let (issuer, next) = (Issuer::new(), Issuer::new());
    let told = Rc::new(RefCell::new(Vec::new()));
    let tell = {
        let told = Rc::clone(&told);
        move |event| {
            told.borrow_mut().push(match event {
                Event::Changed => "changed",
                Event::Failed(_) => "failed",
                Event::Restored => "restored",
            });
        }
    };
    let mut watching = Box::pin(issuer.verifier().watch(tell));
    let mut seconds = async |count: u64| {
        let length = Duration::from_millis(count * 1000 + 100);
        assert!(tokio::time::timeout(length, &mut watching).await.is_err(), "it never ends");
        told.take()
    };
    assert_eq!(seconds(3).await, [""; 0]);
    issuer.write(&[next.own_key()]);
    assert_eq!(seconds(3).await, ["changed"]);
    issuer.write(&[]);
    assert_eq!(seconds(3).await, ["failed"]);
    issuer.write(&[next.own_key()]);
    assert_eq!(seconds(3).await, ["restored"]);
}
