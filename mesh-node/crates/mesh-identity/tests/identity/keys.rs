//! Key files for tokens.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mesh_identity::tokens::{KEYS_MAX, KID_BYTES_MAX, Reload, TokenVerifier};
use mesh_wire::code::Code;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};

use crate::place::name;
use crate::tokens::{Issuer, good, mail, verdict};

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
