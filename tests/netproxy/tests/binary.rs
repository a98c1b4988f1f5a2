//! The binary, as a script uses it.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::io::{BufRead, BufReader, Lines, Write};
use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

struct Running {
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mesh-netproxy"));
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { stdin: child.stdin.take().unwrap(), lines, child }
    }

    fn line(&mut self) -> Value {
        serde_json::from_str(&self.lines.next().unwrap().unwrap()).unwrap()
    }

    fn say(&mut self, line: &str) -> Value {
        writeln!(self.stdin, "{line}").unwrap();
        self.line()
    }
}

#[test]
fn a_script_starts_it_cuts_heals_and_reads_its_counters() {
    let target = UdpSocket::bind("127.0.0.1:0").unwrap();
    target.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let at = target.local_addr().unwrap().to_string();
    let mut proxy = Running::start(&[
        "--target",
        &at,
        "--seed",
        "9",
        "--loss",
        "0%",
        "--delay",
        "1ms..2ms",
        "--reorder",
        "5%",
    ]);
    let hello = proxy.line();
    let listening: SocketAddr = hello["listening"].as_str().unwrap().parse().unwrap();
    assert_eq!((&hello["target"], &hello["seed"]), (&Value::from(at), &Value::from(9)));
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut buffer = [0; 100];
    client.send_to(b"one", listening).unwrap();
    assert_eq!(target.recv(&mut buffer).unwrap(), 3);

    assert_eq!(proxy.say("cut up")["done"], "cut up");
    client.send_to(b"gone", listening).unwrap();
    while proxy.say("counters")["up"]["cut"] != 1 {}
    assert_eq!(proxy.say("heal")["done"], "heal");
    assert!(proxy.say("faults both --duplicate 100%")["done"].is_string());
    assert!(proxy.say("dance")["error"].as_str().unwrap().contains("dance"));
    client.send_to(b"twice", listening).unwrap();
    for _ in 0..2 {
        assert_eq!(target.recv(&mut buffer).unwrap(), 5);
    }
    let counters = proxy.say("quit");
    assert_eq!(counters["up"]["received"], 3);
    assert_eq!(counters["up"]["forwarded"], 3);
    assert_eq!(counters["clients"], 1);
    assert!(proxy.child.wait().unwrap().success());
}

#[test]
fn the_end_of_standard_input_is_its_end() {
    let mut proxy = Running::start(&["--target", "127.0.0.1:9"]);
    proxy.line();
    drop(proxy.stdin);
    let counters: Value = serde_json::from_str(&proxy.lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(counters["up"]["received"], 0);
    assert!(proxy.child.wait().unwrap().success());
}

#[test]
fn faults_that_are_none_are_refused() {
    for wrong in [["--loss", "105%"], ["--delay", "9ms..2ms"], ["--rate", "0"]] {
        let status = Command::new(env!("CARGO_BIN_EXE_mesh-netproxy"))
            .args(["--target", "127.0.0.1:9"])
            .args(wrong)
            .stderr(Stdio::null())
            .status();
        assert_eq!(status.unwrap().code(), Some(2), "{wrong:?}");
    }
}
