//! Certificates and keys that change while the node runs.

use mesh_identity::{
    authority::{self, Issue},
    tokens::signer::{Signer, Token},
};
use mesh_wire::code::Code;
use std::time::{Duration, SystemTime};

use crate::{
    client::Client,
    site::{CLUSTER, Site, name, prepare},
};

/// Asks until the answer is as wanted.
async fn until(site: &Site, subject: &str, wanted: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
    for _ in 0..200 {
        let answer = site.ask(subject).await;
        if wanted(&answer) {
            return answer;
        }
        // What is waited for happens by the second, and nobody is told of it from outside.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{subject} never became what it should: {}", site.ask(subject).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn new_certificates_count_at_once_and_bad_ones_do_not() {
    let site = Site::start(&[]);
    let before = site.ask("$mesh.certificates").await;
    assert_eq!(
        (&before["identity"], &before["files"]["reloads"]),
        (&"spiffe://test/node/n".into(), &0.into())
    );

    let key = site.certs().join("node-n.key");
    let good = std::fs::read(&key).unwrap();
    std::fs::write(&key, "nonsense").unwrap();
    let failing = until(&site, "$mesh.certificates", |now| !now["files"]["failing"].is_null()).await;
    assert_eq!(failing["files"]["failing"]["code"], Code::CertsMalformed.to_string());
    let (mut client, _) = Client::welcomed(&site.quic(), &site.service("a"), None).await;
    client.ping().await;
    std::fs::write(&key, good).unwrap();
    until(&site, "$mesh.certificates", |now| now["files"]["failing"].is_null()).await;

    let names = vec!["127.0.0.1".to_owned()];
    authority::issue(&site.certs(), &Issue { names, force: true, ..Issue::node(name("n")) }).unwrap();
    until(&site, "$mesh.certificates", |now| now["files"]["reloads"] == 1).await;
    let metrics = site.ask("$mesh.metrics").await;
    assert_eq!(
        (&metrics["mesh_certificates_reloads_total"], &metrics["mesh_certificates_failures_total"]),
        (&1.into(), &1.into())
    );
    assert!(metrics["mesh_certificates_not_after_seconds"].as_u64().unwrap() > 1_700_000_000);
    Client::welcomed(&site.tls(), &site.service("a"), None).await;
    client.ping().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_certificate_ends_its_link_and_gets_no_other() {
    let site = Site::start(&[]);
    let store = site.service("lost");
    let (mut lost, _) = Client::welcomed(&site.quic(), &store, None).await;
    let (mut over_tls, _) = Client::welcomed(&site.tls(), &store, None).await;
    let (mut other, _) = Client::welcomed(&site.quic(), &site.service("other"), None).await;
    authority::revoke(&site.certs(), &site.certs().join("service-lost.pem"), SystemTime::now()).unwrap();
    assert_eq!(lost.refusal().await.0, Code::CertificateRevoked);
    assert_eq!(over_tls.refusal().await.0, Code::CertificateRevoked);
    for endpoint in [site.quic(), site.tls()] {
        assert_eq!(Client::refused(&endpoint, &store, None).await.0, Code::CertificateRevoked);
    }
    other.ping().await;
}

fn token(audience: &str, expires: SystemTime) -> Token {
    Token {
        sub: Some("worker".to_owned()),
        aud: vec![audience.to_owned()],
        expires: Some(expires),
        not_before: None,
    }
}

/// A node that takes tokens, and who signs them.
fn with_tokens() -> (Site, Signer) {
    let dir = tempfile::tempdir().unwrap();
    prepare(dir.path());
    Signer::create(&dir.path().join("certs"), false).unwrap();
    let site = Site::start_in(dir, &[("tokens.jwks", "DIR/certs/jwks.json")]);
    let signer = Signer::open(&site.certs()).unwrap();
    (site, signer)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_does_instead_of_a_certificate() {
    let (site, signer) = with_tokens();
    let later = SystemTime::now() + Duration::from_secs(600);
    for endpoint in [site.quic(), site.tls()] {
        let good = signer.sign(&token(CLUSTER, later)).unwrap();
        let (mut client, welcome) = Client::welcomed(&endpoint, &site.ca(), Some(&good)).await;
        assert_eq!(welcome.identity, "spiffe://test/service/worker");
        client.ping().await;
        let (_, welcome) = Client::welcomed(&endpoint, &site.service("certified"), Some(&good)).await;
        assert_eq!(
            welcome.identity, "spiffe://test/service/certified",
            "a certificate counts before a token"
        );
        let elsewhere = signer.sign(&token("other", later)).unwrap();
        for (token, code) in [
            (None, Code::IdentityRequired),
            (Some("nonsense"), Code::TokenMalformed),
            (Some(elsewhere.as_str()), Code::TokenAudience),
        ] {
            assert_eq!(Client::refused(&endpoint, &site.ca(), token).await.0, code, "{token:?}");
        }
    }
    let links = site.ask("$mesh.links").await;
    assert!(links["links"].as_array().unwrap().iter().any(|link| link["token_expires"].is_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_means_nothing_where_none_are_taken() {
    let site = Site::start(&[]);
    assert_eq!(Client::refused(&site.quic(), &site.ca(), Some("x.y.z")).await.0, Code::CertificateMissing);
    let (_, welcome) = Client::welcomed(&site.quic(), &site.service("a"), Some("x.y.z")).await;
    assert_eq!(welcome.identity, "spiffe://test/service/a");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_ends_with_its_token() {
    let (site, signer) = with_tokens();
    // Clocks may differ by half a minute, so that this one is good for two seconds more.
    let brief = signer.sign(&token(CLUSTER, SystemTime::now() - Duration::from_secs(28))).unwrap();
    let (mut client, _) = Client::welcomed(&site.quic(), &site.ca(), Some(&brief)).await;
    assert_eq!(client.refusal().await.0, Code::TokenExpired);
    assert_eq!(Client::refused(&site.quic(), &site.ca(), Some(&brief)).await.0, Code::TokenExpired);
}

#[tokio::test(flavor = "multi_thread")]
async fn new_keys_of_tokens_count_without_a_restart() {
    let (site, old) = with_tokens();
    let later = SystemTime::now() + Duration::from_secs(600);
    let of_old = old.sign(&token(CLUSTER, later)).unwrap();
    let (mut client, _) = Client::welcomed(&site.quic(), &site.ca(), Some(&of_old)).await;
    Signer::create(&site.certs(), true).unwrap();
    let new = Signer::open(&site.certs()).unwrap();
    until(&site, "$mesh.certificates", |now| now["token_keys"]["reloads"] == 1).await;
    assert_eq!(Client::refused(&site.quic(), &site.ca(), Some(&of_old)).await.0, Code::TokenKeyUnknown);
    let of_new = new.sign(&token(CLUSTER, later)).unwrap();
    Client::welcomed(&site.quic(), &site.ca(), Some(&of_new)).await;
    client.ping().await;
}
