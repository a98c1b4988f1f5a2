//! What every carrier has to do.

use std::future::poll_fn;

use bytes::Bytes;
use mesh_transport::link::Outbound;
use mesh_wire::class::Class;
use tokio::io::AsyncReadExt;

use crate::pair::Node;

pub(crate) async fn write_all(
    outbound: &mut Outbound,
    class: Class,
    bytes: impl Into<Bytes>,
) -> std::io::Result<()> {
    let lane = outbound.lane_of(class);
    let mut bytes: Bytes = bytes.into();
    while !bytes.is_empty() {
        let written = poll_fn(|cx| outbound.poll_write(lane, cx, std::slice::from_ref(&bytes))).await?;
        bytes = bytes.split_off(written);
    }
    Ok(())
}

#[tokio::test]
async fn smoke() {
    let node = Node::quic();
    let (mut client, mut server) = node.pair().await;
    assert_eq!(server.handle.certificate().unwrap().id().to_string(), "spiffe://test/service/app");
    assert_eq!(client.handle.certificate().unwrap().id().to_string(), "spiffe://test/node/a");
    for class in Class::ALL {
        write_all(&mut client.outbound, class, class.as_str()).await.unwrap();
    }
    let finish = tokio::spawn(async move {
        client.outbound.finish().await.unwrap();
        client
    });
    for _ in Class::ALL {
        let mut lane = server.inbound.accept().await.unwrap();
        let mut text = String::new();
        lane.reader.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, lane.class.as_str());
    }
    let client = finish.await.unwrap();
    drop(server);
    let closed = client.handle.closed().await;
    assert_eq!(closed.code, None, "{closed}");
}
