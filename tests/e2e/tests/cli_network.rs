//! `mesh` over QUIC and TLS: without certificates on loopback, with those of `mesh cert`, and every refusal by its code.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use mesh_e2e::{
    Authority, CLUSTER, Certificates, Finished, NodeBuilder, Process, RunningNode, Subject, Validity,
    program, wait_until,
};
use rustix::process::Signal;
use serde_json::{Value, json};

const SCHEMES: [&str; 2] = ["quic", "tls"];

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("one JSON value")
}

/// `mesh` in `dir`, with nothing of this machine's in its environment.
fn command(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program("mesh-cli", "mesh"));
    command.args(arguments).current_dir(dir).env_clear().env("HOME", dir);
    command
}

fn mesh(dir: &Path, arguments: &[&str]) -> Finished {
    Process::start(&mut command(dir, arguments)).finish()
}

/// Runs a command that has to succeed; its standard output.
fn done(dir: &Path, arguments: &[&str]) -> String {
    let finished = mesh(dir, arguments);
    assert_eq!(finished.status, Some(0), "{arguments:?}: {}{}", finished.stdout, finished.stderr);
    finished.stdout
}

fn insecure() -> RunningNode {
    let loopback: SocketAddr = "127.0.0.1:0".parse().unwrap();
    NodeBuilder::default().listen(loopback).arg("--insecure-loopback").start()
}

/// A directory with an authority, a node and services by `mesh cert`, and a node that uses it.
fn certified(services: &[&str]) -> (tempfile::TempDir, RunningNode) {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    done(dir, &["cert", "init", "certs", "--cluster", "dev"]);
    done(dir, &["cert", "issue", "certs", "--node", "n1"]);
    for name in services {
        done(dir, &["cert", "issue", "certs", "--service", name]);
    }
    done(dir, &["cert", "token", "certs", "--service", "any"]);
    let certs = dir.join("certs");
    let node = NodeBuilder::default()
        .listen("127.0.0.1:0".parse().unwrap())
        .arg("--node")
        .arg("n1")
        .arg("--cluster")
        .arg("dev")
        .arg("--certs")
        .arg(certs.display().to_string())
        .arg("--client-tokens")
        .arg(certs.join("jwks.json").display().to_string())
        .start();
    (home, node)
}

fn url(scheme: &str, node: &RunningNode) -> String {
    format!("{scheme}://localhost:{}", node.network().port())
}

#[test]
fn a_laptop_needs_no_certificate() {
    let node = insecure();
    let home = tempfile::tempdir().unwrap();
    for scheme in SCHEMES {
        let url = format!("{scheme}://{}", node.network());
        let url = url.as_str();
        let mut subscriber = Process::start(&mut command(
            home.path(),
            &["--url", url, "sub", "a.>", "--count", "2", "--json"],
        ));
        subscriber.stderr_line("subscribed to");
        done(home.path(), &["--url", url, "pub", "a.b", "hello", "--count", "2"]);
        let came = subscriber.finish();
        assert_eq!((came.status, came.stdout.matches("hello").count()), (Some(0), 2), "{}", came.stderr);

        let mut responder = Process::start(&mut command(
            home.path(),
            &["--url", url, "reply", "echo.it", "--echo", "--count", "1"],
        ));
        responder.stderr_line("answering on");
        assert_eq!(done(home.path(), &["--url", url, "request", "echo.it", "again"]), "again\n");
        assert_eq!(responder.finish().status, Some(0));

        let links = parsed(&done(home.path(), &["--url", url, "node", "links", "--json"]));
        assert_eq!((&links[0]["carrier"], links.as_array().unwrap().len()), (&json!(scheme), 1), "{links}");
        assert!(links[0]["identity"].as_str().unwrap().starts_with("loopback:127.0.0.1:"), "{links}");
        let checked = done(home.path(), &["--url", url, "check"]);
        assert!(checked.contains("--insecure-loopback") && !checked.contains('×'), "{checked}");
        done(home.path(), &["--url", url, "demo"]);
    }
}

