//! `mesh cert` as a process, in a directory of its own.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The command in `dir`, with nothing of this machine's in its environment.
fn mesh(dir: &Path, line: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mesh"))
        .args(line.split(' '))
        .current_dir(dir)
        .env_clear()
        .env("HOME", dir)
        .stdin(Stdio::null())
        .output()
        .expect("the command starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("the command writes UTF-8")
}

/// Runs a command that has to succeed; what it wrote to standard output.
fn done(dir: &Path, line: &str) -> String {
    let output = mesh(dir, line);
    assert_eq!(output.status.code(), Some(0), "{line}: {}", text(&output.stderr));
    text(&output.stdout).to_owned()
}

fn json(dir: &Path, line: &str) -> Value {
    serde_json::from_str(&done(dir, &format!("{line} --json"))).expect("one JSON value")
}

/// Asserts that a command is refused with this code, exit status 2, and this in what it says.
fn refused(dir: &Path, line: &str, code: &str, said: &str) {
    let output = mesh(dir, line);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{line}: {stderr}");
    assert!(stderr.starts_with(&format!("error[{code}]: ")), "{line}: {stderr}");
    assert!(stderr.contains(said), "{line}: {said:?} is not in {stderr}");
    assert!(stderr.contains("\nhint: "), "{line}: {stderr}");
    assert_eq!(text(&output.stdout), "", "{line}");
}

/// A directory with a CA, a node and a service.
fn issued() -> TempDir {
    let home = tempfile::tempdir().expect("a temporary directory");
    done(home.path(), "cert init certs --cluster dev");
    done(home.path(), "cert issue certs --node n1 --name a.example --name 192.0.2.7");
    done(home.path(), "cert issue certs --service orders");
    home
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("the file is there").permissions().mode() & 0o777
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).expect("the directory is there");
    let name = |entry: std::io::Result<fs::DirEntry>| {
        entry.expect("an entry").file_name().into_string().expect("names are ASCII")
    };
    let mut names: Vec<String> = entries.map(name).collect();
    names.sort();
    names
}

#[test]
fn what_is_written_and_who_may_read_it() {
    let home = issued();
    let certs = home.path().join("certs");
    let all = ["ca.key", "ca.pem", "node-n1.key", "node-n1.pem", "service-orders.key", "service-orders.pem"];
    assert_eq!(names(&certs), all);
    for name in all {
        let want = if name.ends_with(".key") { 0o600 } else { 0o644 };
        assert_eq!(mode(&certs.join(name)), want, "{name}");
    }
}

