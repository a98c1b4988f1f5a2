//! The command as a process, where no node is needed.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// The command with nothing of this machine's in its environment.
fn mesh(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mesh"));
    command.env_clear().env("HOME", home).env("XDG_RUNTIME_DIR", home).stdin(Stdio::null());
    command
}

fn run(home: &Path, line: &str) -> Output {
    mesh(home).args(line.split(' ')).output().expect("the command starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("the command writes UTF-8")
}

#[test]
fn statuses_and_where_things_are_written() {
    let home = tempfile::tempdir().unwrap();
    // Line, exit status, part of standard output, part of standard error; `-` for nothing at all.
    let table = [
        ("--help", 0, "mesh demo", "-"),
        ("--version", 0, "mesh 0.", "-"),
        ("pub --help", 0, "Examples:", "-"),
        ("bench request --help", 0, "--window", "-"),
        (
            "pub",
            2,
            "-",
            "error[MESH-5050]: the following required arguments were not provided: <SUBJECT>\ncause: ",
        ),
        ("pub a --json", 5, "-", "{\"error\":{"),
        ("nonsense", 2, "-", "\nhint: "),
        ("sub a..b", 2, "-", "error[MESH-2001]: "),
        ("pub $mesh.x y", 2, "-", "error[MESH-2004]: "),
        ("pub a.* y", 2, "-", "error[MESH-2005]: "),
        ("pub a y --lines", 2, "-", "error[MESH-5050]: --lines takes the bodies from standard input"),
        (
            "register append r y --lines",
            2,
            "-",
            "error[MESH-5050]: --lines takes the records from standard input",
        ),
        ("register create Not.A.Name", 2, "-", "error[MESH-2010]: \"Not.A.Name\" is no name for a register"),
        ("register read r --from 0", 2, "-", "error[MESH-5050]: "),
        ("register", 2, "-", "mesh register read audit"),
        ("group ls --json", 5, "-", "{\"error\":{"),
        ("--url localhost pub a y", 2, "-", "error[MESH-5040]: --url names no node"),
        ("--url tcp://localhost:1 pub a y", 2, "-", "error[MESH-5041]: "),
        ("--url quic://localhost:1 pub a y", 5, "-", "error[MESH-5002]: "),
        ("--url tls://localhost:1 pub a y", 5, "-", "error[MESH-5002]: "),
        ("--url quic://192.0.2.1:7400 pub a y", 2, "-", "error[MESH-6058]: "),
        ("--url quic://localhost:1 --certs /nonexistent pub a y", 2, "-", "error[MESH-6020]: "),
        ("--url quic://localhost:1 --cert c.pem pub a y", 2, "-", "error[MESH-5050]: c.pem has no key"),
        ("--url quic://localhost:1 --certs d --ca f pub a y", 2, "-", "error[MESH-6024]: "),
        ("--context nowhere pub a y", 2, "-", "error[MESH-5042]: there is no context \"nowhere\""),
        ("explain 1042", 0, "# MESH-1042: No responders", "-"),
        ("explain no_responders", 0, "# MESH-1042: No responders", "-"),
        ("explain 1", 2, "-", "error[MESH-5053]: there is no error code \"1\""),
        ("explain --list", 0, "MESH-1042  no_responders", "-"),
        ("completions bash", 0, "_mesh()", "-"),
        ("completions zsh", 0, "#compdef mesh", "-"),
        ("context ls", 0, "-", "there are no contexts yet"),
        ("context show", 2, "-", "error[MESH-5050]: there is no current context"),
        ("context add a.B --url unix:///x", 2, "-", "error[MESH-2010]: \"a.B\" is no name"),
        ("context add a", 2, "-", "error[MESH-5050]: a context needs an address"),
    ];
    for (line, status, stdout, stderr) in table {
        let output = run(home.path(), line);
        assert_eq!(output.status.code(), Some(status), "{line}: {}", text(&output.stderr));
        for (got, want) in [(text(&output.stdout), stdout), (text(&output.stderr), stderr)] {
            if want == "-" {
                assert_eq!(got, "", "{line}");
            } else {
                assert!(got.contains(want), "{line}: {want:?} is not in {got:?}");
            }
        }
    }
}

#[test]
fn without_an_argument_the_help_is_no_data() {
    let home = tempfile::tempdir().unwrap();
    let output = mesh(home.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stdout), "");
    assert!(text(&output.stderr).contains("Usage: mesh"));
}

#[test]
fn without_a_node_the_places_are_named() {
    let home = tempfile::tempdir().unwrap();
    let output = run(home.path(), "request a");
    assert_eq!(output.status.code(), Some(5));
    let stderr = text(&output.stderr);
    assert!(stderr.starts_with("error[MESH-5001]: "), "{stderr}");
    let socket = home.path().join("nothing.sock");
    let output = run(home.path(), &format!("--url unix://{} sub a", socket.display()));
    assert_eq!(output.status.code(), Some(5));
    assert!(text(&output.stderr).contains("nothing.sock"));
}

#[test]
fn a_socket_that_nobody_listens_on_is_told() {
    let home = tempfile::tempdir().unwrap();
    let socket = home.path().join("dead.sock");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let output = run(home.path(), &format!("--url unix://{} request a", socket.display()));
    assert_eq!(output.status.code(), Some(5));
    assert!(text(&output.stderr).starts_with("error[MESH-5002]: "), "{}", text(&output.stderr));
}

#[test]
fn a_node_that_says_nothing_is_not_waited_for_forever() {
    let home = tempfile::tempdir().unwrap();
    let socket = home.path().join("mute.sock");
    let _mute = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let output = run(home.path(), &format!("--url unix://{} --timeout 50ms request a", socket.display()));
    assert_eq!(output.status.code(), Some(5), "{}", text(&output.stderr));
}

