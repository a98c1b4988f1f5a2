//! Tokens: who is let in by one, and each fault with its code.

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mesh_identity::tokens::signer::{Signer, Token};
use mesh_identity::tokens::{
    Error, Event, KEYS_MAX, KID_BYTES_MAX, LEEWAY, Reload, TOKEN_BYTES_MAX, TokenVerifier,
};
use mesh_wire::code::Code;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::place::{HOUR, name};

struct Issuer {
    dir: TempDir,
    signer: Signer,
}

impl Issuer {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        Signer::create(dir.path(), false).unwrap();
        Self { signer: Signer::open(dir.path()).unwrap(), dir }
    }

    fn jwks(&self) -> PathBuf {
        self.dir.path().join("jwks.json")
    }

    /// Replaces the key file.
    fn write(&self, keys: &[Value]) {
        fs::write(self.jwks(), json!({ "keys": keys }).to_string()).unwrap();
    }

    fn own_key(&self) -> Value {
        self.signer.jwks()["keys"][0].clone()
    }

    fn verifier(&self) -> TokenVerifier {
        TokenVerifier::open(self.jwks(), name("demo"), None).unwrap()
    }

    fn bad_keys(&self, keys: &[Value]) -> String {
        self.write(keys);
        let error = TokenVerifier::open(self.jwks(), name("demo"), None).unwrap_err();
        assert_eq!(error.code(), Code::JwksUnusable);
        error.to_string()
    }

    fn header(&self) -> Value {
        json!({ "alg": "EdDSA", "kid": self.signer.kid() })
    }

    fn raw(&self, header: &Value, claims: &Value) -> Result<String, Code> {
        let token = self.signer.sign_raw(header, claims).unwrap();
        verdict(&self.verifier(), &token)
    }
}

fn verdict(verifier: &TokenVerifier, token: &str) -> Result<String, Code> {
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
fn claims(changes: &Value) -> Value {
    let mut claims = json!({ "sub": "mail", "aud": "demo", "exp": in_an_hour() });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        }
    }
    claims
}

fn good() -> Value {
    claims(&json!({}))
}

fn mail() -> Result<String, Code> {
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
    let longest = lengths.clone().map(token).filter(|token| token.len() <= TOKEN_BYTES_MAX).last().unwrap();
    let longer = lengths.map(token).find(|token| token.len() > TOKEN_BYTES_MAX).unwrap();
    assert!(longest.len() + 2 >= TOKEN_BYTES_MAX && longer.len() <= TOKEN_BYTES_MAX + 2);
    assert_eq!(verdict(&issuer.verifier(), &longest), mail());
    assert_eq!(verdict(&issuer.verifier(), &longer), Err(Code::TokenMalformed));
    let at = |bytes: usize| issuer.verifier().verify(&vec![b'.'; bytes], SystemTime::now()).unwrap_err();
    assert!(at(TOKEN_BYTES_MAX).to_string().contains("three parts"));
    assert!(at(TOKEN_BYTES_MAX + 1).to_string().contains("bytes"));
}

#[test]
fn es256_and_rs256() {
    let issuer = Issuer::new();
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let p256 =
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap();
    let der = PrivatePkcs8KeyDer::from_pem_slice(include_bytes!("rsa.pem")).unwrap();
    let rsa = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let point = p256.public_key().as_ref();
    let ec = json!({ "kty": "EC", "crv": "P-256", "kid": "ec", "x": encode(&point[1..33]), "y": encode(&point[33..]) });
    let n = ring::rsa::PublicKeyComponents::<Vec<u8>>::from(rsa.public()).n;
    let rs = json!({ "kty": "RSA", "kid": "rs", "alg": "RS256", "n": encode(&n), "e": "AQAB" });
    issuer.write(&[ec, rs]);
    let verifier = issuer.verifier();
    assert_eq!((verifier.keys(), verifier.warnings()), (2, Vec::new()));

    let signed = |alg: &str, kid: &str| {
        let header = json!({ "alg": alg, "kid": kid }).to_string();
        format!("{}.{}", encode(header.as_bytes()), encode(good().to_string().as_bytes()))
    };
    let by_p256 = |alg, kid| {
        let signed = signed(alg, kid);
        let signature = p256.sign(&random, signed.as_bytes()).unwrap();
        format!("{signed}.{}", encode(signature.as_ref()))
    };
    let by_rsa = |alg, kid| {
        let signed = signed(alg, kid);
        let mut signature = vec![0; rsa.public().modulus_len()];
        rsa.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", encode(&signature))
    };
    assert_eq!(verdict(&verifier, &by_p256("ES256", "ec")), mail());
    assert_eq!(verdict(&verifier, &by_rsa("RS256", "rs")), mail());
    for token in [by_p256("ES256", "rs"), by_rsa("RS256", "ec"), by_rsa("EdDSA", "rs")] {
        assert_eq!(verdict(&verifier, &token), Err(Code::TokenAlgorithm));
    }
    for token in [by_p256("RS256", "rs"), by_rsa("ES256", "ec")] {
        assert_eq!(verdict(&verifier, &token), Err(Code::TokenSignature));
    }
}

