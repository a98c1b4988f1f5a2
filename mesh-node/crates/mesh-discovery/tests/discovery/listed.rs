//! A file of peers that becomes unusable, and is right again.

use std::{fs, time::Duration};

use mesh_discovery::{Event, Left, listed};
use mesh_wire::code::Code;

use crate::view::{View, address, node};

#[tokio::test]
async fn a_file_that_is_broken_changes_nothing_until_it_is_right_again() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("peers");
    let options = listed::Options {
        file: Some(file.clone()),
        every: Duration::from_millis(5),
        ..listed::Options::list(vec![address("a:1")])
    };
    let error = listed::start(&node("own", 1), options.clone()).err().unwrap();
    assert_eq!(error.code(), Code::DiscoveryFileUnusable);
    fs::write(&file, "b:1\n").unwrap();
    let mut view = View::new(listed::start(&node("own", 1), options).unwrap());
    view.registered().await;
    assert_eq!(view.peers.len(), 2);
    fs::write(&file, "b:1\nhttp://c\n").unwrap();
    assert_eq!(view.trouble().await, Code::DiscoveryFileUnusable);
    fs::write(&file, "c:1\n").unwrap();
    view.recovered().await;
    let left: Vec<_> = view.events.iter().filter(|event| matches!(event, Event::Left { .. })).collect();
    assert!(matches!(left[..], [Event::Left { how: Left::Meant, .. }]), "{left:?}");
    assert_eq!(view.peers.len(), 2);
}

#[tokio::test]
async fn the_length_of_a_list_is_limited() {
    let list = |count| listed::Options::list(vec![address("a:1"); count]);
    assert!(listed::start(&node("own", 1), list(listed::LISTED_MAX)).is_ok());
    let error = listed::start(&node("own", 1), list(listed::LISTED_MAX + 1)).err().unwrap();
    assert_eq!(error.code(), Code::DiscoveryInvalid);
}
