//! `mesh service`

mod ping;
mod show;

use clap::{Args, Subcommand};
use mesh_client::{Client, Code};
use serde_json::Value;

use crate::failure::Failure;
use crate::inquiry::{self, Service, Services};
use crate::output::Output;
use crate::session::{Lost, Session};

/// Examples in `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  mesh service ls
  mesh service info orders
  mesh service stats orders --json
  mesh service ping orders";

/// `mesh service …`
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the services
    #[command(visible_alias = "list")]
    Ls,
    /// Show a service: its instances and what each answers
    Info {
        /// Its name
        name: String,
    },
    /// Ask services for a sign of life, and tell how long it took
    Ping {
        /// The service; all of them without
        name: Option<String>,
    },
    /// Show how often services were asked, how often they failed and how fast they are
    Stats {
        /// The service; all of them without
        name: Option<String>,
    },
}

/// Does what was asked.
pub(crate) async fn run(options: &Options, session: &mut Session<'_>) -> Result<(), Failure> {
    let client = session.connect(Lost::Ends).await?;
    let timeout = session.global.timeout;
    let mut stop = session.stop.clone();
    stop.or(async {
        let found = Found::ask(&client, options.action.name(), session.output).await?;
        match &options.action {
            Action::Ls => show::list(&found, session.output),
            Action::Info { .. } => show::info(&found, session.output),
            Action::Stats { .. } => show::stats(&found, session.output),
            Action::Ping { .. } => ping::run(&client, &found.services, timeout, session.output).await,
        }
    })
    .await??;
    session.output.flush()?;
    client.close().await;
    Ok(())
}

impl Action {
    /// The service that it is about, if it is about one.
    fn name(&self) -> Option<&str> {
        match self {
            Self::Ls => None,
            Self::Info { name } => Some(name),
            Self::Ping { name } | Self::Stats { name } => name.as_deref(),
        }
    }
}

/// The services that were asked for, as the node told them and as they were read.
struct Found {
    told: Vec<Value>,
    services: Vec<Service>,
}

impl Found {
    async fn ask(client: &Client, name: Option<&str>, output: &Output) -> Result<Self, Failure> {
        let answer = inquiry::ask(client, inquiry::SERVICES).await?;
        let found = Self::choose(answer, name)?;
        if found.services.is_empty() {
            output.note("there are no services; mesh reply SUBJECT --echo makes one");
        }
        Ok(found)
    }

    fn choose(answer: Value, name: Option<&str>) -> Result<Self, Failure> {
        let told = answer.get("services").and_then(Value::as_array).cloned().unwrap_or_default();
        let Services { services, truncated } = inquiry::read(inquiry::SERVICES, answer)?;
        let wanted = |service: &Service| name.is_none_or(|name| service.name == name);
        let (told, services): (Vec<_>, Vec<_>) =
            told.into_iter().zip(services).filter(|(_, service)| wanted(service)).unzip();
        match name {
            Some(name) if services.is_empty() => Err(unknown(name, truncated)),
            _ => Ok(Self { told, services }),
        }
    }
}

fn unknown(name: &str, truncated: bool) -> Failure {
    let failure = Failure::new(Code::NoResponders, format!("there is no service {name:?}"))
        .hint("mesh service ls lists those that are there");
    if truncated {
        failure.cause("the node has more services than it tells; this may be one of them")
    } else {
        failure
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer() -> Value {
        json!({"services": [{"name": "a", "more": 1}, {"name": "b"}], "truncated": false})
    }

    #[test]
    fn a_service_by_name() {
        let found = Found::choose(answer(), Some("b")).unwrap();
        assert_eq!((found.told.len(), found.services.len(), found.services[0].name.as_str()), (1, 1, "b"));
        let all = Found::choose(answer(), None).unwrap();
        assert_eq!(all.told[0]["more"], 1, "passed on as it was told");
        assert_eq!(
            Found::choose(answer(), Some("c")).err().and_then(|failure| failure.code()),
            Some(Code::NoResponders)
        );
        assert!(Found::choose(json!({"services": []}), None).unwrap().services.is_empty());
    }
}
