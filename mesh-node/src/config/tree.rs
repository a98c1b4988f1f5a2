//! From the layers to the typed tree.

use std::collections::BTreeSet;

use mesh_transport::socket_path::Places;
use mesh_wire::limits::NAME_BYTES;
use mesh_wire::name::Name;

use super::reader::Reader;
use super::{
    Certs, Config, Discovery, Drain, Error, Http, Limits, Listen, Log, MatchCache, Pacing, Peer, Socket,
    Storage, Tokens, keys,
};

/// Reads every key, refuses what is left over, and checks what several keys say together.
pub(super) fn read(mut reader: Reader, places: &Places, host_name: &str) -> Result<Config, Error> {
    let name = reader.read_or(&keys::NAME, || name_of_host(host_name))?;
    let cluster = reader.read(&keys::CLUSTER)?;
    let zone = reader.read(&keys::ZONE)?;
    let data = reader.read_or(&keys::DATA, || places.data_dir.clone())?;
    let discovery = reader.read(&keys::DISCOVERY)?;
    let threads = reader.read(&keys::THREADS)?;
    let busy_poll = reader.read(&keys::BUSY_POLL)?;
    let socket = Socket {
        path: reader.read_or(&keys::SOCKET_PATH, || places.listen(Some(&data)))?,
        mode: reader.read(&keys::SOCKET_MODE)?,
        allow_uids: reader.read(&keys::SOCKET_ALLOW_UIDS)?,
        allow_gids: reader.read(&keys::SOCKET_ALLOW_GIDS)?,
        buffer: reader.read(&keys::SOCKET_BUFFER)?,
    };
    let http = Http {
        address: reader.read(&keys::HTTP_ADDRESS)?,
        allow_hosts: reader.read(&keys::HTTP_ALLOW_HOSTS)?,
    };
    let listen = Listen {
        address: reader.read(&keys::LISTEN_ADDRESS)?,
        insecure_loopback: reader.read(&keys::LISTEN_INSECURE_LOOPBACK)?,
        operators: reader.read(&keys::LISTEN_OPERATORS)?,
    };
    let certs = certs(&mut reader)?;
    let tokens = Tokens {
        jwks: reader.read(&keys::TOKENS_JWKS)?,
        audience: reader.read_or(&keys::TOKENS_AUDIENCE, || Name::clone(&cluster))?,
    };
    let peer = Peer {
        listen: reader.read(&keys::PEER_LISTEN)?,
        advertise: reader.read(&keys::PEER_ADVERTISE)?,
        max_peers: reader.read(&keys::PEER_MAX_PEERS)?,
    };
    let storage = storage(&mut reader)?;
    let log = Log { filter: reader.read(&keys::LOG_FILTER)?, format: reader.read(&keys::LOG_FORMAT)? };
    let limits = limits(&mut reader)?;
    let drain = Drain { deadline: reader.read(&keys::DRAIN_DEADLINE)? };
    let pacing = Pacing {
        high_water: reader.read(&keys::PACING_HIGH_WATER)?,
        stall: reader.read(&keys::PACING_STALL)?,
    };
    let match_cache = MatchCache { entries: reader.read(&keys::MATCH_CACHE_ENTRIES)? };
    let entries = reader.finish()?;
    let config = Config {
        name,
        cluster,
        zone,
        data,
        threads,
        busy_poll,
        socket,
        http,
        listen,
        certs,
        tokens,
        peer,
        discovery,
        storage,
        log,
        limits,
        drain,
        pacing,
        match_cache,
        entries,
    };
    check(&config)?;
    Ok(config)
}

fn certs(reader: &mut Reader) -> Result<Certs, Error> {
    Ok(Certs {
        dir: reader.read(&keys::CERTS_DIR)?,
        ca: reader.read(&keys::CERTS_CA)?,
        cert: reader.read(&keys::CERTS_CERT)?,
        key: reader.read(&keys::CERTS_KEY)?,
        crl: reader.read(&keys::CERTS_CRL)?,
    })
}

fn storage(reader: &mut Reader) -> Result<Storage, Error> {
    Ok(Storage {
        bootstrap: reader.read(&keys::STORAGE_BOOTSTRAP)?,
        shards: reader.read(&keys::STORAGE_SHARDS)?,
        replicas: reader.read(&keys::STORAGE_REPLICAS)?,
        registers: reader.read(&keys::STORAGE_REGISTERS)?,
        file_bytes: reader.read(&keys::STORAGE_FILE_BYTES)?,
        files: reader.read(&keys::STORAGE_FILES)?,
    })
}