#[test]
fn certificates_of_mesh_cert_on_both_sides() {
    let (home, node) = certified(&["orders"]);
    let dir = home.path();
    for scheme in SCHEMES {
        let url = url(scheme, &node);
        let with = |rest: &[&str]| done(dir, &[&["--url", &url, "--certs", "certs"], rest].concat());
        let links = parsed(&with(&["node", "links", "--json"]));
        assert_eq!(links[0]["identity"], "spiffe://dev/service/orders");
        assert!(links[0]["certificate_not_after"].is_string(), "{links}");
        let listed = with(&["node", "links"]);
        assert!(listed.contains("spiffe://dev/service/orders") && listed.contains(scheme), "{listed}");
        let checked = with(&["check"]);
        assert!(!checked.contains('×') && !checked.contains('‼'), "{checked}");
        assert!(checked.contains("as spiffe://dev/service/orders"), "{checked}");
        // File by file.
        let (ca, cert, key) = ("certs/ca.pem", "certs/service-orders.pem", "certs/service-orders.key");
        done(dir, &["--url", &url, "--ca", ca, "--cert", cert, "--cert-key", key, "node", "info"]);
        let finished = Process::start(
            command(dir, &["node", "info"])
                .env("MESH_URL", &url)
                .env("MESH_CA", ca)
                .env("MESH_CERT", cert)
                .env("MESH_KEY", key),
        );
        assert_eq!(finished.finish().status, Some(0));
    }
}

#[test]
fn a_context_keeps_addresses_and_certificates() {
    let (home, node) = certified(&["orders", "mail"]);
    let dir = home.path();
    let urls = format!("{},{}", url("quic", &node), url("tls", &node));
    let add = ["context", "add", "prod", "--url", &urls, "--certs", "certs", "--identity", "mail"];
    done(dir, &add);
    // From wherever it is called.
    let elsewhere = tempfile::tempdir().unwrap();
    let mut called = command(elsewhere.path(), &["--context", "prod", "node", "links", "--json"]);
    let finished = Process::start(called.env("HOME", dir)).finish();
    assert_eq!(parsed(&finished.stdout)[0]["identity"], "spiffe://dev/service/mail", "{}", finished.stderr);
    // What the context keeps goes before the environment, an option before both.
    let mut called = command(dir, &["node", "links", "--json"]);
    let finished = Process::start(called.env("MESH_CERTS", "/nonexistent")).finish();
    assert_eq!(finished.status, Some(0), "{}", finished.stderr);
    let other = parsed(&done(dir, &["--identity", "orders", "node", "links", "--json"]));
    assert_eq!(other[0]["identity"], "spiffe://dev/service/orders");
    let checked = done(dir, &["check"]);
    for carrier in ["connected to quic://", "connected to tls://"] {
        assert!(checked.contains(carrier), "{checked}");
    }
    let listed = done(dir, &["context", "ls"]);
    assert!(listed.contains("quic,tls") && listed.contains("(mail)"), "{listed}");
}

#[test]
fn a_token_instead_of_a_certificate() {
    let (home, node) = certified(&[]);
    let dir = home.path();
    let token = |arguments: &[&str]| {
        done(dir, &[&["cert", "token", "certs", "--service", "robot"], arguments].concat()).trim().to_owned()
    };
    for scheme in SCHEMES {
        let url = url(scheme, &node);
        let with = |token: &str| {
            let mut command =
                command(dir, &["--url", &url, "--ca", "certs/ca.pem", "node", "links", "--json"]);
            Process::start(command.env("MESH_TOKEN", token)).finish()
        };
        let links = parsed(&with(&token(&[])).stdout);
        assert_eq!(links[0]["identity"], "spiffe://dev/service/robot", "{links}");
        assert!(links[0]["token_expires"].is_string(), "{links}");
        for (token, code) in [
            ("nonsense".to_owned(), "MESH-6031"),
            (token(&["--audience", "elsewhere"]), "MESH-6035"),
            (token(&[]).rsplit_once('.').unwrap().0.to_owned() + ".AAAA", "MESH-6034"),
        ] {
            let refused = with(&token);
            let error = &parsed(&refused.stderr)["error"];
            assert_eq!((refused.status, &error["code"]), (Some(6), &json!(code)), "{scheme}: {error}");
            assert!(!refused.stderr.contains(&token), "a token is never printed: {}", refused.stderr);
        }
    }
}

