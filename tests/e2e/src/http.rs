//! What a node tells over HTTP.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use crate::{PATIENCE, RunningNode};

impl RunningNode {
    /// The status and the body of an answer of the admin server.
    ///
    /// # Panics
    /// When there is no answer, or the node was started without HTTP.
    #[must_use]
    pub fn get(&self, path: &str) -> (u16, String) {
        get(self.http(), path)
    }

    /// What `/api/v1/` has under a name.
    ///
    /// # Panics
    /// When it has nothing.
    #[must_use]
    pub fn api(&self, name: &str) -> Value {
        api(self.http(), name)
    }

    /// The sum of a metric over those of its series whose labels contain all of `labels`.
    ///
    /// # Panics
    /// When there is no answer.
    #[must_use]
    pub fn metric(&self, name: &str, labels: &[&str]) -> u64 {
        let (_, text) = self.get("/metrics");
        let series = text.lines().filter(|line| {
            let named = line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']));
            named && labels.iter().all(|label| line.contains(label))
        });
        series.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum::<f64>() as u64
    }
}

/// What `/api/v1/` of the node with this admin server has under a name.
///
/// # Panics
/// When it has nothing.
#[must_use]
pub fn api(http: &str, name: &str) -> Value {
    let (status, body) = get(http, &format!("/api/v1/{name}"));
    assert_eq!(status, 200, "{name}: {body}");
    serde_json::from_str(&body).expect("JSON")
}

fn get(http: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(http).expect("the admin server listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {http}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("the admin server reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the admin server answers");
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body).to_owned();
    (status, body)
}
