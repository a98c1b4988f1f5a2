//! Services as tables.

use super::Found;
use crate::failure::Failure;
use crate::inquiry::{Endpoint, Service};
use crate::output::Output;
use crate::quantity::grouped;
use crate::table::{self, Rows};

/// All services, a line each.
pub(super) fn list(found: &Found, output: &mut Output) -> Result<(), Failure> {
    if output.json() {
        return output.json_value(&found.told);
    }
    if found.services.is_empty() {
        return Ok(());
    }
    output.table(&listed(&found.services))
}

fn listed(services: &[Service]) -> Rows {
    let mut rows =
        Rows::new(&["NAME", "VERSION", ">INSTANCES", ">REQUESTS", ">ERRORS", "SUBJECTS", "DESCRIPTION"]);
    for service in services {
        let sum = |of: fn(&Endpoint) -> u64| grouped(service.endpoints().map(of).sum());
        rows.push([
            service.name.clone(),
            service.version.clone(),
            grouped(service.instances.len() as u64),
            sum(|endpoint| endpoint.requests),
            sum(|endpoint| endpoint.errors),
            some(&service.subjects()),
            service.description.clone(),
        ]);
    }
    rows
}

/// The first of a list, and how many more there are.
fn some(subjects: &[&str]) -> String {
    const SHOWN: usize = 3;
    match subjects.len() {
        0..=SHOWN => subjects.join(" "),
        all => format!("{} and {} more", subjects[..SHOWN].join(" "), all - SHOWN),
    }
}

/// One service and its instances.
pub(super) fn info(found: &Found, output: &mut Output) -> Result<(), Failure> {
    let Some((told, service)) = found.told.first().zip(found.services.first()) else {
        return Ok(());
    };
    if output.json() {
        return output.json_value(told);
    }
    output.line(table::pairs([
        ("name", service.name.clone()),
        ("version", service.version.clone()),
        ("description", service.description.clone()),
        ("instances", grouped(service.instances.len() as u64)),
    ]))?;
    output.line("")?;
    let mut rows = Rows::new(&["SUBJECT", "GROUP", "CLIENT", ">LINK", "VERSION"]);
    for instance in &service.instances {
        for endpoint in &instance.endpoints {
            rows.push([
                endpoint.subject.clone(),
                endpoint.group.clone().unwrap_or_default(),
                instance.client.clone(),
                instance.link.to_string(),
                instance.version.clone(),
            ]);
        }
    }
    output.table(&rows)
}

/// What became of the requests, a line for each endpoint of each instance.
pub(super) fn stats(found: &Found, output: &mut Output) -> Result<(), Failure> {
    if output.json() {
        return output.json_value(&found.told);
    }
    if found.services.is_empty() {
        return Ok(());
    }
    let mut rows = Rows::new(&[
        "SERVICE",
        "SUBJECT",
        "CLIENT",
        ">LINK",
        ">REQUESTS",
        ">ERRORS",
        ">UNDER WAY",
        ">P50",
        ">P99",
    ]);
    for service in &found.services {
        for instance in &service.instances {
            for endpoint in &instance.endpoints {
                rows.push([
                    service.name.clone(),
                    endpoint.subject.clone(),
                    instance.client.clone(),
                    instance.link.to_string(),
                    grouped(endpoint.requests),
                    grouped(endpoint.errors),
                    grouped(endpoint.in_flight),
                    below(endpoint.p50_us),
                    below(endpoint.p99_us),
                ]);
            }
        }
    }
    output.table(&rows)
}

/// A bound that the node tells, a power of two.
fn below(us: u64) -> String {
    match us {
        0 => "-".to_owned(),
        us if us < 10_000 => format!("<{us} µs"),
        us => format!("<{} ms", us / 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_for_each_service() {
        let endpoint = |subject: &str, requests| Endpoint {
            subject: subject.to_owned(),
            requests,
            ..Endpoint::default()
        };
        let instance = crate::inquiry::Instance {
            endpoints: ["d", "b", "c", "a"].map(|subject| endpoint(subject, 1_000)).into(),
            ..Default::default()
        };
        let service = Service {
            name: "orders".to_owned(),
            version: "1.0.0".to_owned(),
            instances: vec![instance.clone(), instance],
            ..Service::default()
        };
        let text = listed(&[service]).render();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(
            lines[1].split_whitespace().collect::<Vec<_>>(),
            ["orders", "1.0.0", "2", "8,000", "0", "a", "b", "c", "and", "1", "more"]
        );
    }

    #[test]
    fn bounds_of_times() {
        assert_eq!(below(0), "-");
        assert_eq!(below(128), "<128 µs");
        assert_eq!(below(8_192), "<8192 µs");
        assert_eq!(below(16_384), "<16 ms");
    }
}