fn limits(reader: &mut Reader) -> Result<Limits, Error> {
    Ok(Limits {
        max_body: reader.read(&keys::LIMITS_MAX_BODY)?,
        max_links: reader.read(&keys::LIMITS_MAX_LINKS)?,
        subscriptions_per_link: reader.read(&keys::LIMITS_SUBSCRIPTIONS_PER_LINK)?,
        requests_per_link: reader.read(&keys::LIMITS_REQUESTS_PER_LINK)?,
        handshake_timeout: reader.read(&keys::LIMITS_HANDSHAKE_TIMEOUT)?,
        handshakes: reader.read(&keys::LIMITS_HANDSHAKES)?,
        link_outbox: reader.read(&keys::LIMITS_LINK_OUTBOX)?,
        pending_messages: reader.read(&keys::LIMITS_PENDING_MESSAGES)?,
        pending_bytes: reader.read(&keys::LIMITS_PENDING_BYTES)?,
    })
}

/// What no key can say alone.
fn check(config: &Config) -> Result<(), Error> {
    if config.pacing.high_water > config.limits.link_outbox {
        let key = keys::PACING_HIGH_WATER.path;
        return Err(refused(config, key, "at most as much as `limits.link_outbox`, or it is never reached"));
    }
    check_certs(config)?;
    check_listen(config)?;
    check_peer(config)?;
    check_bootstrap(config)
}

/// A directory, or files: then the CA, the certificate and its key, all of them.
fn check_certs(config: &Config) -> Result<(), Error> {
    let Certs { dir, ca, cert, key, crl } = &config.certs;
    let files = [
        (ca, keys::CERTS_CA.path, true),
        (cert, keys::CERTS_CERT.path, true),
        (key, keys::CERTS_KEY.path, true),
        (crl, keys::CERTS_CRL.path, false),
    ];
    let Some((_, given, _)) = files.iter().find(|(file, ..)| file.is_some()) else { return Ok(()) };
    if dir.is_some() {
        return Err(refused(config, given, "a file, or `certs.dir` a directory, not both"));
    }
    match files.iter().find(|(file, _, is_needed)| *is_needed && file.is_none()) {
        Some((_, missing, _)) => Err(refused(config, given, &format!("a file together with `{missing}`"))),
        None => Ok(()),
    }
}

fn check_listen(config: &Config) -> Result<(), Error> {
    let Some(address) = config.listen.address else { return Ok(()) };
    if config.listen.insecure_loopback {
        let is_loopback = address.ip().to_canonical().is_loopback();
        return if is_loopback { Ok(()) } else { Err(Error::InsecureNotLoopback { address }) };
    }
    if config.certs.are_named() { Ok(()) } else { Err(Error::ListenNeedsCertificates { address }) }
}

fn check_peer(config: &Config) -> Result<(), Error> {
    let listen = config.peer.listen;
    let given = [
        (config.discovery != Discovery::Standalone, keys::DISCOVERY.path),
        (config.peer.advertise.is_some(), keys::PEER_ADVERTISE.path),
    ];
    for (_, given) in given.into_iter().filter(|(is_given, _)| *is_given) {
        if listen.is_none() {
            return Err(Error::PeerIncomplete { given, missing: keys::PEER_LISTEN.path });
        }
    }
    if listen.is_some() && !config.certs.are_named() {
        return Err(Error::PeerIncomplete { given: keys::PEER_LISTEN.path, missing: keys::CERTS_DIR.path });
    }
    Ok(())
}

/// Each founder once, this node among them, and more than one only where there can be more than one.
fn check_bootstrap(config: &Config) -> Result<(), Error> {
    let (founders, key) = (&config.storage.bootstrap, keys::STORAGE_BOOTSTRAP.path);
    if founders.is_empty() {
        return Ok(());
    }
    if founders.len() > 1 && config.peer.listen.is_none() {
        return Err(Error::PeerIncomplete { given: key, missing: keys::PEER_LISTEN.path });
    }
    let distinct: BTreeSet<&Name> = founders.iter().collect();
    if distinct.len() < founders.len() {
        return Err(refused(config, key, "each node once"));
    }
    if !distinct.contains(&config.name) {
        return Err(refused(config, key, &format!("a list with this node, \"{}\"", config.name)));
    }
    Ok(())
}

fn refused(config: &Config, key: &'static str, allowed: &str) -> Error {
    let entry = config.entries.iter().find(|entry| entry.key == key);
    Error::BadValue {
        key,
        value: entry.map_or_else(String::new, |entry| entry.value.clone()),
        source_of_it: entry.map_or(super::Source::Default, |entry| entry.source.clone()),
        allowed: allowed.to_owned(),
    }
}

/// The host's name as far as it makes a name of ours.
fn name_of_host(host_name: &str) -> Name {
    let allowed = |byte: char| matches!(byte, 'a'..='z' | '0'..='9' | '.' | '_' | '-');
    let text: String = host_name
        .chars()
        .map(|char| char.to_ascii_lowercase())
        .map(|char| if allowed(char) { char } else { '-' })
        .take(NAME_BYTES)
        .collect();
    text.parse().unwrap_or_else(|_| Name::new("node").expect("a fixed name is well formed"))
}