#[test]
fn what_was_written_is_told_with_what_to_type_next() {
    let home = tempfile::tempdir().unwrap();
    let output = mesh(home.path(), "cert init certs --cluster dev");
    assert!(text(&output.stdout).contains("certs/ca.pem"), "{}", text(&output.stdout));
    assert!(
        text(&output.stderr).contains("next: mesh cert issue certs --node ID"),
        "{}",
        text(&output.stderr)
    );
    let output = mesh(home.path(), "cert issue certs --node n1");
    assert!(text(&output.stdout).contains("spiffe://dev/node/n1"), "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains("next: mesh-node --node n1 --cluster dev --listen"));
    let issued = json(home.path(), "cert issue certs --service orders");
    assert_eq!(issued["identity"], "spiffe://dev/service/orders");
    assert_eq!(issued["certificate"], "certs/service-orders.pem");
    assert_eq!(issued["key"], "certs/service-orders.key");
    assert!(issued["not_after"].as_str().unwrap().ends_with('Z'));
    // The contents of a key are nowhere.
    let key = fs::read_to_string(home.path().join("certs/service-orders.key")).unwrap();
    let secret = key.lines().nth(1).unwrap();
    for line in ["cert show certs/service-orders.pem", "cert issue certs --service orders --force"] {
        let output = mesh(home.path(), line);
        assert!(!text(&output.stdout).contains(secret) && !text(&output.stderr).contains(secret), "{line}");
    }
}

#[test]
fn a_certificate_for_programs() {
    let home = issued();
    let shown = json(home.path(), "cert show certs/node-n1.pem");
    let node = &shown[0];
    assert_eq!(shown.as_array().unwrap().len(), 1);
    assert_eq!(node["identity"], "spiffe://dev/node/n1");
    assert_eq!(node["uris"], serde_json::json!(["spiffe://dev/node/n1"]));
    assert_eq!(node["state"], "valid");
    assert_eq!(node["is_ca"], false);
    assert_eq!(node["dns_names"], serde_json::json!(["a.example", "localhost"]));
    assert_eq!(node["ip_addresses"], serde_json::json!(["192.0.2.7", "127.0.0.1", "::1"]));
    let left = node["seconds_left"].as_i64().unwrap();
    assert!((89 * 86_400..=90 * 86_400).contains(&left), "90 days: {left}");
    let ca = &json(home.path(), "cert show certs/ca.pem")[0];
    assert_eq!((&ca["is_ca"], &ca["identity"]), (&Value::Bool(true), &Value::Null));
    assert_eq!(ca["subject"], node["issuer"]);
    // Dated back by a day.
    let service = &json(home.path(), "cert issue certs --service short --validity 1h")["not_after"];
    let short = &json(home.path(), "cert show certs/service-short.pem")[0];
    assert_eq!(&short["not_after"], service);
    assert!(short["seconds_left"].as_i64().unwrap() <= 3_600);
    assert_ne!(short["not_before"].as_str().unwrap()[..10], short["not_after"].as_str().unwrap()[..10]);
}

#[test]
fn a_certificate_for_people() {
    let home = issued();
    let shown = done(home.path(), "cert show certs/node-n1.pem");
    let line = |name: &str| {
        let line = shown.lines().find(|line| line.starts_with(name));
        line.unwrap_or_else(|| panic!("no {name} in {shown}")).to_owned()
    };
    assert!(line("identity").ends_with("spiffe://dev/node/n1"));
    assert!(line("names").ends_with("a.example, localhost, 192.0.2.7, 127.0.0.1, ::1"), "{}", line("names"));
    assert!(line("state").contains("valid for 2months 2"), "{}", line("state"));
    assert!(line("usage").contains("serverAuth"), "{}", line("usage"));
    let ca = done(home.path(), "cert show certs/ca.pem");
    assert!(ca.contains("it is a certificate authority") && ca.contains("itself"), "{ca}");
}

#[test]
fn nothing_is_overwritten_unasked() {
    let home = issued();
    let dir = home.path();
    let read = |name: &str| fs::read(dir.join("certs").join(name)).unwrap();
    for (line, name, said) in [
        ("cert init certs --cluster other", "ca.pem", "mesh cert rotate certs"),
        ("cert issue certs --node n1", "node-n1.pem", "--force"),
        (
            "cert issue certs --service orders",
            "service-orders.pem",
            "mesh cert show certs/service-orders.pem",
        ),
    ] {
        let before = read(name);
        refused(dir, line, "MESH-6026", said);
        assert_eq!(read(name), before, "{line}");
        done(dir, &format!("{line} --force"));
        assert_ne!(read(name), before, "{line}");
    }
    assert_eq!(mode(&dir.join("certs/node-n1.key")), 0o600);
    // A key alone is not overwritten either: it may belong to a certificate elsewhere.
    fs::remove_file(dir.join("certs/node-n1.pem")).unwrap();
    refused(dir, "cert issue certs --node n1", "MESH-6026", "node-n1.key exists already");
}

#[test]
fn names_that_no_certificate_can_have() {
    let home = issued();
    let dir = home.path();
    let longest = "a".repeat(128);
    done(dir, &format!("cert issue certs --node {longest}"));
    for (line, code) in [
        ("cert init other --cluster Dev".to_owned(), "MESH-2010"),
        ("cert issue certs --node N1".to_owned(), "MESH-2010"),
        ("cert issue certs --service a/b".to_owned(), "MESH-2010"),
        (format!("cert issue certs --service {longest}a"), "MESH-2011"),
        ("cert issue certs --node n2 --name *.example/x".to_owned(), "MESH-6027"),
        ("cert issue certs --node n2 --name quic://a:1".to_owned(), "MESH-6027"),
        ("cert issue certs --node n2 --validity 0s".to_owned(), "MESH-5050"),
        ("cert issue certs --node n2 --validity 36501d".to_owned(), "MESH-5050"),
        ("cert issue certs".to_owned(), "MESH-5050"),
        ("cert issue certs --node n2 --service n2".to_owned(), "MESH-5050"),
        ("cert revoke certs".to_owned(), "MESH-5050"),
    ] {
        refused(dir, &line, code, "");
    }
    assert!(!dir.join("other").exists(), "nothing is made for a name that is refused");
    assert!(!names(&dir.join("certs")).iter().any(|name| name.contains("n2")));
    let many: String = (0..32).map(|at| format!(" --name h{at}.example")).collect();
    done(dir, &format!("cert issue certs --node many{many}"));
    refused(dir, &format!("cert issue certs --node more{many} --name h32.example"), "MESH-6027", "33 names");
}

#[test]
fn directories_without_an_authority() {
    let home = issued();
    let dir = home.path();
    fs::create_dir(dir.join("empty")).unwrap();
    for line in [
        "cert issue empty --node a",
        "cert issue nowhere --node a",
        "cert rotate empty",
        "cert revoke empty --node a",
    ] {
        refused(dir, line, "MESH-6023", "mesh cert init ");
    }
    refused(dir, "cert token empty --service a", "MESH-6023", "--audience CLUSTER");
    refused(dir, "cert show certs", "MESH-6020", "mesh cert show certs/ca.pem");
    refused(dir, "cert show certs/nothing.pem", "MESH-6020", "nothing.pem");
    fs::write(dir.join("file"), "").unwrap();
    refused(dir, "cert init file --cluster dev", "MESH-6027", "file");
}

#[test]
fn damaged_files_are_told_from_good_ones() {
    let home = issued();
    let dir = home.path();
    let (ca, key) = (dir.join("certs/ca.pem"), dir.join("certs/ca.key"));
    let (whole_ca, whole_key) = (fs::read(&ca).unwrap(), fs::read(&key).unwrap());
    for (path, whole, code) in [(&ca, &whole_ca, "MESH-6021"), (&key, &whole_key, "MESH-6021")] {
        for bytes in [&whole[..whole.len() / 2], &b""[..], &b"\xff\xfe nothing of this is PEM"[..]] {
            fs::write(path, bytes).unwrap();
            refused(dir, "cert issue certs --node other", code, &path.file_name().unwrap().to_string_lossy());
        }
        fs::write(path, whole).unwrap();
    }
    fs::write(dir.join("cut.pem"), &whole_ca[..whole_ca.len() - 40]).unwrap();
    refused(dir, "cert show cut.pem", "MESH-6021", "cut.pem");
    refused(dir, "cert show certs/ca.key", "MESH-6021", "a private key");
    // The key of another authority.
    done(dir, "cert init others --cluster dev");
    fs::copy(dir.join("others/ca.key"), &key).unwrap();
    refused(dir, "cert issue certs --node other", "MESH-6022", "ca.key");
    fs::write(&key, whole_key).unwrap();
    done(dir, "cert issue certs --node other");
}

#[test]
fn a_new_authority_beside_the_old_one() {
    let home = issued();
    let dir = home.path();
    let issuer =
        |file: &str| json(dir, &format!("cert show {file}"))[0]["issuer"].as_str().unwrap().to_owned();
    let old = issuer("certs/node-n1.pem");
    done(dir, "cert rotate certs");
    let bundle = json(dir, "cert show certs/ca.pem");
    let subjects: Vec<&str> =
        bundle.as_array().unwrap().iter().map(|ca| ca["subject"].as_str().unwrap()).collect();
    assert_eq!((subjects.len(), subjects[1]), (2, old.as_str()));
    assert_eq!(issuer("certs/node-n1.pem"), old, "nobody's certificate changes by itself");
    done(dir, "cert issue certs --node n1 --force");
    assert_eq!(issuer("certs/node-n1.pem"), subjects[0]);
    assert_eq!(mode(&dir.join("certs/ca.key")), 0o600);
    let shown = done(dir, "cert show certs/ca.pem");
    assert!(shown.contains("1 of 2: authority") && shown.contains("2 of 2: authority"), "{shown}");
}

#[test]
fn certificates_are_taken_back() {
    let home = issued();
    let dir = home.path();
    let first = json(dir, "cert revoke certs --service orders");
    assert_eq!(first["identity"], "spiffe://dev/service/orders");
    assert_eq!(first["serial"], json(dir, "cert show certs/service-orders.pem")[0]["serial"]);
    assert_eq!((&first["revoked"], &first["crl"]), (&1.into(), &"certs/crl.pem".into()));
    // Once is enough.
    assert_eq!(json(dir, "cert revoke certs --service orders")["revoked"], 1);
    assert_eq!(json(dir, "cert revoke certs certs/node-n1.pem")["revoked"], 2);
    refused(dir, "cert revoke certs --service nobody", "MESH-6020", "service-nobody.pem");
    // What another authority issued is not this one's to take back.
    done(dir, "cert rotate certs");
    refused(dir, "cert revoke certs --service orders", "MESH-6023", "only the CA that issued");
}

#[test]
fn tokens_for_development() {
    let home = issued();
    let dir = home.path();
    let output = mesh(dir, "cert token certs --service orders --ttl 10m");
    let token = text(&output.stdout).trim_end();
    assert_eq!(token.split('.').count(), 3, "{token}");
    assert!(!token.contains(char::is_whitespace), "nothing but the token is data");
    assert!(text(&output.stderr).contains("certs/jwks.json"), "{}", text(&output.stderr));
    assert_eq!(mode(&dir.join("certs/tokens.key")), 0o600);
    let keys: Value = serde_json::from_slice(&fs::read(dir.join("certs/jwks.json")).unwrap()).unwrap();
    let key = &keys["keys"][0];
    assert_eq!(key["d"], Value::Null, "only the public half");
    let again = json(dir, "cert token certs --service orders");
    assert_eq!((&again["sub"], &again["aud"], &again["kid"]), (&"orders".into(), &"dev".into(), &key["kid"]));
    assert_eq!(json(dir, "cert token certs --service orders --audience prod")["aud"], "prod");
    refused(dir, "cert token certs --service Orders", "MESH-2010", "");
    fs::write(dir.join("certs/tokens.key"), "nonsense").unwrap();
    refused(dir, "cert token certs --service orders", "MESH-6021", "tokens.key");
}

#[test]
fn several_services_in_one_directory_are_told_apart() {
    let home = issued();
    let dir = home.path();
    let line = "--url quic://localhost:1 --certs certs request a";
    assert!(
        text(&mesh(dir, line).stderr).starts_with("error[MESH-5002]: "),
        "{}",
        text(&mesh(dir, line).stderr)
    );
    done(dir, "cert issue certs --service mail");
    refused(dir, line, "MESH-6024", "mail, orders");
    let named = mesh(dir, &format!("{line} --identity mail"));
    assert!(text(&named.stderr).starts_with("error[MESH-5002]: "), "{}", text(&named.stderr));
    refused(dir, &format!("{line} --identity nobody"), "MESH-6023", "service-nobody.pem");
}

#[test]
fn contexts_keep_where_certificates_are() {
    let home = issued();
    let dir = home.path();
    let urls = "quic://a.example:7400,tls://a.example:7400";
    done(dir, &format!("context add prod --url {urls} --certs certs --identity orders"));
    let shown = json(dir, "context show prod");
    let certs = fs::canonicalize(dir.join("certs")).unwrap();
    assert_eq!(fs::canonicalize(shown["certs"].as_str().unwrap()).unwrap(), certs);
    assert!(Path::new(shown["certs"].as_str().unwrap()).is_absolute());
    assert_eq!((&shown["identity"], &shown["url"]), (&"orders".into(), &urls.into()));
    assert_eq!(shown["carriers"], serde_json::json!(["quic", "tls"]));
    let listed = done(dir, "context ls");
    assert!(listed.contains("quic,tls") && listed.contains("certs (orders)"), "{listed}");
    let kept = fs::read_to_string(dir.join(".config/mesh/contexts.toml")).unwrap();
    assert!(!kept.contains("BEGIN") && kept.contains("identity = \"orders\""), "{kept}");
    refused(dir, "context add x --url quic://a:1 --cert certs/node-n1.pem", "MESH-5050", "--cert-key");
}
