//! Records in a register: what was acknowledged, and what is there.

use std::time::Duration;

use mesh_client::{Client, Register};

use crate::{PATIENCE, RunningNode};

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
                Err(error) if error.code().is_retryable() => {
                    tokio::time::sleep(Duration::from_millis(20)).await
                }
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
    let (mut found, mut from) = (Vec::new(), 1);
    loop {
        let read = register.read(from, 1 << 20).await.expect("records can be read");
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
