//! `mesh group`

use clap::{Args, Subcommand};
use serde_json::Value;

use crate::failure::Failure;
use crate::inquiry::{self, Group, Groups, Replica};
use crate::quantity;
use crate::session::{Lost, Session};
use crate::table::Rows;

/// Examples in `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  mesh group ls
  mesh group ls --json

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
}

/// Does what was asked.
pub(crate) async fn run(options: &Options, session: &mut Session<'_>) -> Result<(), Failure> {
    let client = session.connect(Lost::Ends).await?;
    let mut stop = session.stop.clone();
    let mut answer: Value = match options.action {
        Action::Ls => stop.or(inquiry::ask(&client, inquiry::GROUPS)).await??,
    };
    if session.output.json() {
        let groups = answer.get_mut("groups").map_or_else(|| Value::Array(Vec::new()), Value::take);
        session.output.json_value(&groups)?;
    } else {
        let Groups { groups } = inquiry::read(inquiry::GROUPS, answer)?;
        match groups.is_empty() {
            true => session.output.note("the node has no groups: it keeps nothing"),
            false => session.output.table(&listed(&groups))?,
        }
    }
    session.output.flush()?;
    client.close().await;
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

/// `n2`, or `n3 (learner)`.
fn short(replica: &Replica, group: &Group) -> String {
    let leads = group.leader.as_ref() == Some(&replica.node);
    match replica.role.as_str() {
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
                { "node": "n2", "role": "learner", "match": 1, "lag": 12 } ] },
            { "group": 1, "name": "shard-1", "leader": null, "term": 7, "colour": "red" },
            { "group": 2, "leader": "n1", "rests": true },
            { "group": 3, "leader": "n1", "rests": true, "quarantined": true },
        ] });
        let Groups { groups } = inquiry::read(inquiry::GROUPS, answer).unwrap();
        let table = listed(&groups).render();
        let rows: Vec<&str> = table.lines().collect();
        for cell in ["0", "meta", "n1, n2 (learner)", "12", "1,234"] {
            assert!(rows[1].contains(cell), "{cell}: {table}");
        }
        assert!(rows[2].contains(" - ") && rows[2].ends_with("no leader"), "{table}");
        assert!(rows[3].ends_with("rests") && rows[4].ends_with("quarantined"), "{table}");
    }
}
