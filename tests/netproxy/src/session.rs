//! One run of the binary.

use std::io::{self, Write};
use std::net::SocketAddr;

use clap::Parser;
use mesh_netproxy::{Direction, Proxy};
use serde_json::{Value, json};

use crate::arguments::{Command, FaultArguments};

/// One run of the binary: a proxy that is told what to do, line by line.
#[derive(Debug)]
pub(crate) struct Session {
    proxy: Proxy,
}

impl Session {
    /// Says where the proxy listens.
    pub(crate) fn begin(proxy: Proxy, faults: FaultArguments, target: SocketAddr) -> io::Result<Self> {
        let faults = format!("{:?}", faults.faults());
        let (address, seed) = (proxy.address(), proxy.seed());
        say(&json!({ "listening": address, "target": target, "seed": seed, "faults": faults }))?;
        Ok(Self { proxy })
    }

    /// Does what a line says; whether to go on.
    pub(crate) fn obey(&self, line: &str) -> io::Result<bool> {
        let command = match Command::try_parse_from(line.split_whitespace()) {
            Ok(command) => command,
            Err(error) => {
                say(&json!({ "error": error.to_string() }))?;
                return Ok(true);
            }
        };
        match command {
            Command::Cut { which } => which.directions().iter().for_each(|d| self.proxy.cut(*d)),
            Command::Heal => self.proxy.heal(),
            Command::Faults { which, faults } => {
                which.directions().iter().for_each(|d| self.proxy.faults(*d, faults.faults()));
            }
            Command::Counters => {
                say(&self.counters())?;
                return Ok(true);
            }
            Command::Quit => return Ok(false),
        }
        say(&json!({ "done": line }))?;
        Ok(true)
    }

    /// Says what became of everything.
    pub(crate) fn end(&self) -> io::Result<()> {
        say(&self.counters())
    }

    fn counters(&self) -> Value {
        json!({
            "seed": self.proxy.seed(),
            "clients": self.proxy.clients(),
            "up": self.proxy.counters(Direction::Up),
            "down": self.proxy.counters(Direction::Down),
        })
    }
}

fn say(line: &Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
