//! Which node is meant: options, environment, contexts, the usual sockets.

use std::env;
use std::fmt;
use std::path::PathBuf;

use mesh_transport::endpoint::Endpoint;
use mesh_transport::socket_path::candidate_socket_paths;
use mesh_wire::code::Code;
use mesh_wire::name::Name;

use crate::cli::Global;
use crate::contexts::ContextFile;
use crate::credentials::Credentials;
use crate::failure::Failure;

/// Most addresses of one node.
const ADDRESSES: usize = 16;

/// What the environment says about the node.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment {
    /// `MESH_URL`
    pub(crate) url: Option<String>,
    /// `MESH_CONTEXT`
    pub(crate) context: Option<String>,
    /// `MESH_TOKEN`
    pub(crate) token: Option<String>,
    /// `MESH_CERTS`, `MESH_IDENTITY`, `MESH_CA`, `MESH_CERT`, `MESH_KEY`
    pub(crate) credentials: Credentials,
}

impl Environment {
    /// That of the process; an empty variable is none.
    pub(crate) fn of_process() -> Self {
        let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
        Self {
            url: variable("MESH_URL"),
            context: variable("MESH_CONTEXT"),
            token: variable("MESH_TOKEN"),
            credentials: Credentials::of_process(),
        }
    }
}

/// What named the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// `--url`
    Option,
    /// `MESH_URL`
    Variable,
    /// A context, by `--context` or `MESH_CONTEXT` or because it is the current one.
    Context(Name),
    /// Nothing: the usual sockets.
    Usual,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option => f.write_str("--url"),
            Self::Variable => f.write_str("MESH_URL"),
            Self::Context(name) => write!(f, "context {:?}", name.as_str()),
            Self::Usual => f.write_str("the usual sockets"),
        }
    }
}

/// The node that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// Its addresses, the first choice first; at least one.
    pub(crate) endpoints: Vec<Endpoint>,
    /// The token to show it.
    pub(crate) token: Option<String>,
    /// The certificates for the link to it.
    pub(crate) credentials: Credentials,
    /// What named it.
    pub(crate) source: Source,
}

impl Target {
    /// Finds out: `--url`, `--context`, `MESH_URL`, `MESH_CONTEXT`, the current context, the usual sockets.
    pub(crate) fn resolve(global: &Global) -> Result<Self, Failure> {
        Self::choose(global, Environment::of_process(), ContextFile::of_user, candidate_socket_paths)
    }

    fn choose(
        global: &Global,
        environment: Environment,
        file: impl FnOnce() -> Result<ContextFile, Failure>,
        usual: impl FnOnce() -> Vec<PathBuf>,
    ) -> Result<Self, Failure> {
        let Environment { url, context, token, credentials: variables } = environment;
        let options = Credentials::of_options(global);
        // What a context keeps goes with its address, so it goes before what a shell was told once for another one.
        let credentials = |kept| Credentials::chosen(options, kept, variables);
        let named = match (&global.url, &global.context, url) {
            (Some(url), ..) => {
                return Self::of_url(url, token, credentials(Credentials::default()), Source::Option);
            }
            (None, Some(context), _) => Some(context.clone()),
            (None, None, Some(url)) => {
                return Self::of_url(&url, token, credentials(Credentials::default()), Source::Variable);
            }
            (None, None, None) => context,
        };
        let current = match named {
            Some(name) => {
                let contexts = file()?.load()?;
                let name = Name::new(name.as_str()).map_err(|error| {
                    Failure::new(error.code(), format!("{name:?} is no context")).cause(error)
                })?;
                contexts.named(&name)?;
                contexts.all.get_key_value(&name).map(|(name, context)| (name.clone(), context.clone()))
            }
            // Without a home there are no contexts, and without contexts there is no current one.
            None => match file() {
                Ok(file) => file.load()?.current()?.map(|(name, context)| (name.clone(), context.clone())),
                Err(_) => None,
            },
        };
        match current {
            Some((name, context)) => {
                let credentials = credentials(context.credentials());
                Self::of_url(&context.url, token.or(context.token), credentials, Source::Context(name))
            }
            None => Ok(Self {
                // A path that no socket can have is none of the places where a node listens.
                endpoints: usual().into_iter().filter_map(|path| Endpoint::unix(path).ok()).collect(),
                token,
                credentials: Credentials::default(),
                source: Source::Usual,
            }),
        }
    }

    fn of_url(
        urls: &str,
        token: Option<String>,
        credentials: Credentials,
        source: Source,
    ) -> Result<Self, Failure> {
        let endpoints = endpoints(urls, &source.to_string())?;
        // A Unix socket needs none, so that wrong ones in a variable do no harm there.
        let network = endpoints.iter().any(|endpoint| endpoint.authority().is_some());
        let credentials = if network { credentials.checked()? } else { Credentials::default() };
        Ok(Self { endpoints, token, credentials, source })
    }
}

