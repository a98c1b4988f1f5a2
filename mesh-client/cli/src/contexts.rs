//! Named nodes: the file that `mesh context` keeps.
//!
//! `$XDG_CONFIG_HOME/mesh/contexts.toml`, else `~/.config/mesh/contexts.toml`; readable by its owner only, since it can
//! hold tokens. It is replaced as a whole, so that a reader never sees half of it.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use mesh_wire::code::Code;
use mesh_wire::name::Name;
use serde::{Deserialize, Serialize};

use crate::credentials::Credentials;
use crate::failure::Failure;

/// Largest file that is read, in bytes.
const FILE_BYTES: u64 = 256 * 1024;
/// Most contexts in the file.
const CONTEXTS: usize = 256;

/// A node by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Context {
    /// Where it listens: an address, or several with commas between them.
    pub(crate) url: String,
    /// Directory with certificates for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) certs: Option<PathBuf>,
    /// Which service certificate of the directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) identity: Option<String>,
    /// The authorities that nodes are trusted by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ca: Option<PathBuf>,
    /// The certificate to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cert: Option<PathBuf>,
    /// Its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<PathBuf>,
    /// The token that it asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<String>,
    /// What it is, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
}

/// What the file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Contexts {
    /// The one that is used when none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) current: Option<Name>,
    /// All of them.
    #[serde(default, rename = "context")]
    pub(crate) all: BTreeMap<Name, Context>,
}

impl Context {
    /// The certificates that it keeps.
    pub(crate) fn credentials(&self) -> Credentials {
        let Self { certs, identity, ca, cert, key, .. } = self.clone();
        Credentials { certs, identity, ca, cert, key }
    }

    /// With these certificates.
    #[must_use]
    pub(crate) fn with_credentials(self, credentials: Credentials) -> Self {
        let Credentials { certs, identity, ca, cert, key } = credentials;
        Self { certs, identity, ca, cert, key, ..self }
    }
}

impl Contexts {
    /// The context of this name.
    pub(crate) fn named(&self, name: &Name) -> Result<&Context, Failure> {
        self.all.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.all.keys().map(Name::as_str).collect();
            let failure =
                Failure::new(Code::ContextUnknown, format!("there is no context {:?}", name.as_str()));
            if known.is_empty() {
                failure.hint(format!("mesh context add {} --url unix:///run/mesh/mesh.sock", name.as_str()))
            } else {
                failure.hint(format!("the contexts are: {}", known.join(", ")))
            }
        })
    }

    /// The current context, if one was chosen.
    pub(crate) fn current(&self) -> Result<Option<(&Name, &Context)>, Failure> {
        match &self.current {
            Some(name) => Ok(Some((name, self.named(name)?))),
            None => Ok(None),
        }
    }

    /// Adds a context or replaces one.
    pub(crate) fn put(&mut self, name: Name, context: Context) -> Result<(), Failure> {
        if self.all.len() >= CONTEXTS && !self.all.contains_key(&name) {
            return Err(Failure::usage(format!("{CONTEXTS} contexts are the most that are kept"))
                .hint("mesh context rm NAME removes one"));
        }
        self.all.insert(name, context);
        Ok(())
    }
}

/// The file.
#[derive(Debug)]
pub(crate) struct ContextFile {
    path: PathBuf,
}

