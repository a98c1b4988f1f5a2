//! `mesh cert rotate`

use std::path::Path;
use std::time::Duration;

use mesh_identity::authority::{self, Validity};

use super::report::{Report, end, moment, object, word};
use crate::failure::Failure;
use crate::output::Output;

/// Puts a new authority beside the one that is there.
pub(super) fn run(dir: &Path, validity: Duration, output: &mut Output) -> Result<(), Failure> {
    authority::rotate(dir, Some(Validity::from_now(validity)))
        .map_err(|error| super::refused(&error, |error| super::without_authority(error, dir)))?;
    let ca = dir.join("ca.pem");
    let until = moment(end(validity));
    let shown = word(dir);
    Report {
        lines: vec![
            ("ca", format!("{} (the new CA first, the old one behind it)", ca.display())),
            ("key", format!("{} (the new one's; the old one is gone)", dir.join("ca.key").display())),
            ("valid until", until.clone()),
        ],
        json: object([
            ("ca", ca.display().to_string().into()),
            ("key", dir.join("ca.key").display().to_string().into()),
            ("not_after", until.into()),
        ]),
        next: vec![
            format!("copy {} to every node and client: they trust both then", word(&ca)),
            format!("mesh cert issue {shown} --node ID --force, and so on: everybody's certificate anew"),
            format!(
                "when all are replaced: take the last certificate out of {}, and copy it again",
                word(&ca)
            ),
        ],
    }
    .write(output)
}