/// Asserts that a command ends with this code and exit status, whatever carries the link.
fn refused(dir: &Path, node: &RunningNode, host: &str, options: &[&str], code: &str, status: i32) {
    for scheme in SCHEMES {
        let url = format!("{scheme}://{host}:{}", node.network().port());
        let finished = mesh(dir, &[&["--url", &url], options, &["request", "a"]].concat());
        let begin = format!("error[{code}]: ");
        assert!(finished.stderr.starts_with(&begin), "{url} {options:?}: {}", finished.stderr);
        assert_eq!(finished.status, Some(status), "{url} {options:?}: {}", finished.stderr);
        let lines: Vec<&str> = finished.stderr.lines().collect();
        assert!(lines.len() >= 3 && lines[1].starts_with("cause: "), "{}", finished.stderr);
        assert!(lines.iter().any(|line| line.starts_with("hint: ")), "{}", finished.stderr);
    }
}

#[test]
fn each_refusal_has_its_code() {
    let (authority, certificates) = Certificates::of("n1", &["orders"]);
    let revoked = authority.issue(Subject::Service("revoked"), Validity::Now);
    certificates.put_revoked(&authority.revoke(&[&revoked]));
    let node = NodeBuilder::default().with_certificates("n1", &certificates).start();
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    let certs = certificates.path().display().to_string();
    let ca = certificates.file("ca.pem").display().to_string();

    let nobody = "192.0.2.1";
    refused(dir, &node, nobody, &[], "MESH-6058", 2);
    refused(dir, &node, "localhost", &[], "MESH-6001", 6);
    refused(dir, &node, "localhost", &["--ca", &ca], "MESH-6001", 6);
    let (tokens, takes_tokens) = certified(&[]);
    refused(tokens.path(), &takes_tokens, "localhost", &["--ca", "certs/ca.pem"], "MESH-6030", 6);
    refused(dir, &node, "127.0.0.1", &["--certs", &certs, "--identity", "nobody"], "MESH-6023", 2);
    // Another authority: the node is not trusted here, this client is not trusted there.
    let other = Authority::new("other");
    let strangers = Certificates::trusting(&[&other]);
    strangers.put_service("orders", &other.issue(Subject::Service("orders"), Validity::Now));
    refused(dir, &node, "localhost", &["--certs", &strangers.path().display().to_string()], "MESH-6002", 6);
    strangers.trust(&[&authority, &other]);
    refused(dir, &node, "localhost", &["--certs", &strangers.path().display().to_string()], "MESH-6002", 6);

    // The certificate is for localhost and 127.0.0.1.
    let elsewhere = "127.0.0.2:0".parse().unwrap();
    let other = NodeBuilder::default().with_certificates("n1", &certificates).listen(elsewhere).start();
    refused(dir, &other, "127.0.0.2", &["--certs", &certs], "MESH-6006", 6);

    let table = [
        (Subject::Service("late"), Validity::Over, "MESH-6003"),
        (Subject::Service("early"), Validity::Later, "MESH-6004"),
        (Subject::Node("n2"), Validity::Now, "MESH-6009"),
        (Subject::Uri("spiffe://elsewhere/service/orders"), Validity::Now, "MESH-6010"),
        (Subject::Uri("https://example.org/orders"), Validity::Now, "MESH-6008"),
    ];
    for (subject, validity, code) in table {
        let issued = authority.issue(subject, validity);
        let own = Certificates::trusting(&[&authority]);
        own.put("c.pem", &issued.certificate);
        own.put("c.key", &issued.key);
        let [cert, key] = ["c.pem", "c.key"].map(|name| own.file(name).display().to_string());
        refused(dir, &node, "localhost", &["--ca", &ca, "--cert", &cert, "--cert-key", &key], code, 6);
    }
    let own = Certificates::trusting(&[&authority]);
    own.put("c.pem", &revoked.certificate);
    own.put("c.key", &revoked.key);
    let [cert, key] = ["c.pem", "c.key"].map(|name| own.file(name).display().to_string());
    refused(dir, &node, "localhost", &["--ca", &ca, "--cert", &cert, "--cert-key", &key], "MESH-6005", 6);
    // Files that are cut off or swapped.
    own.put("c.pem", &revoked.certificate[..revoked.certificate.len() / 2]);
    refused(dir, &node, "localhost", &["--ca", &ca, "--cert", &cert, "--cert-key", &key], "MESH-6021", 2);
    own.put("c.pem", &authority.issue(Subject::Service("orders"), Validity::Now).certificate);
    refused(dir, &node, "localhost", &["--ca", &ca, "--cert", &cert, "--cert-key", &key], "MESH-6022", 2);
    // Nobody of them did any harm.
    for scheme in SCHEMES {
        done(dir, &["--url", &url(scheme, &node), "--certs", &certs, "check"]);
    }
}