impl ContextFile {
    /// The file of this user.
    pub(crate) fn of_user() -> Result<Self, Failure> {
        let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        absolute("XDG_CONFIG_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".config")))
            .map(|dir| Self::at(dir.join("mesh").join("contexts.toml")))
            .ok_or_else(|| {
                Failure::new(Code::ContextUnreadable, "there is no place for contexts")
                    .cause("neither XDG_CONFIG_HOME nor HOME is an absolute path")
                    .hint("set HOME, or name the node with --url")
            })
    }

    /// The file at `path`.
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What it holds; nothing when it is not there.
    pub(crate) fn load(&self) -> Result<Contexts, Failure> {
        let mut text = String::new();
        match File::open(&self.path) {
            Ok(file) => file.take(FILE_BYTES + 1).read_to_string(&mut text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Contexts::default()),
            Err(error) => Err(error),
        }
        .map_err(|error| self.failure("can't read").cause(error))?;
        if text.len() as u64 > FILE_BYTES {
            return Err(self.failure("can't read").cause(format!("it has more than {FILE_BYTES} bytes")));
        }
        toml::from_str(&text).map_err(|error| {
            let cause = error.to_string();
            self.failure("can't read").cause(cause.trim_end().replace('\n', "\n  "))
        })
    }

    /// Changes what it holds; of several that do so at once, one waits for the other.
    pub(crate) fn update<T>(
        &self,
        change: impl FnOnce(&mut Contexts) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let unwritable = |error: io::Error| self.failure("can't write").cause(error);
        let dir = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(dir).map_err(unwritable)?;
        // A file of its own: the one with the contexts is another one after each change.
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(self.path.with_extension("lock"))
            .map_err(unwritable)?;
        lock.lock().map_err(unwritable)?;
        let mut contexts = self.load()?;
        let result = change(&mut contexts)?;
        let text =
            toml::to_string_pretty(&contexts).map_err(|error| self.failure("can't write").cause(error))?;
        // Made with mode 0600.
        let mut file = tempfile::NamedTempFile::new_in(dir).map_err(unwritable)?;
        file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(unwritable)?;
        file.persist(&self.path).map_err(|error| unwritable(error.error))?;
        Ok(result)
    }

    fn failure(&self, what: &str) -> Failure {
        Failure::new(Code::ContextUnreadable, format!("{what} the contexts in {}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn context(url: &str) -> Context {
        Context { url: url.to_owned(), ..Context::default() }
    }

    fn file_in(dir: &tempfile::TempDir) -> ContextFile {
        ContextFile::at(dir.path().join("mesh").join("contexts.toml"))
    }

    #[test]
    fn what_is_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let file = file_in(&dir);
        assert_eq!(file.load().unwrap(), Contexts::default());

        let full = Context { token: Some("t".into()), description: Some("d".into()), ..context("unix:///b") };
        file.update(|contexts| {
            contexts.put(name("a.1"), context("unix:///a"))?;
            contexts.put(name("b"), full.clone())?;
            contexts.current = Some(name("b"));
            Ok(())
        })
        .unwrap();

        let contexts = file.load().unwrap();
        assert_eq!(contexts.named(&name("a.1")).unwrap(), &context("unix:///a"));
        assert_eq!(contexts.current().unwrap(), Some((&name("b"), &full)));
    }

    #[test]
    fn certificates_are_kept_beside_the_address() {
        let dir = tempfile::tempdir().unwrap();
        let file = file_in(&dir);
        let credentials = Credentials {
            certs: Some("/etc/mesh/certs".into()),
            identity: Some("orders".into()),
            ca: Some("/ca.pem".into()),
            cert: Some("/c.pem".into()),
            key: Some("/c.key".into()),
        };
        let secure = context("quic://a:7400").with_credentials(credentials.clone());
        file.update(|contexts| contexts.put(name("a"), secure.clone())).unwrap();
        let loaded = file.load().unwrap().named(&name("a")).unwrap().clone();
        assert_eq!((loaded.credentials(), loaded), (credentials, secure));
    }

    #[test]
    fn a_file_from_before_there_were_certificates_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let file = file_in(&dir);
        fs::create_dir(dir.path().join("mesh")).unwrap();
        let old =
            "current = \"dev\"\n\n[context.dev]\nurl = \"unix:///a\"\ntoken = \"t\"\ndescription = \"d\"\n";
        fs::write(file.path(), old).unwrap();
        let contexts = file.load().unwrap();
        let (_, dev) = contexts.current().unwrap().unwrap();
        assert_eq!((dev.url.as_str(), dev.credentials()), ("unix:///a", Credentials::default()));
        // One without certificates is written as before: an older command reads it.
        file.update(|_| Ok(())).unwrap();
        assert_eq!(fs::read_to_string(file.path()).unwrap(), old);
    }

    #[test]
    fn only_its_owner_may_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = file_in(&dir);
        for _ in 0..2 {
            file.update(|contexts| contexts.put(name("a"), context("unix:///a"))).unwrap();
            assert_eq!(fs::metadata(file.path()).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let names: Vec<_> =
            fs::read_dir(dir.path().join("mesh")).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "the contexts and the lock, nothing left over: {names:?}");
    }

    #[test]
    fn a_refused_change_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let file = file_in(&dir);
        file.update(|contexts| contexts.put(name("a"), context("unix:///a"))).unwrap();
        let refused = file.update(|contexts| {
            contexts.all.clear();
            contexts.named(&name("zz")).map(|_| ())
        });
        assert_eq!(refused.unwrap_err().code(), Some(Code::ContextUnknown));
        assert_eq!(file.load().unwrap().all.len(), 1);
    }

    #[test]
    fn changes_at_once_are_all_kept() {
        let dir = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for at in 0..8 {
                let file = file_in(&dir);
                scope.spawn(move || {
                    file.update(|contexts| contexts.put(name(&format!("c{at}")), context("unix:///c")))
                        .unwrap();
                });
            }
        });
        assert_eq!(file_in(&dir).load().unwrap().all.len(), 8);
    }

    #[test]
    fn as_many_as_are_kept() {
        let mut contexts = Contexts::default();
        for at in 0..CONTEXTS {
            contexts.put(name(&format!("c{at}")), context("unix:///c")).unwrap();
        }
        contexts.put(name("c0"), context("unix:///again")).unwrap();
        assert_eq!(
            contexts.put(name("more"), context("unix:///c")).unwrap_err().code(),
            Some(Code::UsageError)
        );
    }

    #[test]
    fn files_that_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = file_in(&dir);
        fs::create_dir(dir.path().join("mesh")).unwrap();
        let table = [
            "[context.a]\nurl = 1\n".to_owned(),
            "[context.a]\nurl = \"unix:///a\"\ncolour = \"red\"\n".to_owned(),
            "[context.\"A B\"]\nurl = \"unix:///a\"\n".to_owned(),
            "nonsense".to_owned(),
            "#".repeat(FILE_BYTES as usize + 1),
        ];
        for text in table {
            fs::write(file.path(), &text).unwrap();
            assert_eq!(file.load().unwrap_err().code(), Some(Code::ContextUnreadable), "{:.40}", text);
        }
        fs::write(file.path(), "#".repeat(FILE_BYTES as usize)).unwrap();
        assert_eq!(file.load().unwrap(), Contexts::default());
        fs::write(file.path(), "current = \"gone\"\n").unwrap();
        assert_eq!(file.load().unwrap().current().unwrap_err().code(), Some(Code::ContextUnknown));
    }
}
