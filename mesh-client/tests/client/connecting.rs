use std::time::Duration;

use bytes::BytesMut;
use mesh_client::{Client, Code, ErrorKind};
use mesh_wire::frame::{Flags, Kind, Parts};

use crate::fake_node::{FakeNode, soon};

#[tokio::test]
async fn both_sides_introduce_themselves() {
    let node = FakeNode::new();
    let (client, link) = tokio::join!(node.builder().token("secret").connect(), node.accept());
    let client = client.unwrap();
    let hello = link.hello.unwrap();
    assert_eq!((hello.name.as_str(), hello.language.as_str()), ("tester", "rust"));
    assert_eq!((hello.token.as_deref(), hello.pid), (Some("secret"), std::process::id()));
    assert!(hello.library.starts_with("mesh-client "));

    let info = client.node_info().unwrap();
    assert_eq!((info.node.as_str(), info.cluster.as_str(), info.version.as_str()), ("n1", "c", "9.9"));
    assert_eq!((info.incarnation, info.link, info.endpoint.as_str()), (77, 5, node.endpoint()));
    assert!(client.is_connected());
}

#[tokio::test]
async fn what_comes_behind_the_greeting_is_heard() {
    let node = FakeNode::new();
    let (client, mut link) = tokio::join!(node.builder().connect(), async {
        let mut link = node.accept_silent().await;
        link.hear_hello().await;
        // In one write with the greeting.
        let mut bytes = BytesMut::new();
        let welcome = mesh_wire::body::WelcomeV1 {
            node: "n".into(),
            cluster: "c".into(),
            version: "1".into(),
            incarnation: 1,
            link: 1,
            identity: String::new(),
            max_body: 100,
            max_frame: 100,
            max_subscriptions: 1,
            max_requests: 1,
        };
        let body = mesh_wire::body::encode(&welcome).unwrap();
        Parts::bare(Kind::Welcome, 0).aux(1).body(&body).encode(&mut bytes).unwrap();
        Parts::bare(Kind::Ping, 9).encode(&mut bytes).unwrap();
        link.write(&bytes).await;
        link
    });
    let _client = client.unwrap();
    assert_eq!(link.expect(Kind::Pong).await.id, 9);
}

#[tokio::test]
async fn a_refusal_keeps_its_code_and_cause() {
    let node = FakeNode::new();
    let (client, ()) = tokio::join!(node.builder().connect(), async {
        let mut link = node.accept_silent().await;
        link.hear_hello().await;
        link.refuse(Kind::Hello, 0, Code::TokenRefused, Flags::FATAL).await;
    });
    let error = client.unwrap_err();
    assert_eq!(
        (error.code(), error.kind(), error.cause()),
        (Code::TokenRefused, ErrorKind::Unauthorized, "because")
    );
}

#[tokio::test]
async fn what_is_no_node_is_told_apart() {
    let node = FakeNode::new();
    let (client, ()) = tokio::join!(node.builder().connect(), async {
        node.accept_silent().await.write(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    });
    assert_eq!(client.unwrap_err().code(), Code::PeerNotMesh);

    let (client, ()) = tokio::join!(node.builder().connect(), async {
        node.accept_silent().await.send(&Parts::bare(Kind::Deliver, 1)).await;
    });
    assert_eq!(client.unwrap_err().code(), Code::PeerNotMesh);

    let (client, ()) = tokio::join!(node.builder().connect(), async {
        node.accept_silent().await.send(&Parts::bare(Kind::Welcome, 0).aux(1).body(b"?")).await;
    });
    assert_eq!(client.unwrap_err().code(), Code::PeerNotMesh);
}

#[tokio::test]
async fn a_node_that_hangs_up_is_told_apart() {
    let node = FakeNode::new();
    let (client, ()) = tokio::join!(node.builder().connect(), async {
        node.accept_silent().await.hear_hello().await;
    });
    let error = client.unwrap_err();
    assert_eq!(error.code(), Code::ConnectFailed);
    assert!(error.cause().contains("handshake"), "{error:?}");
}

#[tokio::test]
async fn a_node_that_says_nothing_is_given_up() {
    let node = FakeNode::new();
    let (client, _link) = tokio::join!(
        node.builder().connect_timeout(Duration::from_millis(50)).connect(),
        node.accept_silent()
    );
    assert_eq!(client.unwrap_err().code(), Code::ConnectTimeout);
}

#[tokio::test]
async fn an_unknown_version_is_refused() {
    let node = FakeNode::new();
    let (client, ()) = tokio::join!(node.builder().connect(), async {
        let mut link = node.accept_silent().await;
        link.hear_hello().await;
        link.send(&Parts::bare(Kind::Welcome, 0).aux(2)).await;
    });
    assert_eq!(client.unwrap_err().code(), Code::VersionUnsupported);
}

#[tokio::test]
async fn endpoints_are_tried_in_order() {
    let node = FakeNode::new();
    let builder = Client::builder().endpoint("unix:///nonexistent/mesh.sock").endpoint(node.endpoint());
    let (client, _link) = tokio::join!(builder.connect(), node.accept());
    assert_eq!(client.unwrap().node_info().unwrap().endpoint, node.endpoint());
}

#[tokio::test]
async fn nobody_there_says_where_and_what_to_do() {
    let error =
        soon(Client::builder().endpoint("unix:///nonexistent/mesh.sock").connect()).await.unwrap_err();
    assert_eq!(error.code(), Code::ConnectNoSuchSocket);
    assert!(error.is_retryable());
    assert!(error.to_string().contains("/nonexistent/mesh.sock"), "{error}");
    assert!(error.hint().contains("mesh-node"), "{}", error.hint());

    let error = soon(Client::builder().endpoint("nonsense").connect()).await.unwrap_err();
    assert_eq!(error.code(), Code::EndpointInvalid);
    let error = soon(Client::builder().name("No Name").connect()).await.unwrap_err();
    assert_eq!(error.code(), Code::NameMalformed);
}

#[tokio::test]
async fn a_node_that_is_there_and_refuses_says_more_than_one_that_is_not() {
    let node = FakeNode::new();
    let builder = Client::builder().endpoint(node.endpoint()).endpoint("unix:///nonexistent/mesh.sock");
    let (client, ()) = tokio::join!(builder.connect(), async {
        let mut link = node.accept_silent().await;
        link.hear_hello().await;
        link.refuse(Kind::Hello, 0, Code::TooManyLinks, Flags::FATAL).await;
    });
    assert_eq!(client.unwrap_err().code(), Code::TooManyLinks);
}

#[tokio::test]
async fn a_first_connection_can_be_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("n");
    let builder =
        Client::builder().endpoint(format!("unix://{}", path.display())).retry_initial_connect(true);
    let connecting = tokio::spawn(builder.connect());
    // The socket comes into being only now.
    tokio::task::yield_now().await;
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let (stream, _) = soon(listener.accept()).await.unwrap();
    drop(stream);
    let (stream, _) = soon(listener.accept()).await.unwrap();
    drop(stream);
    assert!(!connecting.is_finished());
    connecting.abort();
}
