//! Records in a register: what was acknowledged, and what is there.

use std::time::Duration;

use mesh_client::{Client, Register};

use crate::{PATIENCE, RunningNode};

/// How often something is tried that may have to wait for a leader, and the pause between.
const TRIES: usize = 1_000;
const PAUSE: Duration = Duration::from_millis(20);

/// A client of a node, which waits for it as long as a test waits for anything.
///
/// # Panics
/// When there is no link.
pub async fn client_of(node: &RunningNode) -> Client {
    let builder = Client::builder().name("records").endpoint(node.url()).request_timeout(PATIENCE);
    builder.connect().await.expect("the node takes clients")
}

/// A register of a node.
///
/// # Panics
/// When there is none in time.
pub async fn register(node: &RunningNode, name: &str) -> Register {
    let client = client_of(node).await;
    let tries = async {
        loop {
            match client.register(name).await {
                Ok(register) => return register,
                Err(error) if error.code().is_retryable() => tokio::time::sleep(PAUSE).await,
                Err(error) => panic!("{name}: {error}"),
            }
        }
    };
    tokio::time::timeout(PATIENCE, tries).await.expect("the cluster declares in time")
}

/// Everything that a register has, in order.
///
/// # Panics
/// When it can't be read.
pub async fn everything(register: &Register) -> Vec<String> {
    let (mut found, mut from, mut tries) = (Vec::new(), 1, TRIES);
    loop {
        let read = match register.read(from, 1 << 20).await {
            Ok(read) => read,
            // A group may be between two leaders.
            Err(error) if error.code().is_retryable() && tries > 0 => {
                tries -= 1;
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            Err(error) => panic!("records can't be read: {error}"),
        };
        let is_end = read.is_end();
        from = read.next();
        let texts =
            read.into_records().into_iter().map(|record| String::from_utf8_lossy(&record.value).into_owned());
        found.extend(texts);
        if is_end {
            return found;
        }
    }
}
