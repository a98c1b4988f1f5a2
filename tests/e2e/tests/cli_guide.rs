//! The commands of the README and of the guide about networks, as they stand there: somebody will type them.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::path::Path;
use std::process::Command;

use mesh_e2e::{Process, program};

const README: &str = include_str!("../../../README.md");
const GUIDE: &str = include_str!("../../../docs/guide/network.md");

/// The port of the documents, for which a test takes one that the system chooses.
const PORT: &str = ":7400";

/// The commands of the blocks of `text` between two lines that contain these words, without comments.
fn commands<'a>(text: &'a str, from: &str, to: &str) -> Vec<&'a str> {
    let section = text.split_once(from).unwrap_or_else(|| panic!("there is no {from:?}")).1;
    let section = section.split_once(to).unwrap_or_else(|| panic!("there is no {to:?} behind {from:?}")).0;
    let blocks = section.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let lines = blocks.flat_map(str::lines).filter(|line| !line.trim().is_empty());
    lines.map(|line| line.split("  #").next().unwrap().trim_end()).collect()
}

/// Runs them in their order, in a directory of their own. What goes on by itself, a node or a subscriber, goes on until
/// the end; everything else has to succeed.
fn run(commands: &[&str]) {
    let home = tempfile::tempdir().unwrap();
    let programs = [program("mesh-cli", "mesh"), program("mesh-node", "mesh-node")];
    let shell = |line: &str| shell(home.path(), programs[0].parent().unwrap(), line);
    let mut port = String::new();
    let mut running = Vec::new();
    for line in commands {
        if let Some(arguments) = line.strip_prefix("mesh-node ") {
            let arguments = arguments.replace(PORT, ":0");
            let line = format!("exec mesh-node --data data --socket m.sock --http off {arguments}");
            let mut node = Process::start(&mut shell(&line));
            let network = node.stdout_line("quic://");
            let (_, address) = network.split_once("quic://").unwrap();
            let address = address.split_whitespace().next().unwrap();
            port = format!(":{}", address.rsplit_once(':').unwrap().1);
            node.stdout_line(" pub ");
            running.push(node);
        } else if line.contains(" sub ") {
            let mut subscriber = Process::start(&mut shell(&format!("exec {}", line.replace(PORT, &port))));
            subscriber.stderr_line("subscribed to");
            running.push(subscriber);
        } else {
            let finished = Process::start(&mut shell(&line.replace(PORT, &port))).finish();
            assert_eq!(finished.status, Some(0), "{line}: {}{}", finished.stdout, finished.stderr);
        }
    }
    assert!(!running.is_empty(), "a node is among {commands:?}");
}

fn shell(home: &Path, programs: &Path, line: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", line]).current_dir(home).env_clear().env("HOME", home).env("PATH", programs);
    command
}

#[test]
fn the_readme_without_certificates() {
    let commands = commands(README, "Over a network, in two minutes", "and one that other machines reach");
    assert_eq!(commands.len(), 2, "{commands:?}");
    run(&commands);
}

#[test]
fn the_readme_with_certificates() {
    let commands = commands(README, "and one that other machines reach", "## In a program");
    assert_eq!(commands.len(), 5, "{commands:?}");
    run(&commands);
}

#[test]
fn the_guide_on_one_machine() {
    let commands = commands(GUIDE, "## On one machine, without certificates", "## Certificates in three");
    assert_eq!(commands.len(), 3, "{commands:?}");
    run(&commands);
}

#[test]
fn the_guide_with_certificates() {
    let commands = commands(GUIDE, "## Certificates in three commands", "## Two machines");
    assert_eq!(commands.len(), 5, "{commands:?}");
    run(&commands);
}
