//! `mesh cert show`

use std::path::Path;
use std::time::{Duration, SystemTime};

use mesh_identity::describe::{self, Description, State};

use super::report::word;
use crate::failure::Failure;
use crate::output::Output;
use crate::quantity;
use crate::style::Ink;
use crate::table;

/// Shows what is in a file.
pub(super) fn run(file: &Path, output: &mut Output) -> Result<(), Failure> {
    let all = describe::file(file, SystemTime::now()).map_err(|error| {
        let failure = Failure::new(error.code(), error.to_string());
        if file.is_dir() {
            let example = word(&file.join("ca.pem"));
            return failure
                .cause("it is a directory")
                .hint(format!("name a file in it: mesh cert show {example}"));
        }
        failure.hint(error.hint())
    })?;
    if output.json() {
        return output.json_value(&all);
    }
    for (at, one) in all.iter().enumerate() {
        if at > 0 {
            output.line("")?;
        }
        if all.len() > 1 {
            let title = format!("{} of {}: {}", at + 1, all.len(), place(at, one));
            let title = output.paint(Ink::Title, title).to_string();
            output.line(title)?;
        }
        output.line(table::pairs(lines(one)))?;
    }
    Ok(())
}

/// What a certificate of several is there for.
fn place(at: usize, one: &Description) -> &'static str {
    match (one.is_ca, at) {
        (true, _) => "authority",
        (false, 0) => "own certificate",
        (false, _) => "certificate",
    }
}

fn lines(one: &Description) -> Vec<(&'static str, String)> {
    let identity = match &one.identity {
        Some(identity) => identity.to_string(),
        None if one.is_ca => "none: it is a certificate authority".to_owned(),
        None => {
            "none that Mesh knows: exactly one URI, spiffe://CLUSTER/node/ID or …/service/NAME".to_owned()
        }
    };
    let addresses = one.ip_addresses.iter().map(ToString::to_string);
    let names: Vec<String> = one.dns_names.iter().cloned().chain(addresses).collect();
    let usages = one.key_usages.iter().map(|usage| (*usage).to_owned());
    let usages: Vec<String> = usages.chain(one.extended_key_usages.iter().cloned()).collect();
    let mut lines = vec![
        ("identity", identity),
        ("subject", one.subject.clone()),
        ("issuer", if one.issuer == one.subject { "itself".to_owned() } else { one.issuer.clone() }),
        ("names", if names.is_empty() { "none".to_owned() } else { names.join(", ") }),
        ("valid", format!("{} to {}", one.not_before, one.not_after)),
        ("state", state(one)),
        ("usage", usages.join(", ")),
        ("serial", one.serial.clone()),
        ("sha-256", one.fingerprint_sha256.clone()),
    ];
    let known = one.identity.as_ref().map(ToString::to_string);
    let others: Vec<&str> =
        one.uris.iter().map(String::as_str).filter(|uri| Some(*uri) != known.as_deref()).collect();
    if !others.is_empty() {
        lines.insert(1, ("uris", others.join(", ")));
    }
    lines
}

fn state(one: &Description) -> String {
    let left = Duration::from_secs(one.seconds_left.unsigned_abs());
    match one.state {
        State::Valid => format!("valid for {}", span(left)),
        State::Expired => format!("EXPIRED {} ago", span(left)),
        State::NotYetValid => format!("NOT VALID YET: from {} on", one.not_before),
    }
}

/// The two largest units of a time: `89days 23h`.
pub(crate) fn span(time: Duration) -> String {
    let text = quantity::rough(time);
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        for (seconds, want) in
            [(0, "0s"), (59, "59s"), (3_661, "1h 1m"), (90 * 86_400 + 3_600, "2months 29days")]
        {
            assert_eq!(span(Duration::from_secs(seconds)), want);
        }
    }
}
