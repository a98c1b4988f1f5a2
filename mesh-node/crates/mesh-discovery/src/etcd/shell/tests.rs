//! On a real etcd: what can't be brought about through the session at will.

use std::time::Duration;

use super::*;
use crate::{
    etcd::Options,
    trial::{self, Etcd},
};

async fn finish(shell: &mut Shell) -> Input {
    loop {
        let done = tokio::time::timeout(Duration::from_secs(60), shell.next()).await.unwrap().unwrap();
        if let Some(input) = shell.finish(done) {
            return input;
        }
    }
}

#[tokio::test]
async fn what_is_compacted_is_neither_watched_nor_read() {
    let etcd = Etcd::start(trial::Options::default()).await.unwrap();
    let name = Name::new("trial").unwrap();
    let options = Options::new(name.clone(), etcd.endpoints(), 1).check().unwrap();
    let mut shell = Shell::new(&name, options);
    shell.begin(Action::Connect { endpoint: 0 });
    assert_eq!(finish(&mut shell).await, Input::Connected);
    let mut client = etcd.client(0, None).await.unwrap();
    for value in 0..3 {
        client.put("/mesh/trial/nodes/x", value.to_string(), None).await.unwrap();
    }
    let now = client.get("/", None).await.unwrap().header().unwrap().revision();
    client.compact(now, None).await.unwrap();
    shell.begin(Action::Watch { from: 1 });
    let mut input = finish(&mut shell).await;
    if input == Input::Watching {
        input = finish(&mut shell).await;
    }
    assert_eq!(input, Input::Compacted);
    shell.begin(Action::Read { after: None, revision: Some(1) });
    assert_eq!(finish(&mut shell).await, Input::Compacted);
    // And what is left can be.
    shell.begin(Action::Watch { from: now });
    assert_eq!(finish(&mut shell).await, Input::Watching);
    assert!(matches!(finish(&mut shell).await, Input::Changes { revision, .. } if revision == now));
    shell.begin(Action::Progress);
    assert_eq!(finish(&mut shell).await, Input::Progress);
    shell.begin(Action::Close);
    assert!(!shell.is_busy());
}

#[tokio::test]
async fn a_lease_that_is_gone_is_no_failure() {
    let etcd = Etcd::start(trial::Options::default()).await.unwrap();
    let name = Name::new("trial").unwrap();
    let options = Options::new(name.clone(), etcd.endpoints(), 1).check().unwrap();
    let mut shell = Shell::new(&name, options);
    shell.begin(Action::Connect { endpoint: 0 });
    finish(&mut shell).await;
    shell.begin(Action::KeepAlive { lease: 4711 });
    assert_eq!(finish(&mut shell).await, Input::LeaseGone);
    shell.begin(Action::Look { lease: 4711 });
    assert_eq!(finish(&mut shell).await, Input::Looked(None));
    let address = mesh_transport::endpoint::Authority::parse("a:1", 1).unwrap();
    let record = crate::Record::new(name, mesh_core::meta::Uuid([1; 16]), address);
    let guard = crate::session::Guard::Absent;
    shell.begin(Action::Register { lease: 4711, guard, record: Box::new(record) });
    assert_eq!(finish(&mut shell).await, Input::LeaseGone);
}
