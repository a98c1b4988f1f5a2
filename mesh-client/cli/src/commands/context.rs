//! `mesh context`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use mesh_wire::name::Name;
use serde_json::{Value, json};

use crate::cli::Global;
use crate::contexts::{Context, ContextFile, Contexts};
use crate::credentials::Credentials;
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{self, Rows};
use crate::target;

/// Examples in `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  mesh context add dev --url unix:///tmp/dev.sock
  mesh context add prod --url quic://a.example:7400,quic://b.example:7400 --certs /etc/mesh/certs
  mesh context use dev
  mesh context ls
  mesh --context dev sub '>'

The contexts are kept in $XDG_CONFIG_HOME/mesh/contexts.toml, which only you can read. Of
certificates and keys it has the paths, never what is in them.";

/// `mesh context …`
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add a context, or replace one: --url with --certs, --identity, --ca, --cert, --cert-key
    Add {
        /// Its name
        name: String,
        /// A line about it
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
        /// Keep the token of MESH_TOKEN with it
        #[arg(long)]
        with_token: bool,
        /// Make it the current one
        #[arg(long = "use")]
        make_current: bool,
    },
    /// Make a context the current one
    Use {
        /// Its name
        name: String,
    },
    /// List the contexts
    #[command(visible_alias = "list")]
    Ls,
    /// Show a context
    Show {
        /// Its name; the current one without
        name: Option<String>,
        /// Show its token too
        #[arg(long)]
        with_token: bool,
    },
    /// Remove a context
    #[command(visible_alias = "remove")]
    Rm {
        /// Its name
        name: String,
    },
}

/// Does what was asked.
pub(crate) fn run(options: &Options, global: &Global, output: &mut Output) -> Result<(), Failure> {
    let file = ContextFile::of_user()?;
    match &options.action {
        Action::Add { name, description, with_token, make_current } => {
            let url = global.url.as_deref().ok_or_else(|| {
                Failure::usage("a context needs an address")
                    .hint(format!("mesh context add {name} --url unix:///run/mesh/mesh.sock"))
            })?;
            let token = with_token.then(token_of_environment).transpose()?;
            let credentials = Credentials::of_options(global).checked()?.absolute()?;
            let context = Context {
                url: addresses(url)?,
                token,
                description: description.clone(),
                ..Context::default()
            };
            let context = context.with_credentials(credentials);
            add(&file, named(name)?, context, *make_current, output)
        }
        Action::Use { name } => {
            let name = named(name)?;
            file.update(|contexts| {
                contexts.named(&name)?;
                contexts.current = Some(name.clone());
                Ok(())
            })?;
            output.note(format_args!("{:?} is the current context", name.as_str()));
            Ok(())
        }
        Action::Ls => list(&file.load()?, output),
        Action::Show { name, with_token } => show(&file.load()?, name.as_deref(), *with_token, output),
        Action::Rm { name } => remove(&file, &named(name)?, output),
    }?;
    output.flush()
}

fn add(
    file: &ContextFile,
    name: Name,
    context: Context,
    make_current: bool,
    output: &Output,
) -> Result<(), Failure> {
    let current = file.update(|contexts| {
        contexts.put(name.clone(), context)?;
        // The first one is the one that is meant.
        if make_current || contexts.all.len() == 1 {
            contexts.current = Some(name.clone());
        }
        Ok(contexts.current.as_ref() == Some(&name))
    })?;
    let which = if current { ", the current one" } else { "" };
    output.note(format_args!("context {:?} is kept in {}{which}", name.as_str(), file.path().display()));
    Ok(())
}

