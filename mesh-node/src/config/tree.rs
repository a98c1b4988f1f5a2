//! From the layers to the typed tree.

use mesh_transport::socket_path::Places;
use mesh_wire::limits::NAME_BYTES;
use mesh_wire::name::Name;

use super::reader::Reader;
use super::{Config, Drain, Error, Http, Limits, Log, MatchCache, Pacing, Socket, keys};

/// Reads every key, refuses what is left over, and checks what several keys say together.
pub(super) fn read(mut reader: Reader, places: &Places, host_name: &str) -> Result<Config, Error> {
    let name = reader.read_or(&keys::NAME, || name_of_host(host_name))?;
    let cluster = reader.read(&keys::CLUSTER)?;
    let data = reader.read_or(&keys::DATA, || places.data_dir.clone())?;
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
        data,
        threads,
        busy_poll,
        socket,
        http,
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

fn limits(reader: &mut Reader) -> Result<Limits, Error> {
    Ok(Limits {
        max_body: reader.read(&keys::LIMITS_MAX_BODY)?,
        max_links: reader.read(&keys::LIMITS_MAX_LINKS)?,
        subscriptions_per_link: reader.read(&keys::LIMITS_SUBSCRIPTIONS_PER_LINK)?,
        requests_per_link: reader.read(&keys::LIMITS_REQUESTS_PER_LINK)?,
        handshake_timeout: reader.read(&keys::LIMITS_HANDSHAKE_TIMEOUT)?,
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
