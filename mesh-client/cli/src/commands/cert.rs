//! `mesh cert`

mod issue;
mod report;
mod revoke;
mod rotate;
pub(crate) mod show;
mod start;
mod token;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use mesh_identity::authority;
use mesh_identity::id::Kind;
use mesh_wire::code::Code;
use mesh_wire::name::Name;

use crate::failure::Failure;
use crate::output::Output;
use crate::quantity;

/// Examples in `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  mesh cert init certs --cluster dev
  mesh cert issue certs --node n1 --name n1.example --name 192.0.2.7
  mesh cert issue certs --service orders
  mesh cert show certs/service-orders.pem

Then: mesh-node --node n1 --cluster dev --listen 0.0.0.0:7400 --certs certs
and:  mesh --url quic://n1.example:7400 --certs certs check

A node needs ca.pem and its own two files, a client ca.pem and its own two; ca.key stays where
certificates are issued. The authority is one for development and small clusters: its key lies in a
file.";

/// `mesh cert …`
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a certificate authority (CA) in a directory: ca.pem and ca.key
    Init {
        /// The directory; it is made if it is not there
        dir: PathBuf,
        /// The cluster that it is for, as mesh-node --cluster says it
        #[arg(long, value_name = "NAME")]
        cluster: String,
        /// How long the CA is valid
        #[arg(long, value_name = "TIME", default_value = "3650d", value_parser = quantity::validity)]
        validity: Duration,
        /// Overwrite a CA that is there: everything that it issued is worthless then
        #[arg(long)]
        force: bool,
    },
    /// Make the certificate of a node or a service: node-ID.pem, service-NAME.pem, and their keys
    Issue {
        /// The directory with the CA
        dir: PathBuf,
        /// Whose it is
        #[command(flatten)]
        holder: Holder,
        /// A DNS name or IP address that it is reached by, as often as needed; a node has localhost,
        /// 127.0.0.1 and ::1 in any case
        #[arg(long = "name", value_name = "DNS-OR-IP")]
        names: Vec<String>,
        /// How long it is valid, from a day ago on
        #[arg(long, value_name = "TIME", default_value = "90d", value_parser = quantity::validity)]
        validity: Duration,
        /// Overwrite one that is there
        #[arg(long)]
        force: bool,
    },
    /// Show what is in a file with certificates: whose, by whom, for which names, until when
    Show {
        /// The file
        file: PathBuf,
    },
    /// Put a new CA beside the old one, which stays trusted; the new one issues from now on
    Rotate {
        /// The directory with the CA
        dir: PathBuf,
        /// How long the new CA is valid
        #[arg(long, value_name = "TIME", default_value = "3650d", value_parser = quantity::validity)]
        validity: Duration,
    },
    /// Take a certificate back before it expires: crl.pem
    Revoke {
        /// The directory with the CA that issued it
        dir: PathBuf,
        /// The certificate; by its file or by whose it is
        #[command(flatten)]
        which: Which,
    },
    /// Sign a token for a service, for nodes with --client-tokens: jwks.json, and the token on
    /// standard output
    Token {
        /// The directory with the CA; the key of tokens is made there with the first one
        dir: PathBuf,
        /// The service that the token is for
        #[arg(long, value_name = "NAME")]
        service: String,
        /// The cluster that it is for; that of the CA without it
        #[arg(long, value_name = "CLUSTER")]
        audience: Option<String>,
        /// How long it is valid
        #[arg(long, value_name = "TIME", default_value = "1h", value_parser = quantity::validity)]
        ttl: Duration,
    },
}

/// Whose certificate it is.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Holder {
    /// A node of this id, as mesh-node --node says it
    #[arg(long, value_name = "ID")]
    node: Option<String>,
    /// A service of this name; any number of clients may use it at once
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
}

/// Which certificate is meant.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Which {
    /// Its file
    file: Option<PathBuf>,
    /// The one of this node
    #[arg(long, value_name = "ID")]
    node: Option<String>,
    /// The one of this service
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
}

/// Does what was asked.
pub(crate) fn run(options: &Options, output: &mut Output) -> Result<(), Failure> {
    match &options.action {
        Action::Init { dir, cluster, validity, force } => start::run(dir, cluster, *validity, *force, output),
        Action::Issue { dir, holder, names, validity, force } => {
            issue::run(dir, holder, names, *validity, *force, output)
        }
        Action::Show { file } => show::run(file, output),
        Action::Token { dir, service, audience, ttl } => {
            token::run(dir, service, audience.as_deref(), *ttl, output)
        }
        Action::Rotate { dir, validity } => rotate::run(dir, *validity, output),
        Action::Revoke { dir, which } => revoke::run(dir, which, output),
    }?;
    output.flush()
}

impl Holder {
    fn named(&self) -> Result<(Kind, Name), Failure> {
        one_of(self.node.as_deref(), self.service.as_deref())
    }
}

impl Which {
    /// The file of the certificate.
    fn path(&self, dir: &std::path::Path) -> Result<PathBuf, Failure> {
        match &self.file {
            Some(file) => Ok(file.clone()),
            None => {
                let (kind, name) = one_of(self.node.as_deref(), self.service.as_deref())?;
                Ok(dir.join(format!("{kind}-{name}.pem")))
            }
        }
    }
}

fn one_of(node: Option<&str>, service: Option<&str>) -> Result<(Kind, Name), Failure> {
    match (node, service) {
        (Some(id), _) => Ok((Kind::Node, name(id)?)),
        (None, Some(service)) => Ok((Kind::Service, name(service)?)),
        (None, None) => {
            Err(Failure::usage("whose certificate?").hint("name it: --node ID or --service NAME"))
        }
    }
}

fn name(text: &str) -> Result<Name, Failure> {
    Name::new(text).map_err(|error| {
        Failure::new(error.code(), format!("{text:?} is no name for a certificate")).cause(error)
    })
}

/// What was refused, with a hint for the one command line that it was refused to.
fn refused(error: &authority::Error, hint: impl FnOnce(&authority::Error) -> Option<String>) -> Failure {
    let failure = Failure::new(error.code(), error.to_string());
    match hint(error) {
        Some(hint) => failure.hint(hint),
        None => failure.hint(error.hint()),
    }
}

/// What to do where there is no CA.
fn without_authority(error: &authority::Error, dir: &std::path::Path) -> Option<String> {
    let make = || format!("make one: mesh cert init {} --cluster NAME", report::word(dir));
    (matches!(error, authority::Error::NoAuthority { .. }) && error.code() == Code::CertsMissing).then(make)
}
