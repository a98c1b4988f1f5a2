//! `mesh pub` and `mesh sub` through a real node.

use std::process::Stdio;

use mesh_e2e::{Process, RunningNode as Node, mesh};
use rustix::process::Signal;
use serde_json::{Value, json};

/// A subscriber that the node has confirmed.
fn subscribed(node: &Node, arguments: &[&str]) -> Process {
    let mut process = node.start_mesh(&[&["sub"], arguments].concat());
    process.stderr_line("subscribed to");
    process
}

fn published(node: &Node, arguments: &[&str]) {
    let finished = node.mesh(&[&["pub"], arguments].concat());
    assert_eq!(finished.status, Some(0), "{}", finished.stderr);
    assert_eq!(finished.stdout, "", "nothing but data goes to standard output");
}

fn messages(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a JSON object in each line")).collect()
}

#[test]
fn messages_as_json() {
    let node = Node::start();
    let subscriber = subscribed(&node, &["a.>", "--count", "3", "--json"]);
    published(&node, &["a.b", "text", "-H", "key:value"]);
    published(&node, &["b.a", "not for a.>"]);
    published(&node, &["a.c.d", "", "-H", "k:1", "-H", "other: x", "-H", "k:2", "--key", "seven"]);
    let mut binary = node.start_mesh(&["pub", "a.e", "-"]);
    binary.write(b"\xff\x00z");
    assert_eq!(binary.finish().status, Some(0));

    let finished = subscriber.finish();
    assert_eq!((finished.status, finished.stderr.as_str()), (Some(0), "subscribed to a.>\n"));
    assert_eq!(
        messages(&finished.stdout),
        [
            json!({"subject": "a.b", "headers": {"key": "value"}, "body": "text"}),
            json!({"subject": "a.c.d", "headers": {"k": ["1", "2"], "other": "x"}, "key": "seven", "body": ""}),
            json!({"subject": "a.e", "headers": {}, "body": "\u{fffd}\0z", "body_base64": "/wB6"}),
        ]
    );
}

#[test]
fn messages_for_people_and_raw() {
    let node = Node::start();
    let people = subscribed(&node, &["a", "--count", "2"]);
    let raw = subscribed(&node, &["a", "--count", "2", "--raw"]);
    published(&node, &["a", "hello", "-H", "k:\u{1b}[31m"]);
    published(&node, &["a", "again"]);
    let finished = people.finish();
    assert_eq!(finished.stdout, "#1 a (5 bytes)\nk: \\u{1b}[31m\nhello\n\n#2 a (5 bytes)\nagain\n\n");
    assert_eq!(raw.finish().stdout, "hello\nagain\n");
}

#[test]
fn a_message_for_each_line_as_it_comes() {
    let node = Node::start();
    let mut subscriber = subscribed(&node, &["lines", "--count", "3", "--raw"]);
    let mut publisher = node.start_mesh(&["pub", "lines", "--lines"]);
    // The second line is written when the first one has come out at the other end.
    publisher.write(b"one\n");
    subscriber.stdout_line("one");
    publisher.write(b"\nthree");
    let published = publisher.finish();
    assert_eq!(published.status, Some(0));
    assert!(published.stderr.contains("published 3 messages (8 bytes) to lines"), "{}", published.stderr);
    assert_eq!(subscriber.finish().stdout, "one\n\nthree\n");
}

#[test]
fn many_copies_of_one_message() {
    let node = Node::start();
    let subscriber = subscribed(&node, &["copies", "--count", "5000", "--raw"]);
    let finished = node.mesh(&["pub", "copies", "x", "--count", "5k", "--json"]);
    let summary: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!((&summary["published"], &summary["bytes"]), (&json!(5_000), &json!(5_000)));
    assert_eq!(subscriber.finish().stdout, "x\n".repeat(5_000));
}

