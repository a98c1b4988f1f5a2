//! `mesh cert revoke`

use std::path::Path;
use std::time::SystemTime;

use mesh_identity::authority;
use mesh_identity::id::SpiffeId;

use super::Which;
use super::report::{Report, object, word};
use crate::failure::Failure;
use crate::output::Output;

/// Takes a certificate back.
pub(super) fn run(dir: &Path, which: &Which, output: &mut Output) -> Result<(), Failure> {
    let file = which.path(dir)?;
    let revoked = authority::revoke(dir, &file, SystemTime::now()).map_err(|error| {
        super::refused(&error, |error| match error {
            authority::Error::Unknown { .. } => Some(
                "only the CA that issued a certificate can take it back, and only with its key: name the directory \
                 of that CA; of one that was rotated out, take its certificate out of ca.pem instead"
                    .to_owned(),
            ),
            error => super::without_authority(error, dir),
        })
    })?;
    let list = dir.join("crl.pem");
    let mut next = vec![format!("copy {} to every node and client, beside ca.pem", word(&list))];
    if let Some(id) = &revoked.id {
        next.push(format!(
            "mesh cert issue {} --{} {} --force    (a new one in its place)",
            word(dir),
            id.kind(),
            id.name()
        ));
    }
    let id = revoked.id.as_ref().map(SpiffeId::to_string);
    Report {
        lines: vec![
            ("revoked", id.clone().unwrap_or_else(|| file.display().to_string())),
            ("serial", revoked.serial.clone()),
            ("list", format!("{} (revoked by this CA so far: {})", list.display(), revoked.count)),
        ],
        json: object([
            ("identity", id.into()),
            ("serial", revoked.serial.into()),
            ("crl", list.display().to_string().into()),
            ("revoked", revoked.count.into()),
        ]),
        next,
    }
    .write(output)
}
