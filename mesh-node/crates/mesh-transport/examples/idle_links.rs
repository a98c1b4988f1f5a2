//! What a link that nobody uses costs the side that listens: `cargo run --release --example idle_links -- quic 500`.
//!
//! The links are dialled by a second process, so that its memory is not counted. Each has said a few bytes in either
//! direction, as after a handshake of Mesh. The figures of ADR 0075 come from here.

use std::env;
use std::fs;
use std::future::poll_fn;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use mesh_identity::authority::{Init, Issue, init, issue};
use mesh_identity::set::{Source, Who};
use mesh_identity::store::Store;
use mesh_identity::verify::Expect;
use mesh_transport::connect::{self, ConnectOptions};
use mesh_transport::link::{Lane, Link};
use mesh_transport::{quic, tls};
use mesh_wire::name::Name;
use tokio::io::AsyncReadExt;

/// Links that are opened before the first look, so that what is paid once is not counted.
const BEFORE: usize = 20;
const GREETING: [u8; 100] = [b'h'; 100];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [scheme, count] => listen(scheme, count.parse()?).await,
        ["dial", url, dir, count] => dial(url, dir, count.parse()?).await,
        _ => bail!("idle_links quic|tls COUNT"),
    }
}

fn name(text: &str) -> Result<Name> {
    text.parse().context("a name")
}

async fn listen(scheme: &str, count: usize) -> Result<()> {
    let dir = tempfile::tempdir()?;
    init(dir.path(), &Init { cluster: name("test")?, validity: None, force: false })?;
    issue(dir.path(), &Issue::node(name("a")?))?;
    issue(dir.path(), &Issue::service(name("app")?))?;
    let who = Who::Node { cluster: name("test")?, id: name("a")? };
    let store = Store::open(Source::Directory { path: dir.path().to_owned(), who })?;
    let expect = Expect::Service { cluster: name("test")?, optional: false };
    let any = "127.0.0.1:0".parse()?;
    let (quic, tls) = match scheme {
        "quic" => {
            let options = quic::ListenerOptions::new(any, store, expect, quic::ResetKey::random()?);
            (Some(quic::Listener::bind(options)?), None)
        }
        "tls" => (None, Some(tls::Listener::bind(tls::ListenerOptions::new(any, store, expect))?)),
        _ => bail!("idle_links quic|tls COUNT"),
    };
    let address = match (&quic, &tls) {
        (Some(listener), _) => listener.local_address()?,
        (_, Some(listener)) => listener.local_address()?,
        _ => bail!("no listener"),
    };
    let mut child = Command::new(env::current_exe()?)
        .args(["dial", &format!("{scheme}://{address}")])
        .arg(dir.path())
        .arg((BEFORE + count).to_string())
        .stdout(Stdio::piped())
        .stdin(Stdio::piped())
        .spawn()?;
    let mut links: Vec<(Link, Lane)> = Vec::with_capacity(BEFORE + count);
    let mut before = 0;
    for at in 0..BEFORE + count {
        if at == BEFORE {
            before = resident_bytes()?;
        }
        let mut link = match (&quic, &tls) {
            (Some(listener), _) => listener.accept().await.context("closed")?.finish().await?,
            (_, Some(listener)) => listener.accept().await?.finish().await?,
            _ => bail!("no listener"),
        };
        let mut lane = link.inbound.accept().await?;
        lane.reader.read_exact(&mut [0; GREETING.len()]).await?;
        greet(&mut link).await?;
        links.push((link, lane));
    }
    // The other process says when everything has settled; this one has to work on packets meanwhile.
    let stdout = child.stdout.take().context("no output")?;
    let settled = tokio::task::spawn_blocking(move || BufReader::new(stdout).lines().next());
    settled.await?.context("the dialling process ended")??;
    let after = resident_bytes()?;
    ensure!(links.len() == BEFORE + count);
    let each = (after - before) / count;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{scheme}: {count} idle links, {each} bytes each ({} KiB)", each / 1024)?;
    if env::var_os("TRIM").is_some() {
        writeln!(out, "before {before}, after {after}")?;
    }
    child.kill()?;
    child.wait()?;
    Ok(())
}

async fn dial(url: &str, dir: &str, count: usize) -> Result<()> {
    let who = Who::Service { name: Some(name("app")?) };
    let store = Store::open(Source::Directory { path: dir.into(), who })?;
    let endpoint = url.parse()?;
    let mut links = Vec::with_capacity(count);
    for _ in 0..count {
        let mut link = connect::open(&endpoint, &ConnectOptions::new(store.clone())).await?;
        greet(&mut link).await?;
        let mut lane = link.inbound.accept().await?;
        lane.reader.read_exact(&mut [0; GREETING.len()]).await?;
        links.push((link, lane));
    }
    // Longer than the search for the largest packet, and than what is kept for a while after a handshake.
    tokio::time::sleep(std::time::Duration::from_secs(8)).await;
    let mut out = std::io::stdout().lock();
    writeln!(out, "settled")?;
    out.flush()?;
    std::future::pending().await
}

async fn greet(link: &mut Link) -> Result<()> {
    let greeting = Bytes::from_static(&GREETING);
    let written = poll_fn(|cx| link.outbound.poll_write(0, cx, std::slice::from_ref(&greeting))).await?;
    ensure!(written == GREETING.len());
    Ok(())
}

fn resident_bytes() -> Result<usize> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("no VmRSS")?;
    let kib: usize = line.split_whitespace().nth(1).context("no number")?.parse()?;
    Ok(kib * 1024)
}