#[test]
fn members_of_a_group_share() {
    let node = Node::start();
    let mut members =
        ["--group", "--group"].map(|group| subscribed(&node, &["jobs", group, "workers", "--raw"]));
    let all = subscribed(&node, &["jobs", "--count", "100", "--raw"]);
    published(&node, &["jobs", "x", "--count", "99"]);
    published(&node, &["jobs", "last"]);
    assert_eq!(all.finish().status, Some(0));
    for member in &mut members {
        member.signal(Signal::INT);
    }
    let lines = members.map(|member| member.finish().stdout.lines().count());
    assert_eq!(lines.iter().sum::<usize>(), 100);
    assert!(lines.iter().all(|&lines| lines > 0), "both got some: {lines:?}");
}

#[test]
fn signals_end_a_subscriber_in_good_order() {
    let node = Node::start();
    for (signal, status) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let mut subscriber = subscribed(&node, &["a", "--raw"]);
        published(&node, &["a", "x"]);
        subscriber.stdout_line("x");
        subscriber.signal(signal);
        let finished = subscriber.finish();
        assert_eq!(finished.status, Some(status));
        assert!(finished.stderr.ends_with("1 messages\n"), "{}", finished.stderr);
    }
}

#[test]
fn a_reader_that_leaves_ends_a_subscriber_quietly() {
    let node = Node::start();
    let (reader, writer) = std::io::pipe().unwrap();
    let mut command = mesh(&node);
    command.args(["sub", "a", "--raw"]);
    command.stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // The command holds the writing end of the pipe, too.
    drop(command);
    let mut stderr = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut stderr, &mut line).unwrap();
    assert_eq!(line, "subscribed to a\n");
    drop(reader);
    published(&node, &["a", "x"]);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    line.clear();
    std::io::Read::read_to_string(&mut stderr, &mut line).unwrap();
    assert_eq!(line, "");
}

#[test]
fn a_subscriber_whose_reader_stalls_can_be_ended() {
    let node = Node::start();
    let (reader, writer) = std::io::pipe().unwrap();
    let mut command = mesh(&node);
    command.args(["sub", "a", "--raw"]).stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(command);
    let mut stderr = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut stderr, &mut line).unwrap();
    let mut publisher = node.start_mesh(&["pub", "a", "-"]);
    publisher.write(&vec![b'x'; 1 << 20]);
    assert_eq!(publisher.finish().status, Some(0));
    // Nobody reads, and a pipe does not hold a mebibyte: it waits in a write. The first signal asks, the second insists.
    let pid = rustix::process::Pid::from_child(&child);
    while child.try_wait().unwrap().is_none() {
        // It may have ended just now.
        rustix::process::kill_process(pid, Signal::TERM).ok();
        std::thread::yield_now();
    }
    assert_eq!(child.wait().unwrap().code(), Some(143));
    drop(reader);
}

#[test]
fn what_the_node_refuses_is_told() {
    let node = Node::start();
    let finished = node.mesh(&["pub", "a", "x", "-H", &format!("k:{}", "v".repeat(16 * 1024))]);
    assert_eq!(finished.status, Some(2), "{}", finished.stderr);
    assert!(finished.stderr.starts_with("error[MESH-"), "{}", finished.stderr);
    let mut body = node.start_mesh(&["pub", "a", "-"]);
    body.write(&vec![b'x'; 8 * 1024 * 1024 + 1]);
    let finished = body.finish();
    assert_ne!(finished.status, Some(0));
    assert!(finished.stderr.starts_with("error[MESH-1023]: "), "{}", finished.stderr);
}

#[test]
fn a_large_body_comes_whole() {
    let node = Node::start();
    let subscriber = subscribed(&node, &["large", "--count", "1", "--raw"]);
    let mut publisher = node.start_mesh(&["pub", "large", "-"]);
    let body = "0123456789abcdef".repeat(64 * 1024 * 3);
    publisher.write(body.as_bytes());
    assert_eq!(publisher.finish().status, Some(0));
    assert_eq!(subscriber.finish().stdout, format!("{body}\n"));
}

#[test]
fn a_node_that_goes_is_told() {
    let node = Node::start();
    let mut subscriber = subscribed(&node, &["a"]);
    node.signal(Signal::TERM);
    subscriber.stderr_line("the connection was lost");
    subscriber.signal(Signal::INT);
    assert_eq!(subscriber.finish().status, Some(130));
}
