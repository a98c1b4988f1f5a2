//! Which certificates a client shows, and whom it trusts.

use std::ffi::OsString;
use std::path::PathBuf;

use mesh_identity::set;
use mesh_identity::set::{Source, Who};
use mesh_identity::store::Store;
use mesh_wire::code::Code;
use mesh_wire::name::Name;

use crate::error::Error;

/// Paths of certificates, as an application or its environment names them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Credentials {
    /// A directory as `mesh cert` writes it.
    pub(crate) certs: Option<PathBuf>,
    /// Which service's certificate of the directory.
    pub(crate) identity: Option<String>,
    /// Whom nodes are trusted by.
    pub(crate) ca: Option<PathBuf>,
    /// The certificate to show.
    pub(crate) cert: Option<PathBuf>,
    /// Its key.
    pub(crate) key: Option<PathBuf>,
    /// Revocation lists.
    pub(crate) crl: Option<PathBuf>,
}

impl Credentials {
    /// These, or those of the environment where these name no file: as a whole, because a CA from here and a key from
    /// there seldom go together. `variable` reads one; an empty one is none.
    pub(crate) fn or_environment(self, variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let path = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let named = || path("MESH_IDENTITY").and_then(|name| name.into_os_string().into_string().ok());
        let identity = self.identity.clone().or_else(named);
        if !self.names_nothing() {
            return Self { identity, ..self };
        }
        Self {
            certs: path("MESH_CERTS"),
            identity,
            ca: path("MESH_CA"),
            cert: path("MESH_CERT"),
            key: path("MESH_KEY"),
            crl: None,
        }
    }

    /// With the certificate of the service that the client is named after, if the directory has one and none was named.
    pub(crate) fn or_of(self, client: &str) -> Self {
        let is_there = |directory: &PathBuf| directory.join(format!("service-{client}.pem")).exists();
        let identity = self
            .identity
            .or_else(|| self.certs.as_ref().filter(|dir| is_there(dir)).map(|_| client.to_owned()));
        Self { identity, ..self }
    }

    fn names_nothing(&self) -> bool {
        [&self.certs, &self.ca, &self.cert, &self.key, &self.crl].into_iter().all(Option::is_none)
    }

    /// Where certificates are loaded from; `None` when none are named.
    ///
    /// # Errors
    /// What can't be meant: a directory and files, a certificate without its key or without a CA, a malformed name.
    pub(crate) fn source(&self) -> Result<Option<Source>, Error> {
        let name = self.identity.as_deref().map(service).transpose()?;
        let who = Who::Service { name };
        let Self { certs, ca, cert, key, crl, .. } = self.clone();
        match (certs, ca) {
            (Some(path), None) if cert.is_none() && key.is_none() && crl.is_none() => {
                Ok(Some(Source::Directory { path, who }))
            }
            (Some(_), _) => Err(Error::of(Code::CertsAmbiguous)
                .with_cause("both a directory of certificates and single files are named")
                .with_hint("name the directory (MESH_CERTS) or the files (MESH_CA, MESH_CERT, MESH_KEY)")),
            (None, Some(ca)) => Ok(Some(Source::Files { ca, cert, key, crl, who })),
            (None, None) if self.names_nothing() => Ok(None),
            (None, None) => Err(Error::of(Code::CertsMissing)
                .with_cause("a certificate is named, and no CA to verify nodes with")
                .with_hint("name the CA's file, too: MESH_CA, or ClientBuilder::ca")),
        }
    }

    /// Loads what is named; nothing named is no CA and no certificate.
    ///
    /// # Errors
    /// As [`Credentials::source`], and what is wrong with the files.
    pub(crate) async fn load(&self) -> Result<Store, Error> {
        let Some(source) = self.source()? else { return Ok(Store::without_ca()) };
        // A few small files, on a disk that may be slow.
        match tokio::task::spawn_blocking(move || Store::open(source)).await {
            Ok(loaded) => loaded.map_err(refused),
            Err(error) => Err(Error::of(Code::InternalError).with_cause(error.to_string())),
        }
    }
}

