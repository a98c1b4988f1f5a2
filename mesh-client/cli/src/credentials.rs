//! Which certificates a link over a network is opened with, as options, a context or the environment say.

use std::env;
use std::path::{Path, PathBuf};

use crate::cli::Global;
use crate::failure::Failure;

/// Paths of certificates, and which of them is meant. Nothing of their contents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Credentials {
    /// A directory as `mesh cert` writes it.
    pub(crate) certs: Option<PathBuf>,
    /// Which service certificate of the directory.
    pub(crate) identity: Option<String>,
    /// The authorities that nodes are trusted by.
    pub(crate) ca: Option<PathBuf>,
    /// The certificate to show.
    pub(crate) cert: Option<PathBuf>,
    /// Its key.
    pub(crate) key: Option<PathBuf>,
}

impl Credentials {
    /// Those of the command line.
    pub(crate) fn of_options(global: &Global) -> Self {
        Self {
            certs: global.certs.clone(),
            identity: global.identity.clone(),
            ca: global.ca.clone(),
            cert: global.cert.clone(),
            key: global.cert_key.clone(),
        }
    }

    /// Those of the environment; an empty variable is none.
    pub(crate) fn of_process() -> Self {
        let path = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Self {
            certs: path("MESH_CERTS"),
            identity: None,
            ca: path("MESH_CA"),
            cert: path("MESH_CERT"),
            key: path("MESH_KEY"),
        }
    }

    /// Whether it names no file at all.
    pub(crate) fn names_nothing(&self) -> bool {
        self.files().next().is_none()
    }

    /// The first of these that names a file, as a whole: an authority from here and a key from there seldom go together.
    /// Only the identity of the first one is taken in any case, since it chooses from what the others name.
    pub(crate) fn first_of(choices: [Self; 3]) -> Self {
        let identity = choices[0].identity.clone();
        let chosen = choices.into_iter().find(|choice| !choice.names_nothing()).unwrap_or_default();
        Self { identity: identity.or(chosen.identity), ..chosen }
    }

    /// Refuses what can't be meant.
    pub(crate) fn checked(self) -> Result<Self, Failure> {
        let names = "--cert and --cert-key, or MESH_CERT and MESH_KEY";
        match (&self.cert, &self.key) {
            (Some(cert), None) => {
                return Err(Failure::usage(format!("{} has no key", cert.display()))
                    .cause("a certificate says who one is, its key proves it")
                    .hint(format!("give both: {names}")));
            }
            (None, Some(key)) => {
                return Err(Failure::usage(format!("{} has no certificate", key.display()))
                    .cause("a key alone says nothing about who one is")
                    .hint(format!("give both: {names}")));
            }
            _ => {}
        }
        match &self.identity {
            Some(identity) if self.certs.is_none() => Err(Failure::usage(format!(
                "--identity {identity} chooses from a directory, and there is none"
            ))
            .hint("name the directory with --certs or MESH_CERTS")),
            _ => Ok(self),
        }
    }

    /// The same files, wherever the command is started next.
    pub(crate) fn absolute(self) -> Result<Self, Failure> {
        let absolute = |path: Option<PathBuf>| {
            path.map(|path| {
                std::path::absolute(&path).map_err(|error| {
                    Failure::usage(format!("{:?} is no path that can be kept", path.display().to_string()))
                        .cause(error)
                })
            })
            .transpose()
        };
        Ok(Self {
            certs: absolute(self.certs)?,
            identity: self.identity,
            ca: absolute(self.ca)?,
            cert: absolute(self.cert)?,
            key: absolute(self.key)?,
        })
    }

    /// Everything that it names.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        [&self.certs, &self.ca, &self.cert, &self.key].into_iter().filter_map(|path| path.as_deref())
    }

    /// What a person is told of it: the file or the directory, and who of those in it.
    pub(crate) fn shown(&self) -> String {
        let path = self.cert.as_ref().or(self.certs.as_ref()).or(self.ca.as_ref());
        let path = path.map(|path| path.display().to_string()).unwrap_or_default();
        match &self.identity {
            Some(identity) => format!("{path} ({identity})"),
            None => path,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mesh_wire::code::Code;

    fn certs(path: &str) -> Credentials {
        Credentials { certs: Some(path.into()), ..Credentials::default() }
    }

    fn named(identity: &str) -> Credentials {
        Credentials { identity: Some(identity.to_owned()), ..Credentials::default() }
    }

    #[test]
    fn the_first_that_names_a_file_counts_as_a_whole() {
        let none = Credentials::default;
        let ca = Credentials { ca: Some("ca.pem".into()), ..none() };
        assert_eq!(Credentials::first_of([certs("a"), certs("b"), ca.clone()]), certs("a"));
        assert_eq!(Credentials::first_of([none(), certs("b"), ca.clone()]), certs("b"));
        assert_eq!(Credentials::first_of([none(), none(), ca.clone()]), ca);
        assert_eq!(Credentials::first_of([none(), none(), none()]), none());
        let chosen = Credentials::first_of([named("orders"), certs("b"), ca]);
        assert_eq!(chosen, Credentials { identity: Some("orders".to_owned()), ..certs("b") });
        let other = Credentials { identity: Some("mail".to_owned()), ..certs("b") };
        assert_eq!(
            Credentials::first_of([named("orders"), other.clone(), none()]).identity.unwrap(),
            "orders"
        );
        assert_eq!(
            Credentials::first_of([certs("a"), other, none()]),
            certs("a"),
            "not of another directory"
        );
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let cert = Credentials { cert: Some("c.pem".into()), ..Credentials::default() };
        let key = Credentials { key: Some("c.key".into()), ..Credentials::default() };
        for wrong in [cert.clone(), key, named("orders"), Credentials { certs: Some("d".into()), ..cert }] {
            assert_eq!(wrong.clone().checked().unwrap_err().code(), Some(Code::UsageError), "{wrong:?}");
        }
        let whole = Credentials {
            cert: Some("c.pem".into()),
            key: Some("c.key".into()),
            identity: Some("orders".to_owned()),
            ..certs("d")
        };
        assert_eq!(whole.clone().checked().unwrap(), whole);
    }

    #[test]
    fn relative_paths_are_kept_as_absolute_ones() {
        let absolute = certs("d").absolute().unwrap();
        assert!(absolute.certs.as_ref().unwrap().is_absolute());
        assert_eq!(absolute.clone().absolute().unwrap(), absolute);
    }

    #[test]
    fn what_a_person_is_told() {
        assert_eq!(Credentials::default().shown(), "");
        assert_eq!(certs("d").shown(), "d");
        assert_eq!(Credentials { identity: Some("orders".to_owned()), ..certs("d") }.shown(), "d (orders)");
    }
}
