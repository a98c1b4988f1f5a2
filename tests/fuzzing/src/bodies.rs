//! The structured bodies of control frames.

use std::fmt::Debug;

use mesh_wire::body::{
    CONTROL_BODY_BYTES, ErrorV1, HelloV1, ModeV1, OverflowV1, ServiceV1, SubscribeV1, WelcomeV1, decode,
    encode,
};
use mesh_wire::peer::PeerHelloV1;
use serde::{Serialize, de::DeserializeOwned};

/// Reads `data` as the body of HELLO.
pub fn hello(data: &[u8]) {
    round_trip::<HelloV1>(data);
}

/// Reads `data` as the body of WELCOME.
pub fn welcome(data: &[u8]) {
    round_trip::<WelcomeV1>(data);
}

/// Reads `data` as the body of ERROR.
pub fn error(data: &[u8]) {
    round_trip::<ErrorV1>(data);
}

/// Reads `data` as the body of SUBSCRIBE.
pub fn subscribe(data: &[u8]) {
    round_trip::<SubscribeV1>(data);
}

/// Reads `data` as the body of PEER_HELLO and PEER_WELCOME.
pub fn peer_hello(data: &[u8]) {
    round_trip::<PeerHelloV1>(data);
}

/// Numbers have more than one spelling in postcard, so the value is compared and not the bytes.
fn round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug>(data: &[u8]) {
    match decode::<T>(data) {
        Ok(value) => {
            assert!(data.len() <= CONTROL_BODY_BYTES);
            let again = encode(&value).expect("what was read can be written");
            assert!(again.len() <= data.len(), "the shortest spelling is written");
            assert_eq!(decode::<T>(&again).as_ref(), Ok(&value));
            let longer = [data, &[0]].concat();
            assert!(decode::<T>(&longer).is_err(), "bytes left over are refused");
        }
        Err(error) => assert!(!error.code().hint().is_empty()),
    }
}

/// Bodies of HELLO.
pub fn hello_seeds() -> Vec<Vec<u8>> {
    let body = HelloV1 {
        name: "shop".into(),
        library: "mesh-client 0.1.0".into(),
        language: "rust".into(),
        token: Some("t".into()),
        pid: 300,
    };
    vec![bytes(&body), bytes(&HelloV1 { token: None, ..body })]
}

/// Bodies of WELCOME.
pub fn welcome_seeds() -> Vec<Vec<u8>> {
    vec![bytes(&WelcomeV1 {
        node: "n1".into(),
        cluster: "local".into(),
        version: "0.1.0".into(),
        incarnation: 1_700_000_000_000_000,
        link: 12,
        identity: "unix:uid=1000,pid=42".into(),
        max_body: 8 << 20,
        max_frame: 1 << 20,
        max_subscriptions: 1 << 20,
        max_requests: 65_536,
    })]
}

/// Bodies of ERROR.
pub fn error_seeds() -> Vec<Vec<u8>> {
    vec![bytes(&ErrorV1 { about: 0x10, cause: "the subject is empty".into(), retry_after_ms: 250 })]
}

/// Bodies of SUBSCRIBE.
pub fn subscribe_seeds() -> Vec<Vec<u8>> {
    let service =
        ServiceV1 { name: "orders".into(), version: "1.0.0".into(), description: "gets orders".into() };
    let body = SubscribeV1 {
        group: Some("orders".into()),
        mode: ModeV1::Responder,
        credit: 1_024,
        pending_messages: 65_536,
        pending_bytes: 1 << 26,
        overflow: OverflowV1::Close,
        service: Some(service),
    };
    let events = SubscribeV1 {
        group: None,
        mode: ModeV1::Events,
        overflow: OverflowV1::DropOldest,
        service: None,
        ..body.clone()
    };
    vec![bytes(&body), bytes(&events)]
}

/// Bodies of PEER_HELLO.
pub fn peer_hello_seeds() -> Vec<Vec<u8>> {
    let body = PeerHelloV1 {
        node: "n1".into(),
        cluster: "local".into(),
        incarnation: 1_700_000_000_000_000,
        dial: 3,
        address: "n1.example:7401".into(),
        version: "0.1.0".into(),
    };
    vec![bytes(&body), bytes(&PeerHelloV1 { address: String::new(), ..body })]
}

fn bytes<T: Serialize>(body: &T) -> Vec<u8> {
    encode(body).expect("a seed is valid")
}
