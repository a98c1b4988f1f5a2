use std::fs;
use std::path::Path;

use mesh_wire::code::Code;
use tempfile::TempDir;

use super::*;

/// Layers that say nothing, on a machine that exists nowhere.
pub(super) fn layers() -> Layers {
    Layers {
        file: None,
        environment: Vec::new(),
        flags: Vec::new(),
        places: Places {
            runtime_dir: None,
            system_dir: "/nowhere/run".into(),
            data_dir: "/nowhere/share/mesh".into(),
        },
        host_name: "Host_1.local".to_owned(),
    }
}

fn file(text: &str) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("node.toml");
    fs::write(&path, text).unwrap();
    (dir, path)
}

fn environment(variables: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    variables.iter().map(|(name, value)| (name.into(), value.into())).collect()
}

fn from_file(text: &str) -> Result<Config, Error> {
    let (_dir, path) = file(text);
    Config::load(Layers { file: Some(path), ..layers() })
}

fn from_environment(variables: &[(&str, &str)]) -> Result<Config, Error> {
    Config::load(Layers { environment: environment(variables), ..layers() })
}

fn entry<'a>(config: &'a Config, key: &str) -> &'a Entry {
    config.entries().iter().find(|entry| entry.key == key).unwrap()
}

#[test]
fn defaults() {
    let config = Config::load(layers()).unwrap();
    assert_eq!(config.name.as_str(), "host_1.local");
    assert_eq!((config.cluster.as_str(), &config.zone), ("mesh", &None));
    assert_eq!(config.data, Path::new("/nowhere/share/mesh"));
    assert_eq!(config.socket.path, Path::new("/nowhere/share/mesh/mesh.sock"));
    assert_eq!(config.socket.mode, 0o600);
    assert_eq!(config.http.address, Some("127.0.0.1:7480".parse().unwrap()));
    assert_eq!((config.threads, config.busy_poll), (1, Duration::ZERO));
    assert_eq!(config.limits.max_body, mesh_wire::limits::BODY_BYTES_DEFAULT);
    assert_eq!(config.limits.max_links, 16_384);
    assert_eq!(config.limits.handshake_timeout, Duration::from_secs(5));
    assert_eq!((config.listen.address, config.listen.insecure_loopback), (None, false));
    assert_eq!((config.certs.are_named(), &config.tokens.jwks), (false, &None));
    assert_eq!((config.peer.listen, &config.discovery), (None, &Discovery::Standalone));
    assert_eq!(config.drain.deadline, Duration::from_secs(20));
    assert_eq!((config.pacing.high_water, config.pacing.stall), (1 << 20, Duration::from_millis(50)));
    assert!(config.entries().iter().all(|entry| entry.source == Source::Default));
}

#[test]
fn the_later_layer_wins() {
    let (_dir, path) = file("threads = 2\ncluster = 'file'\n[limits]\nmax_links = 2\nmax_body = '2MiB'\n");
    let flag = Flag { key: "threads", flag: "--threads", value: "4".to_owned() };
    let variables = [
        ("MESH_NODE_THREADS", "3"),
        ("MESH_NODE_LIMITS__MAX_LINKS", "3"),
        ("MESH_NODE_CONFIG", "/not/read"),
        ("HOME", "/not/ours"),
    ];
    let config = Config::load(Layers {
        file: Some(path.clone()),
        environment: environment(&variables),
        flags: vec![flag],
        ..layers()
    })
    .unwrap();

    assert_eq!((config.threads, config.limits.max_links, config.limits.max_body), (4, 3, 2 << 20));
    assert_eq!(config.cluster.as_str(), "file");
    let sources = [
        ("threads", "flag --threads".to_owned(), "flag"),
        ("limits.max_links", "env MESH_NODE_LIMITS__MAX_LINKS".to_owned(), "env"),
        ("limits.max_body", format!("file {}:5", path.display()), "file"),
        ("cluster", format!("file {}:2", path.display()), "file"),
        ("name", "default".to_owned(), "default"),
    ];
    for (key, source, kind) in sources {
        assert_eq!(entry(&config, key).source.to_string(), source, "{key}");
        assert_eq!(entry(&config, key).source.kind(), kind, "{key}");
    }
}

