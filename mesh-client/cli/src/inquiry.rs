//! Questions to the node itself: requests under `$mesh.`, answered in JSON.

use mesh_client::{Client, Code};
use serde::de::DeserializeOwned;

use crate::failure::Failure;

/// Asks the node.
pub(crate) async fn ask<T: DeserializeOwned>(
    client: &Client,
    subject: &str,
    body: &str,
) -> Result<T, Failure> {
    let answer = client.request(subject, body).await?;
    serde_json::from_slice(answer.as_bytes()).map_err(|error| {
        Failure::new(Code::DecodeFailed, format!("the node's answer on {subject} can't be read"))
            .cause(error)
            .hint("the node may be of another version: compare mesh --version with mesh node info")
    })
}
