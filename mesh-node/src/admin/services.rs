//! Responders gathered into services.

use std::collections::BTreeMap;

use super::info::{InstanceInfo, ResponderInfo, ServiceInfo};

/// Services by name, their instances by link, endpoints by subject.
pub(super) fn gather(responders: Vec<ResponderInfo>) -> Vec<ServiceInfo> {
    let mut services: BTreeMap<String, BTreeMap<u64, (String, InstanceInfo)>> = BTreeMap::new();
    for responder in responders {
        let ResponderInfo { service, version, description, link, client, endpoint } = responder;
        let instances = services.entry(service).or_default();
        let (_, instance) = instances
            .entry(link)
            .or_insert_with(|| (description, InstanceInfo { link, client, version, endpoints: Vec::new() }));
        instance.endpoints.push(endpoint);
    }
    services.into_iter().map(|(name, instances)| service(name, instances)).collect()
}

/// The newest link knows best what the service is now.
fn service(name: String, instances: BTreeMap<u64, (String, InstanceInfo)>) -> ServiceInfo {
    let newest = instances.values().next_back();
    let (description, version) =
        newest.map(|(description, newest)| (description.clone(), newest.version.clone())).unwrap_or_default();
    let mut instances: Vec<InstanceInfo> = instances.into_values().map(|(_, instance)| instance).collect();
    for instance in &mut instances {
        instance.endpoints.sort_by(|a, b| a.subject.cmp(&b.subject));
    }
    ServiceInfo { name, version, description, instances }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::info::EndpointInfo;

    fn responder(service: &str, link: u64, version: &str, subject: &str) -> ResponderInfo {
        ResponderInfo {
            service: service.to_owned(),
            version: version.to_owned(),
            description: format!("{service} {version}"),
            link,
            client: format!("client {link}"),
            endpoint: EndpointInfo {
                subject: subject.to_owned(),
                group: Some(service.to_owned()),
                in_flight: 0,
                requests: 0,
                errors: 0,
                p50_us: 0,
                p99_us: 0,
            },
        }
    }

    #[test]
    fn responders_of_a_link_are_one_instance_and_links_of_a_name_are_one_service() {
        let services = gather(vec![
            responder("orders", 2, "1.1.0", "orders.put"),
            responder("mail", 1, "0.1.0", "mail.send"),
            responder("orders", 2, "1.1.0", "orders.get"),
            responder("orders", 1, "1.0.0", "orders.get"),
        ]);
        let names: Vec<_> =
            services.iter().map(|s| (s.name.as_str(), s.version.as_str(), s.instances.len())).collect();
        assert_eq!(names, [("mail", "0.1.0", 1), ("orders", "1.1.0", 2)]);
        assert_eq!(services[1].description, "orders 1.1.0");
        let second = &services[1].instances[1];
        assert_eq!((second.link, second.client.as_str(), second.version.as_str()), (2, "client 2", "1.1.0"));
        let subjects: Vec<_> = second.endpoints.iter().map(|e| e.subject.as_str()).collect();
        assert_eq!(subjects, ["orders.get", "orders.put"]);
    }

    #[test]
    fn nobody_answers_for_nothing() {
        assert!(gather(Vec::new()).is_empty());
    }
}