#[test]
fn a_check_says_what_is_wrong_and_where_to_read_on() {
    let (home, node) = certified(&["orders", "mail"]);
    let dir = home.path();
    let url = url("quic", &node);
    let checked = |arguments: &[&str]| {
        let finished = mesh(dir, &[&["--url", &url, "check"], arguments].concat());
        assert_eq!(finished.status, Some(1), "{}", finished.stdout);
        finished.stdout
    };
    let several = checked(&["--certs", "certs"]);
    assert!(several.contains("docs/reference/errors/MESH-6024.md"), "{several}");
    let unknown = checked(&["--ca", "certs/ca.pem"]);
    assert!(unknown.contains("docs/reference/errors/MESH-6030.md"), "{unknown}");
    // One address that works is enough, and the other one is told.
    let urls = format!("{url},tls://localhost:1");
    let finished = mesh(dir, &["--url", &urls, "check", "--certs", "certs", "--identity", "mail"]);
    assert_eq!(finished.status, Some(0), "{}", finished.stdout);
    assert!(
        finished.stdout.contains("‼ ") && finished.stdout.contains("MESH-5002.md"),
        "{}",
        finished.stdout
    );
}

#[test]
fn a_node_without_certificates_stays_on_this_machine() {
    let home = tempfile::tempdir().unwrap();
    let started = |arguments: &[&str]| {
        let mut command = Command::new(program("mesh-node", "mesh-node"));
        command
            .env_clear()
            .current_dir(home.path())
            .args(["--data", "d", "--socket", "m.sock", "--http", "off"]);
        Process::start(command.args(arguments)).finish()
    };
    for (arguments, code) in [
        (&["--listen", "0.0.0.0:0", "--insecure-loopback"][..], "MESH-4025"),
        (&["--listen", "[::]:0", "--insecure-loopback"], "MESH-4025"),
        (&["--listen", "192.0.2.1:7400", "--insecure-loopback"], "MESH-4025"),
        (&["--listen", "127.0.0.1:0"], "MESH-4026"),
        (&["--listen", "127.0.0.1:0", "--certs", "nowhere"], "MESH-6020"),
    ] {
        let finished = started(arguments);
        assert!(finished.stderr.contains(&format!("error[{code}]: ")), "{arguments:?}: {}", finished.stderr);
        assert!(finished.status.is_some_and(|status| status != 0), "{arguments:?}");
    }
}

#[test]
fn nodes_list_their_peers() {
    let authority = Authority::new("authority");
    let certificates = Certificates::trusting(&[&authority]);
    // An address that no other process of the tests has.
    let [_, high, middle, low] = std::process::id().to_be_bytes();
    let places = [7_411, 7_412, 7_413].map(|port| SocketAddr::from(([127, high + 1, middle, low], port)));
    let start = |name: &str, place: SocketAddr| {
        certificates.put_node(name, &authority.issue(Subject::Node(name), Validity::Now));
        let everybody = places.map(|place| place.to_string()).join(",");
        let mut builder = NodeBuilder::default();
        let certs = certificates.path().display().to_string();
        for (flag, value) in [
            ("--node", name),
            ("--cluster", CLUSTER),
            ("--certs", &certs),
            ("--peer-listen", &place.to_string()),
            ("--discovery", &format!("static:{everybody}")),
        ] {
            builder = builder.arg(flag).arg(value);
        }
        builder.start()
    };
    // The third one never comes.
    let (first, _second) = (start("n1", places[0]), start("n2", places[1]));
    let listed = || parsed(&first.mesh(&["node", "ls", "--json"]).stdout);
    let is_up = |nodes: &Value| nodes.as_array().unwrap().iter().any(|node| node["state"] == "up");
    wait_until("the two have a link", || is_up(&listed()));
    let nodes = listed();
    assert_eq!(nodes[0]["name"], "n1", "{nodes}");
    let names: Vec<&str> =
        nodes.as_array().unwrap().iter().filter_map(|node| node["name"].as_str()).collect();
    assert_eq!(names, ["n1", "n2"], "{nodes}");
    let shown = first.mesh(&["node", "ls"]).stdout;
    let row =
        |text: &str| shown.lines().find(|line| line.contains(text)).unwrap_or_else(|| panic!("{shown}"));
    assert!(row("n2").contains(" up ") && row("n2").contains("quic"), "{shown}");
    assert!(row(&places[2].to_string()).contains("MESH-"), "why there is no link: {shown}");
    assert!(!shown.contains("self"), "{shown}");
}

