//! `mesh context`

use clap::{Args, Subcommand};
use mesh_transport::endpoint::Endpoint;
use mesh_wire::name::Name;
use serde_json::{Value, json};

use crate::cli::Global;
use crate::contexts::{Context, ContextFile, Contexts};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{self, Rows};

/// Examples in `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  mesh context add dev --url unix:///tmp/dev.sock
  mesh context use dev
  mesh context ls
  mesh --context dev sub '>'

The contexts are kept in $XDG_CONFIG_HOME/mesh/contexts.toml, which only you can read.";

/// `mesh context …`
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add a context, or replace one; its address is that of --url
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
            let context = Context { url: address(url)?, token, description: description.clone() };
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
    let mut rows = Rows::new(&["", "NAME", "URL", "DESCRIPTION"]);
    for (name, context) in &contexts.all {
        let mark = if is_current(name) { "*" } else { "" };
        rows.push([mark, name.as_str(), &context.url, context.description.as_deref().unwrap_or_default()]);
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
    output.line(table::pairs([
        ("name", name.as_str().to_owned()),
        ("url", context.url.clone()),
        ("description", context.description.clone().unwrap_or_default()),
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

fn address(url: &str) -> Result<String, Failure> {
    match url.parse::<Endpoint>() {
        Ok(endpoint) => Ok(endpoint.to_string()),
        Err(error) => Err(Failure::new(error.code(), error.to_string()).hint(error.hint())),
    }
}

fn token_of_environment() -> Result<String, Failure> {
    std::env::var("MESH_TOKEN").ok().filter(|token| !token.is_empty()).ok_or_else(|| {
        Failure::usage("MESH_TOKEN is not set").hint("MESH_TOKEN=… mesh context add … --with-token")
    })
}