fn list(contexts: &Contexts, output: &mut Output) -> Result<(), Failure> {
    let is_current = |name: &Name| contexts.current.as_ref() == Some(name);
    if output.json() {
        let all: Vec<Value> = contexts
            .all
            .iter()
            .map(|(name, context)| to_json(name, context, is_current(name), false))
            .collect();
        return output.json_value(&all);
    }
    if contexts.all.is_empty() {
        output.note("there are no contexts yet; mesh context add NAME --url URL makes one");
        return Ok(());
    }
    let mut rows = Rows::new(&["", "NAME", "CARRIER", "URL", "CERTIFICATES", "DESCRIPTION"]);
    for (name, context) in &contexts.all {
        let mark = if is_current(name) { "*" } else { "" };
        rows.push([
            mark,
            name.as_str(),
            &carriers(&context.url).join(","),
            &context.url,
            &context.credentials().shown(),
            context.description.as_deref().unwrap_or_default(),
        ]);
    }
    output.table(&rows)
}

fn show(
    contexts: &Contexts,
    name: Option<&str>,
    with_token: bool,
    output: &mut Output,
) -> Result<(), Failure> {
    let name = match name {
        Some(name) => named(name)?,
        None => contexts.current.clone().ok_or_else(|| {
            Failure::usage("there is no current context")
                .hint("mesh context use NAME makes one the current one")
        })?,
    };
    let context = contexts.named(&name)?;
    let current = contexts.current.as_ref() == Some(&name);
    if output.json() {
        return output.json_value(&to_json(&name, context, current, with_token));
    }
    let token = match &context.token {
        None => "none",
        Some(token) if with_token => token,
        Some(_) => "kept (--with-token shows it)",
    };
    let path = |path: &Option<PathBuf>| {
        path.as_ref().map_or_else(|| "none".to_owned(), |path| path.display().to_string())
    };
    output.line(table::pairs([
        ("name", name.as_str().to_owned()),
        ("url", context.url.clone()),
        ("carrier", carriers(&context.url).join(",")),
        ("description", context.description.clone().unwrap_or_default()),
        ("certs", path(&context.certs)),
        ("identity", context.identity.clone().unwrap_or_else(|| "the only one".to_owned())),
        ("ca", path(&context.ca)),
        ("cert", path(&context.cert)),
        ("key", path(&context.key)),
        ("token", token.to_owned()),
        ("current", if current { "yes" } else { "no" }.to_owned()),
    ]))
}

fn remove(file: &ContextFile, name: &Name, output: &Output) -> Result<(), Failure> {
    file.update(|contexts| {
        contexts.named(name)?;
        contexts.all.remove(name);
        if contexts.current.as_ref() == Some(name) {
            contexts.current = None;
        }
        Ok(())
    })?;
    output.note(format_args!("context {:?} is removed", name.as_str()));
    Ok(())
}

fn to_json(name: &Name, context: &Context, current: bool, with_token: bool) -> Value {
    let mut value = json!({
        "name": name.as_str(),
        "url": context.url,
        "carriers": carriers(&context.url),
        "certs": context.certs,
        "identity": context.identity,
        "ca": context.ca,
        "cert": context.cert,
        "key": context.key,
        "description": context.description,
        "current": current,
        "has_token": context.token.is_some(),
    });
    if with_token {
        value["token"] = context.token.clone().into();
    }
    value
}

fn named(text: &str) -> Result<Name, Failure> {
    Name::new(text).map_err(|error| Failure::new(error.code(), format!("{text:?} is no name")).cause(error))
}

/// The addresses as they are kept: without spaces, and each one that can be read.
fn addresses(urls: &str) -> Result<String, Failure> {
    let endpoints: Vec<String> = target::endpoints(urls, "--url")?.iter().map(ToString::to_string).collect();
    Ok(endpoints.join(","))
}

/// What carries the links to these addresses, each once.
fn carriers(urls: &str) -> Vec<&str> {
    let mut carriers = Vec::new();
    for scheme in urls.split(',').filter_map(|url| url.trim().split_once("://")).map(|(scheme, _)| scheme) {
        if !carriers.contains(&scheme) {
            carriers.push(scheme);
        }
    }
    carriers
}

fn token_of_environment() -> Result<String, Failure> {
    std::env::var("MESH_TOKEN").ok().filter(|token| !token.is_empty()).ok_or_else(|| {
        Failure::usage("MESH_TOKEN is not set").hint("MESH_TOKEN=… mesh context add … --with-token")
    })
}