#[test]
fn the_file_may_be_named_by_the_environment_and_the_flag_wins() {
    let (_dir, path) = file("threads = 2");
    let (_other, named) = file("threads = 3");
    let environment = environment(&[("MESH_NODE_CONFIG", path.to_str().unwrap())]);
    let config = Config::load(Layers { environment: environment.clone(), ..layers() }).unwrap();
    assert_eq!(config.threads, 2);
    let config = Config::load(Layers { environment, file: Some(named), ..layers() }).unwrap();
    assert_eq!(config.threads, 3);
}

#[test]
fn the_socket_follows_the_data_directory() {
    let config = from_environment(&[("MESH_NODE_DATA", "/d")]).unwrap();
    assert_eq!(config.socket.path, Path::new("/d/mesh.sock"));
    assert_eq!(entry(&config, "socket.path").source, Source::Default);
}

#[test]
fn the_general_log_variable_counts_less_than_the_node_s_own() {
    let general = ("MESH_LOG", "debug");
    let own = ("MESH_NODE_LOG__FILTER", "warn");
    assert_eq!(from_environment(&[general]).unwrap().log.filter.as_str(), "debug");
    for order in [[general, own], [own, general]] {
        assert_eq!(from_environment(&order).unwrap().log.filter.as_str(), "warn");
    }
}

#[test]
fn variables_that_kubernetes_sets_for_a_service_are_not_ours() {
    from_environment(&[
        ("MESH_NODE_SERVICE_HOST", "10.0.0.1"),
        ("MESH_NODE_SERVICE_PORT", "7480"),
        ("MESH_NODE_SERVICE_PORT_HTTP", "7480"),
        ("MESH_NODE_PORT", "tcp://10.0.0.1:7480"),
        ("MESH_NODE_PORT_7480_TCP_ADDR", "10.0.0.1"),
    ])
    .unwrap();
}

#[test]
fn unknown_keys_are_refused_and_the_nearest_is_named() {
    let in_file = [
        ("treads = 2", "treads", Some("threads")),
        ("[limits]\nmax_link = 2", "limits.max_link", Some("limits.max_links")),
        ("max_links = 2", "max_links", Some("limits.max_links")),
        ("[socket]\nmax_body = 2", "socket.max_body", Some("limits.max_body")),
        ("http = 'off'", "http", Some("http.address")),
        ("[threads]\n", "threads", None),
        ("[limits.max_body]\nx = 1", "limits.max_body.x", None),
        ("colour = 'green'", "colour", None),
    ];
    for (text, key, suggestion) in in_file {
        let error = from_file(text).unwrap_err();
        if key == "threads" {
            assert_eq!(error.code(), Code::ConfigBadValue, "{text}");
            continue;
        }
        assert_eq!(error.code(), Code::ConfigUnknownKey, "{text}");
        assert!(error.to_string().contains(&format!("`{key}`")), "{error}");
        assert!(error.to_string().contains("node.toml:"), "{error}");
        match suggestion {
            Some(known) => {
                assert!(error.hint().contains(&format!("did you mean `{known}`")), "{}", error.hint())
            }
            None => assert!(error.hint().contains("--print-config"), "{}", error.hint()),
        }
    }
    let error = from_environment(&[("MESH_NODE_LIMIT__MAX_BODY", "1")]).unwrap_err();
    assert_eq!(error.code(), Code::ConfigUnknownKey);
    assert!(error.to_string().contains("MESH_NODE_LIMIT__MAX_BODY"), "{error}");
    assert!(error.hint().contains("MESH_NODE_LIMITS__MAX_BODY"), "{}", error.hint());
}

