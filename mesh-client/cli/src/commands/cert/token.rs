//! `mesh cert token`

use std::path::Path;
use std::time::{Duration, SystemTime};

use mesh_identity::describe;
use mesh_identity::tokens::signer::{Created, Signer, Token};
use mesh_wire::code::Code;
use mesh_wire::name::Name;

use super::report::{Report, end, moment, object, word};
use crate::failure::Failure;
use crate::output::Output;

/// Signs a token; the key is made with the first one.
pub(super) fn run(
    dir: &Path,
    service: &str,
    audience: Option<&str>,
    ttl: Duration,
    output: &mut Output,
) -> Result<(), Failure> {
    let service = super::name(service)?;
    let audience = match audience {
        Some(audience) => audience.to_owned(),
        None => cluster(dir)?.to_string(),
    };
    let failed = |error| super::refused(&error, |_| None);
    let files = Created { key: dir.join("tokens.key"), jwks: dir.join("jwks.json") };
    if !files.key.exists() {
        Signer::create(dir, false).map_err(failed)?;
        let (jwks, key) = (files.jwks.display(), files.key.display());
        output
            .note(format_args!("wrote {jwks} (for nodes: --client-tokens) and {key} (only you can read it)"));
    }
    let signer = Signer::open(dir).map_err(failed)?;
    let expires = end(ttl);
    let token = Token {
        sub: Some(service.to_string()),
        aud: vec![audience.clone()],
        expires: Some(expires),
        not_before: Some(SystemTime::now()),
    };
    let token = signer.sign(&token).map_err(failed)?;
    if !output.json() {
        output.line(&token)?;
        output.flush()?;
        let jwks = word(&files.jwks);
        output.note(format_args!("valid until {} for service {service} in {audience}", moment(expires)));
        output.note(format_args!("next: mesh-node … --client-tokens {jwks}"));
        output.note(format_args!(
            "next: MESH_TOKEN=… mesh --url quic://HOST:7400 --ca {} check",
            word(&dir.join("ca.pem"))
        ));
        return Ok(());
    }
    Report {
        lines: Vec::new(),
        json: object([
            ("token", token.into()),
            ("sub", service.as_str().into()),
            ("aud", audience.into()),
            ("expires", moment(expires).into()),
            ("kid", signer.kid().into()),
            ("jwks", files.jwks.display().to_string().into()),
        ]),
        next: Vec::new(),
    }
    .write(output)
}

/// The cluster of the authority beside the key: its organization, which `mesh cert init` writes.
fn cluster(dir: &Path) -> Result<Name, Failure> {
    let unknown = |cause: String| {
        Failure::new(
            Code::CertsMissing,
            format!("no CA in {} says which cluster the token is for", dir.display()),
        )
        .cause(cause)
        .hint("name it: --audience CLUSTER")
    };
    let ca =
        describe::file(&dir.join("ca.pem"), SystemTime::now()).map_err(|error| unknown(error.to_string()))?;
    let subject = ca.first().map(|ca| ca.subject.clone()).unwrap_or_default();
    organization(&subject).ok_or_else(|| unknown(format!("its CA is {subject:?}")))
}

/// Names have neither commas nor equals signs, so that a subject with one can be taken apart.
fn organization(subject: &str) -> Option<Name> {
    subject.split(',').find_map(|part| part.trim().strip_prefix("O=")).and_then(|name| Name::new(name).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cluster_of_an_authority() {
        for (subject, want) in [
            ("O=dev, CN=Mesh CA 1f", Some("dev")),
            ("CN=x, O=a.b-c", Some("a.b-c")),
            ("CN=x", None),
            ("O=Some Company, CN=x", None),
            ("", None),
        ] {
            assert_eq!(organization(subject).as_ref().map(Name::as_str), want, "{subject:?}");
        }
    }
}