#[test]
fn which_key_files_are_taken() {
    let issuer = Issuer::new();
    let good = issuer.own_key();
    let changed = |field: &str, value: Value| {
        let mut key = good.clone();
        key[field] = value;
        if key[field].is_null() {
            key.as_object_mut().unwrap().remove(field);
        }
        key
    };
    // Left out with a warning, as long as there is another.
    for other in [
        json!({ "kty": "EC", "crv": "P-384", "kid": "x", "x": "AA", "y": "AA" }),
        json!({ "kty": "OKP", "crv": "X25519", "kid": "x", "x": "AA" }),
        json!({ "kty": "RSA", "alg": "RS512", "kid": "x", "n": "AA", "e": "AQAB" }),
        json!({ "kty": "new" }),
        changed("use", json!("enc")),
        changed("alg", json!("ES256")),
    ] {
        assert!(issuer.bad_keys(std::slice::from_ref(&other)).contains("no key that can be used"));
        issuer.write(&[other, good.clone()]);
        assert_eq!((issuer.verifier().keys(), issuer.verifier().warnings().len()), (1, 1));
    }
    // Wrong, so that nothing of the file is taken.
    for (other, why) in [
        (json!({ "kty": "oct", "kid": "x", "k": "AA" }), "secret"),
        (changed("d", json!("AA")), "secret"),
        (changed("kid", json!(null)), "no id"),
        (changed("kid", json!("")), "0 bytes"),
        (changed("x", json!("AA")), "1 bytes"),
        (changed("x", json!("!")), "base64url"),
        (changed("x", json!(null)), "no x"),
        (good.clone(), "twice"),
    ] {
        let error = issuer.bad_keys(&[good.clone(), other]);
        assert!(error.contains(why), "{error}");
    }
    let kid = |bytes: usize| changed("kid", json!("k".repeat(bytes)));
    issuer.write(&[kid(KID_BYTES_MAX)]);
    assert_eq!(issuer.verifier().keys(), 1);
    assert!(issuer.bad_keys(&[kid(KID_BYTES_MAX + 1)]).contains("257 bytes"));
    let rsa = |bits: usize| {
        let mut n = vec![0xff; bits.div_ceil(8)];
        n[0] >>= (8 - bits % 8) % 8;
        json!({ "kty": "RSA", "kid": "x", "n": URL_SAFE_NO_PAD.encode(n), "e": "AQAB" })
    };
    for bits in [2048, 8192] {
        issuer.write(&[rsa(bits)]);
        assert_eq!(issuer.verifier().keys(), 1);
    }
    for bits in [1024, 2047, 8193] {
        assert!(issuer.bad_keys(&[rsa(bits)]).contains(&format!("{bits} bits")));
    }
}

#[test]
fn how_many_keys_a_file_may_have() {
    let issuer = Issuer::new();
    let keys = |count: usize| -> Vec<Value> {
        let mut key = issuer.own_key();
        let numbered = |number: usize| {
            key["kid"] = json!(number.to_string());
            key.clone()
        };
        (0..count).map(numbered).collect()
    };
    issuer.write(&keys(KEYS_MAX));
    assert_eq!(issuer.verifier().keys(), KEYS_MAX);
    assert!(issuer.bad_keys(&keys(KEYS_MAX + 1)).contains("65 keys"));
    assert!(issuer.bad_keys(&[]).contains("no key"));
    for text in ["", "{}", "[]", "{\"keys\":", "{\"keys\":7}"] {
        fs::write(issuer.jwks(), text).unwrap();
        let error = TokenVerifier::open(issuer.jwks(), name("demo"), None).unwrap_err();
        assert_eq!(error.code(), Code::JwksUnusable, "{text}");
    }
    fs::remove_file(issuer.jwks()).unwrap();
    let error = TokenVerifier::open(issuer.jwks(), name("demo"), None).unwrap_err();
    assert_eq!(error.code(), Code::JwksUnusable);
}

#[test]
fn keys_are_rotated_and_a_bad_file_keeps_the_old_ones() {
    let (issuer, next) = (Issuer::new(), Issuer::new());
    let verifier = issuer.verifier();
    let old = issuer.signer.sign_raw(&issuer.header(), &good()).unwrap();
    let new = next.signer.sign_raw(&next.header(), &good()).unwrap();
    assert_eq!(verifier.reload(), Ok(Reload::Same));
    assert_eq!(verdict(&verifier, &new), Err(Code::TokenKeyUnknown));
    issuer.write(&[issuer.own_key(), next.own_key()]);
    assert_eq!(verifier.reload(), Ok(Reload::Changed));
    assert_eq!((verdict(&verifier, &old), verdict(&verifier, &new)), (mail(), mail()));
    issuer.write(&[]);
    assert_eq!(verifier.reload().unwrap_err().code(), Code::JwksUnusable);
    assert_eq!((verdict(&verifier, &old), verdict(&verifier, &new)), (mail(), mail()));
    issuer.write(&[next.own_key()]);
    assert_eq!(verifier.reload(), Ok(Reload::Changed));
    assert_eq!(verdict(&verifier, &old), Err(Code::TokenKeyUnknown));
    assert_eq!(verdict(&verifier, &new), mail());
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