#[test]
fn when_a_node_is_killed_the_next_address_is_taken() {
    let (first, second) = (insecure(), insecure());
    let home = tempfile::tempdir().unwrap();
    let urls = format!("quic://{},tls://{}", first.network(), second.network());
    let mut subscriber =
        Process::start(&mut command(home.path(), &["--url", &urls, "sub", "a", "--count", "1"]));
    subscriber.stderr_line("subscribed to");
    first.signal(Signal::KILL);
    subscriber.stderr_line("connected to node");
    // Told only once the subscription is there again.
    done(home.path(), &["--url", &format!("quic://{}", second.network()), "pub", "a", "still here"]);
    let finished = subscriber.finish();
    assert_eq!(finished.status, Some(0), "{}", finished.stderr);
    assert!(finished.stdout.contains("still here"), "{}", finished.stdout);
    // And at once by whoever comes later.
    done(home.path(), &["--url", &urls, "--timeout", "20s", "node", "info"]);
}

#[test]
fn a_revoked_certificate_ends_a_live_link() {
    let (home, node) = certified(&["orders"]);
    let dir = home.path();
    for scheme in SCHEMES {
        let url = url(scheme, &node);
        let line = ["--url", &url, "--certs", "certs", "sub", "a"];
        let mut subscriber = Process::start(&mut command(dir, &line));
        subscriber.stderr_line("subscribed to");
        done(dir, &["cert", "revoke", "certs", "--service", "orders"]);
        subscriber.stderr_line("MESH-6005");
        subscriber.signal(Signal::TERM);
        assert_eq!(subscriber.finish().status, Some(143));
        // A new one in its place is let in.
        done(dir, &["cert", "issue", "certs", "--service", "orders", "--force"]);
        done(dir, &["--url", &url, "--certs", "certs", "node", "info"]);
    }
}

#[test]
fn the_steps_of_a_rotation_in_the_guide() {
    let (home, node) = certified(&["orders"]);
    let dir = home.path();
    let url = url("quic", &node);
    let line = ["--url", &url, "--certs", "certs", "sub", "a", "--count", "1"];
    let mut subscriber = Process::start(&mut command(dir, &line));
    subscriber.stderr_line("subscribed to");
    let old = std::fs::read_to_string(dir.join("certs/ca.pem")).unwrap();
    done(dir, &["cert", "rotate", "certs"]);
    done(dir, &["cert", "issue", "certs", "--node", "n1", "--force"]);
    done(dir, &["cert", "issue", "certs", "--service", "orders", "--force"]);
    // The old one goes out of the bundle, which the new one leads.
    let bundle = std::fs::read_to_string(dir.join("certs/ca.pem")).unwrap();
    let new = bundle.strip_suffix(&old).expect("the old CA is behind the new one");
    std::fs::write(dir.join("certs/ca.pem"), new).unwrap();
    // Until the node has read its files again it shows a certificate that nobody here trusts any more.
    let works = || mesh(dir, &["--url", &url, "--certs", "certs", "node", "info"]).status == Some(0);
    wait_until("the node has its new certificate", works);
    done(dir, &["--url", &url, "--certs", "certs", "pub", "a", "hello"]);
    let finished = subscriber.finish();
    assert_eq!(finished.status, Some(0), "{}", finished.stderr);
    assert!(!finished.stderr.contains("connection was lost"), "live links go on: {}", finished.stderr);
}
