//! Checks of this side: the address, what this user may, the limits of this process.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

use mesh_client::Code;
use rustix::fs::{Access, access};
use rustix::process::{Resource, getrlimit};

use super::finding::{Finding, Findings};
use crate::contexts::ContextFile;
use crate::target::{Source, Target};

/// Open files below which a busy client may run short.
const FILES: u64 = 1_024;

/// Where the node is looked for, and whether something is there.
pub(super) fn address(target: &Target, findings: &mut Findings) {
    findings.add("address", Finding::ok(format!("the node is named by {}", target.source)));
    let sockets: Vec<&Path> = target.endpoints.iter().filter_map(|endpoint| endpoint.socket_path()).collect();
    if target.source == Source::Usual {
        // One of them is enough.
        match sockets.iter().find(|path| path.exists()) {
            Some(path) => findings.add("address", socket(path)),
            None => {
                let places: Vec<String> = sockets.iter().map(|path| path.display().to_string()).collect();
                let finding = Finding::failed("there is a socket", Code::ConnectNoSuchSocket)
                    .hint("start a node with mesh-node, or name one with --url");
                findings.add(
                    "address",
                    finding.because(format!("none of these is there: {}", places.join(", "))),
                );
            }
        }
        return;
    }
    for path in sockets {
        findings.add("address", socket(path));
    }
}

fn socket(path: &Path) -> Finding {
    let shown = path.display();
    match fs::metadata(path) {
        Ok(metadata) if metadata.file_type().is_socket() => Finding::ok(format!("{shown} is a socket")),
        Ok(_) => Finding::failed(format!("{shown} is a socket"), Code::SocketNotASocket)
            .because("it is another file"),
        Err(error) => Finding::failed(format!("{shown} is a socket"), Code::ConnectNoSuchSocket)
            .because(error.to_string()),
    }
}

/// Whether this user may use the socket, and whether others may read its tokens.
pub(super) fn permissions(target: &Target, findings: &mut Findings) {
    let sockets = target.endpoints.iter().filter_map(|endpoint| endpoint.socket_path());
    for path in sockets.filter(|path| path.exists()) {
        findings.add("permissions", may_open(path));
    }
    let Ok(file) = ContextFile::of_user() else { return };
    if let Ok(metadata) = fs::metadata(file.path()) {
        let mode = metadata.mode() & 0o777;
        let what = format!("only you can read {}", file.path().display());
        findings.add(
            "permissions",
            if mode & 0o077 == 0 {
                Finding::ok(what)
            } else {
                Finding::warning(what, format!("its mode is {mode:04o}, and it can hold tokens"))
                    .hint(format!("chmod 600 {}", file.path().display()))
                    .guide("mesh-context")
            },
        );
    }
}

fn may_open(path: &Path) -> Finding {
    let what = format!("this user may open {}", path.display());
    let known = fs::metadata(path)
        .map(|metadata| {
            format!(
                "mode {:04o}, user {}, group {}",
                metadata.mode() & 0o7777,
                metadata.uid(),
                metadata.gid()
            )
        })
        .unwrap_or_default();
    // Connecting needs what writing needs.
    match access(path, Access::WRITE_OK) {
        Ok(()) => Finding::ok(format!("{what} ({known})")),
        Err(_) => {
            let user = rustix::process::geteuid().as_raw();
            Finding::failed(what, Code::ConnectPermissionDenied)
                .because(format!("{known}; this is user {user}"))
        }
    }
}

/// What this process may use.
pub(super) fn limits(findings: &mut Findings) {
    let files = getrlimit(Resource::Nofile);
    let current = files.current.map_or("no limit on".to_owned(), |current| current.to_string());
    let what = format!("this process may have {current} open files");
    findings.add(
        "limits",
        if files.current.is_none_or(|current| current >= FILES) {
            Finding::ok(what)
        } else {
            Finding::warning(what, format!("below {FILES} a program with many connections runs short"))
                .hint("ulimit -n 4096")
                .guide("mesh-check")
        },
    );
}
