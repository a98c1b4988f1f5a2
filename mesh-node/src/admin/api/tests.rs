use std::sync::atomic::Ordering;

use mesh_wire::code::Code;

use super::*;
use crate::admin::fake::Fake;

async fn ask(fake: &Fake, subject: &str, body: &str) -> Result<Value, Error> {
    let (api, _) = fake.api();
    let answer = api.request(subject, body.as_bytes(), true).await?;
    Ok(serde_json::from_str(&answer).unwrap())
}

fn fake() -> Fake {
    Fake { links: 3, subscriptions: 2, ..Fake::default() }
}

/// What says nothing without.
const WITH_PARAMETERS: [&str; 3] = ["$mesh.group.transfer", "$mesh.group.replicas", "$mesh.node.remove"];

#[tokio::test]
async fn a_change_needs_its_parameters_and_an_operator() {
    let parameters = [
        ("$mesh.group.transfer", r#"{"group":1,"node":"edge-2"}"#),
        ("$mesh.group.replicas", r#"{"replicas":3}"#),
        ("$mesh.node.remove", r#"{"node":"edge-2"}"#),
    ];
    for (subject, body) in parameters {
        assert_eq!(ask(&fake(), subject, body).await.unwrap(), json!({ "state": "accepted" }));
        for wrong in ["", "{}", r#"{"node":"edge-2","more":1}"#] {
            let refused = ask(&fake(), subject, wrong).await.unwrap_err();
            assert_eq!(refused.code(), Code::NodeRequestInvalid, "{subject} {wrong}");
        }
        let (api, _) = fake().api();
        let refused = api.request(subject, body.as_bytes(), false).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
    }
}

#[tokio::test]
async fn every_question_is_answered_without_parameters() {
    for route in ROUTES.iter().filter(|route| !WITH_PARAMETERS.contains(&route.subject)) {
        for body in ["", "{}", "  \n"] {
            let answer = ask(&fake(), route.subject, body).await.unwrap();
            assert!(answer.is_object(), "{}", route.subject);
        }
    }
}

#[tokio::test]
async fn the_node_says_who_and_how_it_is() {
    let (api, health) = fake().api();
    api.counters().set_gauges(|| crate::metrics::Gauges { links: 3, ..Default::default() });
    let info = api.node_info();
    assert_eq!((info.name.as_str(), info.state, info.links), ("edge-1", "starting", 3));
    assert_eq!(info.pid, std::process::id());
    health.advance(crate::admin::State::Ready);
    assert_eq!(api.node_info().state, "ready");
}

#[tokio::test]
async fn links_come_in_pages() {
    let first = ask(&fake(), "$mesh.links", r#"{"limit":2}"#).await.unwrap();
    assert_eq!(first["links"].as_array().unwrap().len(), 2);
    assert_eq!(first["next"], 2);
    let last = ask(&fake(), "$mesh.links", r#"{"limit":2,"after":2}"#).await.unwrap();
    assert_eq!(last["links"][0]["id"], 3);
    assert_eq!(last["next"], Value::Null);
    assert_eq!(last["links"][0]["since"], "2026-01-01T00:00:00.123Z");
}

#[tokio::test]
async fn subscriptions_come_in_pages_and_by_link() {
    let mut seen = Vec::new();
    let mut after = Value::Null;
    loop {
        let page = ask(&fake(), "$mesh.subscriptions", &json!({ "limit": 4, "after": after }).to_string())
            .await
            .unwrap();
        seen.extend(
            page["subscriptions"].as_array().unwrap().iter().map(|s| (s["link"].clone(), s["id"].clone())),
        );
        after = page["next"].clone();
        if after.is_null() {
            break;
        }
    }
    let all: Vec<(Value, Value)> =
        (1..=3).flat_map(|link| (0..2).map(move |id| (json!(link), json!(id)))).collect();
    assert_eq!(seen, all);
    let of_one = ask(&fake(), "$mesh.subscriptions", r#"{"link":2}"#).await.unwrap();
    assert_eq!(of_one["subscriptions"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn services_are_gathered() {
    let answer = ask(&fake(), "$mesh.services", "").await.unwrap();
    assert_eq!(answer["services"][0]["instances"].as_array().unwrap().len(), 3);
    assert_eq!(answer["truncated"], false);
    let many = Fake { links: RESPONDERS as u64, ..Fake::default() };
    assert_eq!(ask(&many, "$mesh.services", "").await.unwrap()["truncated"], true);
}

#[tokio::test]
async fn one_peer_can_be_asked_for() {
    for body in ["", r#"{"id":"edge-2"}"#] {
        let answer = ask(&fake(), "$mesh.peers", body).await.unwrap();
        assert_eq!(answer["peers"][0]["id"], "edge-2");
    }
    let error = ask(&fake(), "$mesh.peers", r#"{"id":"edge-3"}"#).await.unwrap_err();
    assert_eq!(error.code(), Code::PeerUnknown);
}

#[tokio::test]
async fn a_node_is_told_to_drain() {
    let fake = fake();
    assert_eq!(ask(&fake, "$mesh.node.drain", "").await.unwrap(), json!({ "state": "draining" }));
    assert!(fake.drained.load(Ordering::SeqCst));
}

#[tokio::test]
async fn questions_that_are_refused() {
    let most = |limit: usize| format!(r#"{{"limit":{limit}}}"#);
    let too_long = format!("{{}}{}", " ".repeat(PARAMETERS_BYTES - 1));
    let table = [
        ("$mesh.nodes", "", Code::NodeRequestUnknown),
        ("$mesh.", "", Code::NodeRequestUnknown),
        ("/api/v1/node", "", Code::NodeRequestUnknown),
        ("$mesh.links", "limit=1", Code::NodeRequestInvalid),
        ("$mesh.links", "[]", Code::NodeRequestInvalid),
        ("$mesh.links", r#"{"limit":0}"#, Code::NodeRequestInvalid),
        ("$mesh.links", r#"{"limit":-1}"#, Code::NodeRequestInvalid),
        ("$mesh.links", &most(LIMIT + 1), Code::NodeRequestInvalid),
        ("$mesh.links", r#"{"page":2}"#, Code::NodeRequestInvalid),
        ("$mesh.subscriptions", r#"{"after":"7"}"#, Code::NodeRequestInvalid),
        ("$mesh.subscriptions", r#"{"after":"a.b"}"#, Code::NodeRequestInvalid),
        ("$mesh.node.drain", r#"{"now":true}"#, Code::NodeRequestInvalid),
        ("$mesh.node.info", &too_long, Code::NodeRequestInvalid),
    ];
    for (subject, body, code) in table {
        let error = ask(&fake(), subject, body).await.unwrap_err();
        assert_eq!(error.code(), code, "{subject} {body}");
        assert!(!error.hint().is_empty());
    }
    ask(&fake(), "$mesh.links", &most(LIMIT)).await.unwrap();
    ask(&fake(), "$mesh.node.info", &too_long[..PARAMETERS_BYTES]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_node_that_does_not_answer_is_not_waited_for_for_ever() {
    let silent = Fake { silent: true, ..fake() };
    let error = ask(&silent, "$mesh.links", "").await.unwrap_err();
    assert_eq!(error, Error::Late { seconds: PATIENCE.as_secs() });
    assert_eq!(error.code(), Code::RequestDeadline);
}

#[test]
fn an_error_as_json() {
    let json = Error::NotReady { state: "draining" }.to_json();
    assert_eq!(json["code"], Code::NodeUnhealthy.to_string());
    assert_eq!(json["cause"], "the node is draining");
    assert!(json["title"].is_string() && json["hint"].is_string());
}
