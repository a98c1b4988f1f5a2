//! `mesh check`

mod certificates;
mod connection;
mod finding;
mod messages;
mod node;
mod surroundings;

use clap::Args;
use mesh_client::Code;

use self::finding::Findings;
use crate::failure::Failure;
use crate::session::Session;
use crate::target::Target;

/// Examples in `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  mesh check
  mesh check --url unix:///tmp/dev.sock
  mesh check --url quic://a.example:7400,tls://a.example:7400 --certs certs
  mesh check --json | jq '.groups[].checks[] | select(.status != \"ok\")'

√ is as it should be, ‼ is worth a look, × is wrong and says what to do. Exit status 1 when
something is wrong.";

/// `mesh check`
#[derive(Debug, Args)]
pub(crate) struct Options {}

/// Looks at everything between here and the node, from the address to a request that is answered.
pub(crate) async fn run(_options: &Options, session: &mut Session<'_>) -> Result<(), Failure> {
    let target = Target::resolve(session.global)?;
    let mut findings = Findings::new();
    surroundings::address(&target, &mut findings);
    surroundings::permissions(&target, &mut findings);
    certificates::check(&target, &mut findings);
    let mut stop = session.stop.clone();
    let client = stop.or(connection::check(&target, session, &mut findings)).await?;
    if let Some(client) = client {
        let rest = async {
            node::check(&client, &mut findings).await;
            messages::check(&client, session.global.timeout, &mut findings).await;
            surroundings::limits(&mut findings);
            client.close().await;
        };
        stop.or(rest).await?;
    } else {
        surroundings::limits(&mut findings);
    }
    findings.write(session.output)?;
    match findings.wrong() {
        0 => Ok(()),
        wrong => {
            Err(Failure::new(Code::CheckFailed, format!("{wrong} of {} checks failed", findings.count())))
        }
    }
}
