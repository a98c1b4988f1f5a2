//! `mesh cert init`

use std::path::Path;
use std::time::Duration;

use mesh_identity::authority::{self, Init, Validity};

use super::report::{Report, end, moment, object, word};
use crate::failure::Failure;
use crate::output::Output;

/// Makes an authority.
pub(super) fn run(
    dir: &Path,
    cluster: &str,
    validity: Duration,
    force: bool,
    output: &mut Output,
) -> Result<(), Failure> {
    let cluster = super::name(cluster)?;
    let init = Init { cluster: cluster.clone(), validity: Some(Validity::from_now(validity)), force };
    authority::init(dir, &init).map_err(|error| {
        super::refused(&error, |error| match error {
            authority::Error::Exists { .. } => Some(format!(
                "use another directory; mesh cert rotate {} puts a new CA beside the old one; --force overwrites \
                 it, and everything that it issued is worthless then",
                word(dir)
            )),
            _ => None,
        })
    })?;
    let (ca, key) = (dir.join("ca.pem"), dir.join("ca.key"));
    let until = moment(end(validity));
    let shown = word(dir);
    Report {
        lines: vec![
            ("cluster", cluster.to_string()),
            ("ca", format!("{} (for everybody)", ca.display())),
            (
                "key",
                format!(
                    "{} (only you can read it; it issues certificates, and belongs on no node)",
                    key.display()
                ),
            ),
            ("valid until", until.clone()),
        ],
        json: object([
            ("cluster", cluster.as_str().into()),
            ("ca", ca.display().to_string().into()),
            ("key", key.display().to_string().into()),
            ("not_after", until.into()),
        ]),
        next: vec![
            format!("mesh cert issue {shown} --node ID --name DNS-OR-IP    (for each node)"),
            format!("mesh cert issue {shown} --service NAME                (for each service)"),
        ],
    }
    .write(output)
}
