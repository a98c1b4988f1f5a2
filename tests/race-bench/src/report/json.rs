//! One JSON object per row.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::summary::{Figures, Summary};

/// The object of one row. `ours`, `ratio` and `floor` are null where they are not known.
///
/// `ratio` is of ours to the best peer by medians, larger is better for us whatever the unit; `ratios` has it per peer.
pub(crate) fn object(summary: &Summary, versions: &BTreeMap<&'static str, String>, machine: &str) -> Value {
    let each = |of: fn(&Figures) -> Value| -> Value {
        summary
            .sides
            .iter()
            .map(|(side, figures)| ((*side).to_owned(), of(figures)))
            .collect::<Map<_, _>>()
            .into()
    };
    let peers: Map<_, _> =
        summary.peers().map(|(peer, figures)| (peer.to_owned(), json!(figures.median))).collect();
    let ratios: Map<_, _> =
        summary.peers().map(|(peer, _)| (peer.to_owned(), json!(summary.ratio(peer)))).collect();
    let goals: Vec<Value> =
        summary.goals().map(|judged| json!({ "goal": judged.goal.to_string(), "met": judged.met })).collect();
    json!({
        "row": summary.row.name,
        "unit": summary.unit().to_string(),
        "ours": summary.median("ours"),
        "peers": peers,
        "ratio": summary.ratio_to_best(),
        "floor": summary.median("floor"),
        "better": if summary.unit().more_is_better() { "more" } else { "less" },
        "work": summary.row.work.describe(),
        "runs": summary.runs,
        "ratios": ratios,
        "spread": each(|figures| json!({ "min": figures.min, "max": figures.max })),
        "cpu_seconds": each(|figures| {
            figures.cpu.map_or(Value::Null, |cpu| json!({ "server": cpu.server, "clients": cpu.clients }))
        }),
        "details": each(|figures| json!(figures.details)),
        "goals": goals,
        "failures": summary.failures,
        "versions": versions,
        "machine": machine,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::tests::summary;

    #[test]
    fn a_row_has_what_programs_ask_for() {
        let summary = summary("request-1", &[("ours", &[10.0]), ("nats", &[30.0]), ("floor", &[9.0])]);
        let object = object(&summary, &BTreeMap::from([("nats", "nats-server 9".into())]), "m");
        assert_eq!(object["row"], "request-1");
        assert_eq!(object["unit"], "us p50");
        assert_eq!(object["ours"], 10.0);
        assert_eq!(object["peers"], json!({ "nats": 30.0 }));
        assert_eq!(object["ratio"], 3.0);
        assert_eq!(object["floor"], 9.0);
        assert_eq!(object["spread"]["nats"]["max"], 30.0);
        assert_eq!(object["cpu_seconds"]["ours"]["clients"], 2.0);
        assert_eq!(object["versions"]["nats"], "nats-server 9");
    }

    #[test]
    fn what_is_missing_is_null() {
        let object = object(&summary("request-1", &[("nats", &[30.0])]), &BTreeMap::new(), "m");
        assert!(object["ours"].is_null() && object["ratio"].is_null() && object["floor"].is_null());
    }
}
