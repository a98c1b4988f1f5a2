//! Which certificates a link over a network is opened with, as options, a context or the environment say.

use std::env;
use std::path::{Path, PathBuf};

use mesh_client::{ClientBuilder, Code};

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
            identity: env::var("MESH_IDENTITY").ok().filter(|name| !name.is_empty()),
            ca: path("MESH_CA"),
            cert: path("MESH_CERT"),
            key: path("MESH_KEY"),
        }
    }

    /// Whether it names no file at all.
    pub(crate) fn names_nothing(&self) -> bool {
        self.files().next().is_none()
    }

    /// What counts of options, a context and the environment: the first that names a file, as a whole. An authority from
    /// here and a key from there seldom go together.
    ///
    /// An identity chooses from a directory, whoever names that: an option's in any case, even without one, the
    /// environment's if nothing else does.
    pub(crate) fn chosen(options: Self, context: Self, environment: Self) -> Self {
        let (option, variable) = (options.identity.clone(), environment.identity.clone());
        let choices = [options, context, environment];
        let chosen = choices.into_iter().find(|choice| !choice.names_nothing()).unwrap_or_default();
        let kept = chosen.identity.clone().or(variable).filter(|_| chosen.certs.is_some());
        Self { identity: option.or(kept), ..chosen }
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
        let single = self.ca.as_ref().or(self.cert.as_ref());
        match (&self.certs, single, &self.identity) {
            (Some(certs), Some(single), _) => Err(Failure::new(
                Code::CertsAmbiguous,
                format!("both {} and {} are named", certs.display(), single.display()),
            )
            .cause("a directory has everything; single files beside it would be of another set")
            .hint("either --certs DIR, or --ca FILE with --cert FILE and --cert-key FILE")),
            (None, _, Some(identity)) => Err(Failure::usage(format!(
                "{identity:?} is to be chosen from a directory, and none is named"
            ))
            .hint("name the directory: --certs DIR or MESH_CERTS=DIR")),
            (None, Some(cert), None) if self.ca.is_none() => {
                Err(Failure::new(Code::CertsMissing, format!("there is no CA beside {}", cert.display()))
                    .cause("a certificate shows who one is; whom one talks to is verified with the CA")
                    .hint("name it too: --ca FILE or MESH_CA=FILE"))
            }
            _ => Ok(self),
        }
    }

    /// Has a client use them.
    pub(crate) fn apply(&self, mut builder: ClientBuilder) -> ClientBuilder {
        if let Some(certs) = &self.certs {
            builder = builder.certs(certs);
        }
        if let Some(identity) = &self.identity {
            builder = builder.identity(identity);
        }
        if let Some(ca) = &self.ca {
            builder = builder.ca(ca);
        }
        if let (Some(cert), Some(key)) = (&self.cert, &self.key) {
            builder = builder.certificate(cert, key);
        }
        builder
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
        let both = |certs: Credentials, name: &str| Credentials { identity: Some(name.to_owned()), ..certs };
        // Options, context, environment, what counts.
        let table = [
            (certs("a"), certs("b"), ca.clone(), certs("a")),
            (none(), certs("b"), ca.clone(), certs("b")),
            (none(), none(), ca.clone(), ca.clone()),
            (none(), none(), none(), none()),
            (named("orders"), certs("b"), ca.clone(), both(certs("b"), "orders")),
            (named("orders"), both(certs("b"), "mail"), none(), both(certs("b"), "orders")),
            (certs("a"), both(certs("b"), "mail"), none(), certs("a")),
            (certs("a"), none(), both(certs("c"), "mail"), both(certs("a"), "mail")),
            (none(), none(), both(certs("c"), "mail"), both(certs("c"), "mail")),
            (none(), none(), named("mail"), none()),
            (none(), ca.clone(), named("mail"), ca.clone()),
            (named("orders"), none(), none(), named("orders")),
        ];
        for (options, context, environment, want) in table {
            let told = format!("{options:?} {context:?} {environment:?}");
            assert_eq!(Credentials::chosen(options, context, environment), want, "{told}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let cert = Credentials { cert: Some("c.pem".into()), ..Credentials::default() };
        let key = Credentials { key: Some("c.key".into()), ..Credentials::default() };
        let ca = Credentials { ca: Some("ca.pem".into()), ..Credentials::default() };
        let pair = Credentials { key: key.key.clone(), ..cert.clone() };
        let table = [
            (cert.clone(), Code::UsageError),
            (key, Code::UsageError),
            (named("orders"), Code::UsageError),
            (Credentials { identity: Some("orders".to_owned()), ..ca.clone() }, Code::UsageError),
            (Credentials { certs: Some("d".into()), ..ca.clone() }, Code::CertsAmbiguous),
            (Credentials { certs: Some("d".into()), ..pair.clone() }, Code::CertsAmbiguous),
            (pair.clone(), Code::CertsMissing),
        ];
        for (wrong, code) in table {
            assert_eq!(wrong.clone().checked().unwrap_err().code(), Some(code), "{wrong:?}");
        }
        let whole = [
            Credentials::default(),
            certs("d"),
            Credentials { identity: Some("orders".to_owned()), ..certs("d") },
            Credentials { ca: ca.ca.clone(), ..pair },
            ca,
        ];
        for whole in whole {
            assert_eq!(whole.clone().checked().unwrap(), whole);
        }
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