#[test]
fn bad_values_are_refused_with_what_is_allowed() {
    let table = [
        ("threads = 0", "threads", "1 to 64"),
        ("threads = 65", "threads", "1 to 64"),
        ("threads = true", "threads", "a boolean"),
        ("threads = 1.5", "threads", "a fraction"),
        ("threads = 99999999999999999999999", "threads", "out of range"),
        ("name = 'No Name'", "name", "a-z 0-9"),
        ("busy_poll = 50", "busy_poll", "50us"),
        ("busy_poll = '11ms'", "busy_poll", "10ms"),
        ("[socket]\nmode = 600", "socket.mode", "\"0600\""),
        ("[socket]\nallow_uids = ['alice']", "socket.allow_uids", "numeric ids"),
        ("[http]\naddress = 'localhost'", "http.address", "127.0.0.1:7480"),
        ("[limits]\nmax_body = '65MiB'", "limits.max_body", "64MiB"),
        ("[limits]\nlink_outbox = '63KiB'", "limits.link_outbox", "64KiB"),
        ("[pacing]\nhigh_water = '5MiB'", "pacing.high_water", "limits.link_outbox"),
        ("[log]\nfilter = 'loud'", "log.filter", "trace"),
        ("[log]\nformat = 'xml'", "log.format", "\"json\""),
    ];
    for (text, key, allowed) in table {
        let error = from_file(text).unwrap_err();
        assert_eq!(error.code(), Code::ConfigBadValue, "{text}");
        assert!(error.to_string().contains(&format!("`{key}`")), "{error}");
        assert!(
            error.hint().contains(allowed) || error.to_string().contains(allowed),
            "{error}: {}",
            error.hint()
        );
        assert!(!error.is_retryable());
    }
}

#[test]
fn what_two_keys_say_together_is_checked_at_the_bound() {
    assert!(from_file("[pacing]\nhigh_water = '4MiB'").is_ok());
    assert!(from_file("[pacing]\nhigh_water = '4194305B'").is_err());
    assert!(from_file("[limits]\nlink_outbox = '1MiB'").is_ok());
    assert!(from_file("[limits]\nlink_outbox = '1048575B'").is_err());
}

#[test]
fn what_a_network_needs_is_asked_for_at_the_start() {
    let table = [
        ("[listen]\naddress = '127.0.0.1:0'", Code::ListenNeedsCertificates, "127.0.0.1:0"),
        (
            "[listen]\naddress = '0.0.0.0:7400'\ninsecure_loopback = true",
            Code::InsecureNotLoopback,
            "0.0.0.0",
        ),
        (
            "[listen]\naddress = '10.0.0.1:7400'\ninsecure_loopback = true\n[certs]\ndir = '/c'",
            Code::InsecureNotLoopback,
            "10.0.0.1",
        ),
        ("[certs]\nca = '/ca'\ncert = '/c'", Code::ConfigBadValue, "certs.ca"),
        ("[certs]\ndir = '/d'\nkey = '/k'", Code::ConfigBadValue, "certs.key"),
        ("[certs]\ncert = '/c'\nkey = '/k'", Code::ConfigBadValue, "certs.cert"),
        ("discovery = 'static:a'\n[certs]\ndir = '/c'", Code::PeerConfigIncomplete, "peer.listen"),
        ("[peer]\nadvertise = 'a'\n[certs]\ndir = '/c'", Code::PeerConfigIncomplete, "peer.listen"),
        ("[peer]\nlisten = '0.0.0.0:7401'", Code::PeerConfigIncomplete, "certs.dir"),
    ];
    for (text, code, words) in table {
        let error = from_file(text).unwrap_err();
        assert_eq!(error.code(), code, "{text}: {error}");
        assert!(error.to_string().contains(words), "{error}");
    }
    let sound = [
        "[listen]\naddress = '127.9.9.9:7400'\ninsecure_loopback = true",
        "[listen]\naddress = '[::1]:7400'\ninsecure_loopback = true",
        "[listen]\naddress = '[::ffff:127.0.0.1]:7400'\ninsecure_loopback = true",
        "[listen]\naddress = '0.0.0.0:7400'\n[certs]\ndir = '/c'",
        "[listen]\naddress = '0.0.0.0:7400'\n[certs]\nca = '/ca'\ncert = '/c'\nkey = '/k'",
        "discovery = 'static:a,b:7'\n[peer]\nlisten = '0.0.0.0:7401'\nadvertise = 'a'\n[certs]\ndir = '/c'",
    ];
    for text in sound {
        from_file(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    }
}

#[test]
fn the_audience_of_tokens_is_the_cluster() {
    let config = from_file("cluster = 'prod'").unwrap();
    assert_eq!(config.tokens.audience.as_str(), "prod");
    let config = from_file("cluster = 'prod'\n[tokens]\naudience = 'other'").unwrap();
    assert_eq!(config.tokens.audience.as_str(), "other");
}

#[test]
fn a_long_value_is_shortened_where_it_is_shown() {
    let error = from_environment(&[("MESH_NODE_NAME", &"x".repeat(5000))]).unwrap_err();
    assert!(error.to_string().len() < 200, "{error}");
}

#[test]
fn files_that_cannot_be_read_say_why() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing.toml");
    let large = dir.path().join("large.toml");
    let binary = dir.path().join("binary.toml");
    fs::write(&large, "#".repeat(usize::try_from(FILE_BYTES).unwrap() + 1)).unwrap();
    fs::write(&binary, b"name = '\xff'").unwrap();
    let table = [
        (missing, "No such file"),
        (dir.path().to_owned(), "directory"),
        (large, "more than"),
        (binary, "UTF-8"),
    ];
    for (path, words) in table {
        let error = Config::load(Layers { file: Some(path.clone()), ..layers() }).unwrap_err();
        assert_eq!(error.code(), Code::ConfigUnreadable, "{path:?}");
        let text = error.to_string();
        assert!(text.contains(words) && text.contains(path.file_name().unwrap().to_str().unwrap()), "{text}");
    }
    let largest = "#".repeat(usize::try_from(FILE_BYTES).unwrap());
    from_file(&largest).unwrap();
}