/// The addresses of a text with commas between them; `who` wrote it.
pub(crate) fn endpoints(urls: &str, who: &str) -> Result<Vec<Endpoint>, Failure> {
    let texts: Vec<&str> = urls.split(',').map(str::trim).collect();
    if texts.len() > ADDRESSES {
        return Err(Failure::new(Code::EndpointInvalid, format!("{who} names {} addresses", texts.len()))
            .cause(format!("at most {ADDRESSES} are tried")));
    }
    let parse = |url: &&str| {
        url.parse::<Endpoint>().map_err(|error| {
            Failure::new(error.code(), format!("{who} names no node: {error}")).hint(error.hint())
        })
    };
    texts.iter().map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use crate::contexts::Context;
    use clap::Parser as _;

    const USUAL: &str = "/run/mesh/mesh.sock";

    fn file() -> (tempfile::TempDir, ContextFile) {
        let dir = tempfile::tempdir().unwrap();
        let file = ContextFile::at(dir.path().join("contexts.toml"));
        file.update(|contexts| {
            for name in ["dev", "prod"] {
                let url = format!("unix:///{name},quic://{name}:1");
                let context = Context {
                    url,
                    token: Some(format!("{name}-token")),
                    certs: Some(format!("/{name}-certs").into()),
                    ..Context::default()
                };
                contexts.put(Name::new(name).unwrap(), context)?;
            }
            contexts.current = Some(Name::new("prod").unwrap());
            Ok(())
        })
        .unwrap();
        (dir, file)
    }

    fn global(options: &[&str]) -> Global {
        let line = ["mesh"].iter().chain(options).chain(&["check"]);
        Cli::try_parse_from(line).unwrap().global
    }

    fn chosen(
        options: [Option<&str>; 2],
        variables: [Option<&str>; 2],
        file: ContextFile,
    ) -> Result<(String, String), Failure> {
        let names = ["--url", "--context"];
        let options = names.iter().zip(options).filter_map(|(name, text)| Some([*name, text?]));
        let global = global(&options.flatten().collect::<Vec<_>>());
        let [url, context] = variables.map(|text| text.map(str::to_owned));
        let environment = Environment { url, context, ..Environment::default() };
        Target::choose(&global, environment, || Ok(file), || vec![USUAL.into()]).map(|target| {
            let token = target.token.unwrap_or_default();
            (target.endpoints[0].to_string(), token)
        })
    }

    #[test]
    fn who_decides() {
        let table = [
            ([Some("unix:///u"), None], [Some("unix:///e"), Some("dev")], "unix:///u", ""),
            ([None, Some("dev")], [Some("unix:///e"), Some("prod")], "unix:///dev", "dev-token"),
            ([None, None], [Some("unix:///e"), Some("dev")], "unix:///e", ""),
            ([None, None], [None, Some("dev")], "unix:///dev", "dev-token"),
            ([None, None], [None, None], "unix:///prod", "prod-token"),
        ];
        for (options, variables, url, token) in table {
            let (_dir, file) = file();
            assert_eq!(chosen(options, variables, file).unwrap(), (url.to_owned(), token.to_owned()));
        }
        let none = ContextFile::at("/nonexistent/contexts.toml".into());
        let (url, _) = chosen([None, None], [None, None], none).unwrap();
        assert_eq!(url, format!("unix://{USUAL}"));
    }

    #[test]
    fn nodes_that_are_none() {
        let table = [
            ([Some("localhost"), None], Code::EndpointInvalid),
            ([Some("unix:///a,nonsense"), None], Code::EndpointInvalid),
            ([Some("tcp://localhost:1"), None], Code::EndpointNotSupported),
            ([None, Some("nowhere")], Code::ContextUnknown),
            ([None, Some("NOT A NAME")], Code::NameMalformed),
        ];
        for (options, code) in table {
            let (_dir, file) = file();
            let failure = chosen(options, [None, None], file).unwrap_err();
            assert_eq!(failure.code(), Some(code), "{options:?}");
        }
    }

    #[test]
    fn several_addresses_are_tried_in_their_order() {
        let parsed = endpoints("unix:///a, unix:///b", "x").unwrap();
        assert_eq!(parsed, ["unix:///a", "unix:///b"].map(|url| url.parse().unwrap()));
        let many = vec!["unix:///a"; ADDRESSES];
        assert_eq!(endpoints(&many.join(","), "x").unwrap().len(), ADDRESSES);
        let more = endpoints(&format!("{},unix:///b", many.join(",")), "x").unwrap_err();
        assert_eq!(more.code(), Some(Code::EndpointInvalid));
    }

    #[test]
    fn whose_certificates() {
        // Options, the certificates of the environment, what is taken.
        let table: [(&[&str], Option<&str>, &str); 8] = [
            (&["--url", "unix:///u"], Some("/env"), ""),
            (&["--url", "quic://u"], None, ""),
            (&["--url", "quic://u"], Some("/env"), "/env"),
            (&["--url", "unix:///u,tls://u", "--certs", "/option"], Some("/env"), "/option"),
            (&["--context", "dev"], Some("/env"), "/dev-certs"),
            (&["--context", "dev", "--certs", "/option"], Some("/env"), "/option"),
            (&["--context", "dev", "--identity", "mail"], Some("/env"), "/dev-certs (mail)"),
            (&[], Some("/env"), "/prod-certs"),
        ];
        for (options, variable, want) in table {
            let (_dir, file) = file();
            let credentials = Credentials { certs: variable.map(PathBuf::from), ..Credentials::default() };
            let environment = Environment { credentials, ..Environment::default() };
            let target = Target::choose(&global(options), environment, || Ok(file), Vec::new).unwrap();
            assert_eq!(target.credentials.shown(), want, "{options:?}");
        }
        let alone = |url| {
            let options = global(&["--url", url, "--cert", "c.pem"]);
            Target::choose(&options, Environment::default(), || Ok(file().1), Vec::new)
        };
        assert_eq!(alone("quic://u").unwrap_err().code(), Some(Code::UsageError));
        assert!(alone("unix:///u").is_ok());
    }

    #[test]
    fn a_token_of_the_environment_goes_first() {
        let (_dir, file) = file();
        let environment = Environment { token: Some("mine".into()), ..Environment::default() };
        let target =
            Target::choose(&global(&["--context", "dev"]), environment, || Ok(file), Vec::new).unwrap();
        assert_eq!(target.token.as_deref(), Some("mine"));
    }
}