fn service(name: &str) -> Result<Name, Error> {
    Name::new(name).map_err(|error| {
        Error::new(error.code(), format!("{name:?} is no name of a service")).with_cause(error.to_string())
    })
}

/// Why files make no set of certificates.
pub(crate) fn refused(error: set::Error) -> Error {
    let wrapped = Error::of(error.code()).with_cause(error.to_string());
    let wrapped = match &error {
        set::Error::Ambiguous { .. } => {
            wrapped.with_hint("say which one: ClientBuilder::identity, --identity NAME or MESH_IDENTITY=NAME")
        }
        _ => wrapped.with_hint(error.hint()),
    };
    wrapped.with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> impl Fn(&str) -> Option<OsString> {
        let pairs: Vec<(String, OsString)> =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        move |wanted| pairs.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone())
    }

    fn certs(path: &str) -> Credentials {
        Credentials { certs: Some(path.into()), ..Credentials::default() }
    }

    #[test]
    fn what_is_said_goes_before_the_environment_as_a_whole() {
        type Row<'a> = (Credentials, &'a [(&'a str, &'a str)], Credentials);
        let table: [Row<'_>; 5] = [
            (certs("a"), &[("MESH_CERTS", "b"), ("MESH_CA", "c")], certs("a")),
            (Credentials::default(), &[("MESH_CERTS", "b")], certs("b")),
            (Credentials::default(), &[("MESH_CERTS", "")], Credentials::default()),
            (
                Credentials { identity: Some("x".to_owned()), ..Credentials::default() },
                &[("MESH_CERTS", "b"), ("MESH_IDENTITY", "y")],
                Credentials { identity: Some("x".to_owned()), ..certs("b") },
            ),
            (
                Credentials::default(),
                &[("MESH_CA", "ca"), ("MESH_CERT", "c"), ("MESH_KEY", "k")],
                Credentials {
                    ca: Some("ca".into()),
                    cert: Some("c".into()),
                    key: Some("k".into()),
                    ..Credentials::default()
                },
            ),
        ];
        for (said, variables, wanted) in table {
            assert_eq!(said.or_environment(environment(variables)), wanted, "{variables:?}");
        }
    }

    #[test]
    fn a_client_shows_the_certificate_that_has_its_name() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("service-orders.pem"), "").unwrap();
        let certs = Credentials { certs: Some(directory.path().to_owned()), ..Credentials::default() };
        assert_eq!(certs.clone().or_of("orders").identity.as_deref(), Some("orders"));
        assert_eq!(certs.clone().or_of("order").identity, None);
        let said = Credentials { identity: Some("mail".to_owned()), ..certs };
        assert_eq!(said.or_of("orders").identity.as_deref(), Some("mail"));
        assert_eq!(Credentials::default().or_of("orders").identity, None);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let cert = Credentials { cert: Some("c".into()), ..Credentials::default() };
        let table = [
            (Credentials::default(), Ok(false)),
            (certs("d"), Ok(true)),
            (Credentials { ca: Some("ca".into()), ..cert.clone() }, Ok(true)),
            (Credentials { ca: Some("ca".into()), ..certs("d") }, Err(Code::CertsAmbiguous)),
            (Credentials { certs: Some("d".into()), ..cert.clone() }, Err(Code::CertsAmbiguous)),
            (cert, Err(Code::CertsMissing)),
            (Credentials { identity: Some("No Name".into()), ..certs("d") }, Err(Code::NameMalformed)),
        ];
        for (credentials, wanted) in table {
            let got = credentials.source().map(|source| source.is_some()).map_err(|error| error.code());
            assert_eq!(got, wanted, "{credentials:?}");
        }
    }

    #[tokio::test]
    async fn files_that_are_not_there_are_told_by_their_code() {
        let error = certs("/nonexistent/certs").load().await.unwrap_err();
        assert_eq!(error.code(), Code::CertsUnreadable);
        assert!(error.cause().contains("/nonexistent/certs"), "{error:#}");
        assert!(!Credentials::default().load().await.unwrap().current().has_ca());
    }
}
