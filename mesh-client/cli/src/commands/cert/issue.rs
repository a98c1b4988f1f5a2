//! `mesh cert issue`

use std::path::Path;
use std::time::Duration;

use mesh_identity::authority::{self, Issue, Validity};
use mesh_identity::id::Kind;

use super::Holder;
use super::report::{Report, end, moment, object, word};
use crate::failure::Failure;
use crate::output::Output;

/// Makes a certificate.
pub(super) fn run(
    dir: &Path,
    holder: &Holder,
    names: &[String],
    validity: Duration,
    force: bool,
    output: &mut Output,
) -> Result<(), Failure> {
    let (kind, name) = holder.named()?;
    let issue = Issue {
        names: names.to_vec(),
        validity: Some(Validity::from_now(validity)),
        force,
        ..match kind {
            Kind::Node => Issue::node(name.clone()),
            Kind::Service => Issue::service(name.clone()),
        }
    };
    let issued = authority::issue(dir, &issue).map_err(|error| {
        super::refused(&error, |error| match error {
            authority::Error::Exists { .. } => Some(format!(
                "mesh cert show {} tells what it is; --force makes a new one in its place",
                word(&dir.join(format!("{kind}-{name}.pem")))
            )),
            authority::Error::BadName { .. } => {
                Some("write each one as in a URL: --name a.example --name 192.0.2.7".to_owned())
            }
            error => super::without_authority(error, dir),
        })
    })?;
    let until = moment(end(validity));
    let (certs, cluster) = (word(dir), issued.id.cluster());
    let use_it = match kind {
        Kind::Node => {
            format!("mesh-node --node {name} --cluster {cluster} --listen HOST:7400 --certs {certs}")
        }
        Kind::Service => format!("mesh --url quic://HOST:7400 --certs {certs} --identity {name} check"),
    };
    let mut lines = vec![
        ("identity", issued.id.to_string()),
        ("certificate", issued.cert.display().to_string()),
        ("key", format!("{} (only you can read it)", issued.key.display())),
        ("valid until", until.clone()),
    ];
    if kind == Kind::Node {
        let all = names.iter().map(String::as_str).chain(LOCAL).collect::<Vec<_>>();
        lines.push(("names", all.join(", ")));
    }
    Report {
        lines,
        json: object([
            ("identity", issued.id.to_string().into()),
            ("certificate", issued.cert.display().to_string().into()),
            ("key", issued.key.display().to_string().into()),
            ("not_after", until.into()),
        ]),
        next: vec![use_it],
    }
    .write(output)
}

/// The names that the certificate of each node has.
const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