#[test]
fn a_file_of_another_user_is_unreadable() {
    use std::os::unix::fs::PermissionsExt;
    let (_dir, path) = file("threads = 2");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    let loaded = Config::load(Layers { file: Some(path), ..layers() });
    if rustix::process::geteuid().is_root() {
        // Permissions do not hold for root.
        loaded.unwrap();
    } else {
        assert_eq!(loaded.unwrap_err().code(), Code::ConfigUnreadable);
    }
}

#[test]
fn broken_toml_is_refused_with_its_line() {
    for (text, line) in
        [("threads = \n", "line 1"), ("a = 1\nb = [1,\n", "line "), ("x = 1\nx = 2", "line 2")]
    {
        let error = from_file(text).unwrap_err();
        assert_eq!(error.code(), Code::ConfigSyntax, "{text:?}");
        assert!(error.to_string().contains(line), "{error}");
    }
    let deep = format!("a = {}{}", "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(from_file(&deep).unwrap_err().code(), Code::ConfigSyntax);
}

#[test]
fn the_printed_configuration_is_read_as_the_same() {
    let text = "threads = 3\nbusy_poll = '50us'\n[socket]\nallow_uids = [1, 2]\nmode = '0666'\n[http]\naddress = 'off'\n\
                allow_hosts = ['a.b']\n[limits]\nmax_body = '1500000B'\n[log]\nformat = 'json'\nfilter = 'info,a=debug'\n\
                [listen]\naddress = '127.0.0.1:0'\ninsecure_loopback = true\noperators = ['ops']\n[certs]\ndir = '/c'\n\
                [peer]\nlisten = '[::1]:0'\nadvertise = 'a.b'\n";
    let (_dir, path) = file(text);
    let config = Config::load(Layers { file: Some(path), ..layers() }).unwrap();
    let printed = config.to_toml();
    let again = from_file(&printed).unwrap();
    assert_eq!(again.entries().len(), config.entries().len());
    for (before, after) in config.entries().iter().zip(again.entries()) {
        assert_eq!((before.key, &before.value), (after.key, &after.value));
    }
    assert!(printed.contains("threads = 3  # file "), "{printed}");
    assert!(printed.contains("max_links = 16384  # default"), "{printed}");
}

#[test]
fn the_name_of_any_host_makes_a_name() {
    for (host, name) in [("", "node"), ("Büro", "b-ro"), ("a b", "a-b"), (&"h".repeat(300), &"h".repeat(128))]
    {
        let config = Config::load(Layers { host_name: host.to_owned(), ..layers() }).unwrap();
        assert_eq!(config.name.as_str(), name);
    }
}

#[test]
fn every_default_is_what_its_key_takes() {
    let config = Config::load(layers()).unwrap();
    for entry in config.entries() {
        let words = matches!(entry.key, "name" | "data" | "socket.path" | "tokens.audience");
        assert_eq!(
            entry.value == entry.default,
            !words,
            "{}: {} and {}",
            entry.key,
            entry.value,
            entry.default
        );
    }
}