#[test]
fn errors_are_json_when_that_was_asked_for() {
    let home = tempfile::tempdir().unwrap();
    for line in ["explain 1 --json", "pub --json", "--json sub a..b", "context show --json"] {
        let output = run(home.path(), line);
        let error: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
        let error = &error["error"];
        assert!(error["code"].as_str().unwrap().starts_with("MESH-"), "{line}");
        for field in ["name", "kind", "message", "cause", "hint"] {
            assert!(!error[field].as_str().unwrap().is_empty(), "{line}: {field}");
        }
        assert_eq!(error["exit"], output.status.code().unwrap(), "{line}");
        assert_eq!(text(&output.stdout), "", "{line}");
    }
    // Behind `--` it is a body and no option.
    let output = run(home.path(), "pub a..b -- --json");
    assert!(text(&output.stderr).starts_with("error[MESH-2001]"));
}

#[test]
fn every_code_is_listed_and_explained() {
    let home = tempfile::tempdir().unwrap();
    let output = run(home.path(), "explain --list --json");
    let codes: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert!(codes.len() > 50);
    let one = codes[codes.len() / 2]["code"].as_str().unwrap();
    let output = run(home.path(), &format!("explain {one} --json"));
    let page: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(page["code"], one);
    assert!(page["explanation"].as_str().unwrap().len() > 20);
}

#[test]
fn contexts_from_the_command_line() {
    let home = tempfile::tempdir().unwrap();
    let done = |line: &str| {
        let output = run(home.path(), line);
        assert_eq!(output.status.code(), Some(0), "{line}: {}", text(&output.stderr));
        text(&output.stdout).to_owned()
    };
    done("context add dev --url unix:///tmp/dev.sock");
    let add = [
        "context",
        "add",
        "prod",
        "--url",
        "unix:///run/p.sock",
        "--with-token",
        "--description",
        "the real one",
    ];
    let output = mesh(home.path()).args(add).env("MESH_TOKEN", "secret").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));

    let listed = done("context ls");
    let lines: Vec<&str> = listed.lines().collect();
    assert_eq!(
        lines[0].split_whitespace().collect::<Vec<_>>(),
        ["NAME", "CARRIER", "URL", "CERTIFICATES", "DESCRIPTION"]
    );
    assert_eq!(lines[1].split_whitespace().collect::<Vec<_>>(), ["*", "dev", "unix", "unix:///tmp/dev.sock"]);
    assert!(lines[2].contains("prod") && lines[2].ends_with("the real one"), "{listed}");

    done("context use prod");
    assert!(!done("context show").contains("secret"));
    assert!(!done("context show --json").contains("secret"));
    assert!(done("context show --with-token").contains("secret"));
    let file = home.path().join(".config/mesh/contexts.toml");
    assert!(fs::read_to_string(&file).unwrap().contains("current = \"prod\""));
    // The current context is the node that is meant.
    assert!(text(&run(home.path(), "request a").stderr).contains("/run/p.sock"));

    done("context rm prod");
    assert_eq!(run(home.path(), "context show prod").status.code(), Some(2));
    assert_eq!(run(home.path(), "context use prod").status.code(), Some(2));
    let all: serde_json::Value = serde_json::from_str(&done("context ls --json")).unwrap();
    assert_eq!(all.as_array().unwrap().len(), 1);
    assert_eq!(all[0]["current"], false);
}

#[test]
fn colours_only_where_they_are_wanted() {
    let home = tempfile::tempdir().unwrap();
    let coloured = |name: &str, value: &str| {
        let output = mesh(home.path()).args(["explain", "1"]).env(name, value).output().unwrap();
        text(&output.stderr).contains('\u{1b}')
    };
    assert!(!coloured("TERM", "xterm"));
    assert!(coloured("CLICOLOR_FORCE", "1"));
    let output = mesh(home.path())
        .args(["explain", "1"])
        .envs([("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")])
        .output()
        .unwrap();
    assert!(!text(&output.stderr).contains('\u{1b}'), "NO_COLOR wins");
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let home = tempfile::tempdir().unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output =
        mesh(home.path()).args(["explain", "--list"]).stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
}

#[test]
fn output_that_cannot_be_written_is_an_error() {
    let home = tempfile::tempdir().unwrap();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output =
        mesh(home.path()).args(["explain", "--list"]).stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).starts_with("error[MESH-5052]: "));
}

#[test]
fn a_body_over_the_limit_is_refused_before_anything_is_sent() {
    let home = tempfile::tempdir().unwrap();
    let mut child = mesh(home.path())
        .args(["pub", "a", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let part = vec![0; 1 << 20];
    // It stops reading once there is too much.
    for _ in 0..65 {
        if stdin.write_all(&part).is_err() {
            break;
        }
    }
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(text(&output.stderr).starts_with("error[MESH-1023]: "), "{}", text(&output.stderr));
}

#[test]
fn a_command_that_waits_for_input_can_be_ended() {
    let home = tempfile::tempdir().unwrap();
    for (line, status) in [("pub a -", 130), ("request a -", 143)] {
        let mut child = mesh(home.path()).args(line.split(' ')).stdin(Stdio::piped()).spawn().unwrap();
        // More than a pipe holds: once it is taken, the command reads.
        // Kept open until the end, which `wait` would not do: the end of the input is another way to go on.
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(&vec![b'x'; 1 << 20]).unwrap();
        let signal = if status == 130 { Signal::INT } else { Signal::TERM };
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(status), "{line}");
        drop(stdin);
    }
}
