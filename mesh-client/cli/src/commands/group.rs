//! `mesh group`

use clap::{Args, Subcommand};
use mesh_client::Client;
use mesh_wire::name::Name;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::inquiry::{self, Group, Groups, Replica};
use crate::output::Output;
use crate::quantity;
use crate::session::{Lost, Session};
use crate::table::Rows;

/// Examples in `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  mesh group ls
  mesh group ls --json
  mesh group transfer 3 n2
  mesh group replicas 5

What is stored is spread over groups. Each has copies on several nodes, and one of these leads it.";

/// `mesh group …`
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the groups that the node has a copy of: who leads, who follows, how far behind
    #[command(visible_alias = "list")]
    Ls,
    /// Hand the lead of a group to another node; to be asked of the node that leads it
    Transfer {
        /// The group's number, as `mesh group ls` shows it
        group: u32,
        /// The node that is to lead it; it has a copy
        node: Name,
    },
    /// Say how many copies each group is to have: 1, 3 or 5, as far as there are nodes
    Replicas {
        /// How many
        #[arg(value_parser = clap::value_parser!(u32).range(1..=5))]
        count: u32,
    },
}

/// Does what was asked.
pub(crate) async fn run(options: &Options, session: &mut Session<'_>) -> Result<(), Failure> {
    let client = session.connect(Lost::Ends).await?;
    let mut stop = session.stop.clone();
    stop.or(async {
        match &options.action {
            Action::Ls => list(&client, session.output).await,
            Action::Transfer { group, node } => {
                let asked = json!({ "group": group, "node": node.as_str() });
                inquiry::change(&client, "$mesh.group.transfer", &asked, session.output).await
            }
            Action::Replicas { count } => {
                let asked = json!({ "replicas": count });
                inquiry::change(&client, "$mesh.group.replicas", &asked, session.output).await
            }
        }
    })
    .await??;
    session.output.flush()?;
    client.close().await;
    Ok(())
}

async fn list(client: &Client, output: &mut Output) -> Result<(), Failure> {
    let mut answer: Value = inquiry::ask(client, inquiry::GROUPS).await?;
    if output.json() {
        let groups = answer.get_mut("groups").map_or_else(|| Value::Array(Vec::new()), Value::take);
        return output.json_value(&groups);
    }
    let Groups { groups } = inquiry::read(inquiry::GROUPS, answer)?;
    match groups.is_empty() {
        true => output.note("the node has no groups: it keeps nothing"),
        false => output.table(&listed(&groups))?,
    }
    Ok(())
}

fn listed(groups: &[Group]) -> Rows {
    let mut rows = Rows::new(&[">GROUP", "NAME", "LEADER", ">TERM", "REPLICAS", ">LAG", ">APPLIED", "STATE"]);
    for group in groups {
        let replicas: Vec<String> = group.replicas.iter().map(|replica| short(replica, group)).collect();
        rows.push([
            group.group.to_string(),
            group.name.clone(),
            group.leader.clone().unwrap_or_else(|| "-".to_owned()),
            group.term.to_string(),
            replicas.join(", "),
            group.lag.map(quantity::grouped).unwrap_or_default(),
            quantity::grouped(group.applied),
            state(group).to_owned(),
        ]);
    }
    rows
}

/// `n2`, `n3 (learner)`, or `n3 (lost)`.
fn short(replica: &Replica, group: &Group) -> String {
    let leads = group.leader.as_ref() == Some(&replica.node);
    match replica.role.as_str() {
        _ if replica.lost => format!("{} (lost)", replica.node),
        "" | "voter" | "follower" | "leader" => replica.node.clone(),
        _ if leads => replica.node.clone(),
        role => format!("{} ({role})", replica.node),
    }
}

fn state(group: &Group) -> &'static str {
    match group {
        Group { quarantined: true, .. } => "quarantined",
        Group { leader: None, .. } => "no leader",
        Group { rests: true, .. } => "rests",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn groups_for_people() {
        let answer = json!({ "groups": [
            { "group": 0, "name": "meta", "leader": "n1", "term": 3, "lag": 12, "commit": 9, "applied": 1234,
              "rests": false, "quarantined": false, "replicas": [
                { "node": "n1", "role": "voter", "match": 9, "lag": 0 },
                { "node": "n2", "role": "learner", "match": 1, "lag": 12 },
                { "node": "n3", "role": "voter", "match": 1, "lag": 12, "lost": true } ] },
            { "group": 1, "name": "shard-1", "leader": null, "term": 7, "colour": "red" },
            { "group": 2, "leader": "n1", "rests": true },
            { "group": 3, "leader": "n1", "rests": true, "quarantined": true },
        ] });
        let Groups { groups } = inquiry::read(inquiry::GROUPS, answer).unwrap();
        let table = listed(&groups).render();
        let rows: Vec<&str> = table.lines().collect();
        for cell in ["0", "meta", "n1, n2 (learner), n3 (lost)", "12", "1,234"] {
            assert!(rows[1].contains(cell), "{cell}: {table}");
        }
        assert!(rows[2].contains(" - ") && rows[2].ends_with("no leader"), "{table}");
        assert!(rows[3].ends_with("rests") && rows[4].ends_with("quarantined"), "{table}");
    }
}
