//! Where certificates come from: a directory, or files.

use std::fs;
use std::path::{Path, PathBuf};

use mesh_wire::name::Name;

use super::Error;

/// The most entries of a directory that are looked at.
pub const DIR_ENTRIES_MAX: usize = 4096;

/// For whom certificates are loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// A node, which must have a certificate of its own, of its cluster and under its id.
    Node {
        /// The cluster of the node.
        cluster: Name,
        /// Its id.
        id: Name,
    },
    /// A client. Without a certificate of its own it can verify nodes, and show a token.
    Service {
        /// The name that its certificate must carry; none takes what is there.
        name: Option<Name>,
    },
}

/// Where certificates come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A directory, flat, with files by name (ADR 0071):
    /// * `ca.pem`, else `ca.crt`: the trust bundle;
    /// * a node: `node-ID.pem` and `.key`, else `tls.crt` and `tls.key`;
    /// * a service: `service-NAME.pem` and `.key` if it has a name, else the only `service-*.pem`, else `tls.crt` and
    ///   `tls.key`, else none;
    /// * `crl.pem`, if it is there.
    Directory {
        /// The directory.
        path: PathBuf,
        /// For whom.
        who: Who,
    },
    /// Files by path.
    Files {
        /// The trust bundle.
        ca: PathBuf,
        /// The own certificate, with its intermediates.
        cert: Option<PathBuf>,
        /// Its private key.
        key: Option<PathBuf>,
        /// Revocation lists.
        crl: Option<PathBuf>,
        /// For whom.
        who: Who,
    },
}

/// The files to read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) ca: PathBuf,
    pub(super) own: Option<(PathBuf, PathBuf)>,
    pub(super) crl: Option<PathBuf>,
}

impl Source {
    /// For whom the certificates are.
    pub fn who(&self) -> &Who {
        match self {
            Self::Directory { who, .. } | Self::Files { who, .. } => who,
        }
    }

    /// Finds the files.
    pub(super) fn find(&self) -> Result<Found, Error> {
        match self {
            Self::Directory { path, who } => in_directory(path, who),
            Self::Files { ca, cert, key, crl, who } => {
                let own = match (cert, key) {
                    (Some(cert), Some(key)) => Some((cert.clone(), key.clone())),
                    (None, None) if matches!(who, Who::Service { .. }) => None,
                    (Some(path), None) => return missing(path, "there is no private key for it"),
                    (None, Some(path)) => return missing(path, "there is no certificate for it"),
                    (None, None) => return missing(ca, "a node needs a certificate and a key beside it"),
                };
                Ok(Found { ca: ca.clone(), own, crl: crl.clone() })
            }
        }
    }
}

fn missing<T>(path: &Path, detail: impl Into<String>) -> Result<T, Error> {
    Err(Error::Missing { path: path.to_owned(), detail: detail.into() })
}

fn in_directory(dir: &Path, who: &Who) -> Result<Found, Error> {
    let names = names(dir)?;
    let has = |name: &str| names.iter().any(|found| found == name);
    let Some(ca) = ["ca.pem", "ca.crt"].into_iter().find(|name| has(name)) else {
        return missing(dir, "there is neither ca.pem nor ca.crt");
    };
    let own = match who {
        Who::Node { id, .. } => Some(named(dir, &format!("node-{id}"), &has)?),
        Who::Service { name: Some(name) } => Some(named(dir, &format!("service-{name}"), &has)?),
        Who::Service { name: None } => only_service(dir, &names, &has)?,
    };
    let own = match own {
        Some((cert, key)) if has(&key) => Some((dir.join(cert), dir.join(key))),
        Some((cert, key)) => return missing(dir, format!("there is {cert} without its private key {key}")),
        None => None,
    };
    let crl = has("crl.pem").then(|| dir.join("crl.pem"));
    Ok(Found { ca: dir.join(ca), own, crl })
}

type Pair = (String, String);

fn pair(stem: &str) -> Pair {
    (format!("{stem}.pem"), format!("{stem}.key"))
}

fn kubernetes() -> Pair {
    ("tls.crt".to_owned(), "tls.key".to_owned())
}

fn named(dir: &Path, stem: &str, has: &dyn Fn(&str) -> bool) -> Result<Pair, Error> {
    if has(&format!("{stem}.pem")) {
        return Ok(pair(stem));
    }
    if has("tls.crt") {
        return Ok(kubernetes());
    }
    missing(dir, format!("there is neither {stem}.pem nor tls.crt"))
}

fn only_service(dir: &Path, names: &[String], has: &dyn Fn(&str) -> bool) -> Result<Option<Pair>, Error> {
    let service = |name: &String| Some(name.strip_prefix("service-")?.strip_suffix(".pem")?.to_owned());
    let mut found: Vec<String> = names.iter().filter_map(service).collect();
    found.sort_unstable();
    match found.as_slice() {
        [] => Ok(has("tls.crt").then(kubernetes)),
        [only] => Ok(Some(pair(&format!("service-{only}")))),
        _ => Err(Error::Ambiguous { path: dir.to_owned(), found }),
    }
}

/// The names of what is in a directory. Links count by their own names, so that swapped ones are followed.
fn names(dir: &Path) -> Result<Vec<String>, Error> {
    let unreadable = |source| Error::Unreadable { path: dir.to_owned(), source };
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if names.len() == DIR_ENTRIES_MAX {
            let detail = format!("it has more than {DIR_ENTRIES_MAX} entries");
            return Err(Error::Malformed { path: dir.to_owned(), detail });
        }
        // Ours are all ASCII.
        names.extend(entry.file_name().into_string());
    }
    Ok(names)
}
