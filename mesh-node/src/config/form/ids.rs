//! Lists.

use super::{Form, quoted};
use crate::config::raw::Raw;

/// Numeric ids of users or groups.
pub(in crate::config) struct Ids {
    pub(in crate::config) most: usize,
}

impl Form for Ids {
    type Value = Vec<u32>;

    fn read(&self, raw: &Raw) -> Option<Vec<u32>> {
        let parts = raw.parts().filter(|parts| parts.len() <= self.most)?;
        parts.iter().map(|part| part.integer()?.try_into().ok()).collect()
    }

    fn write(&self, value: &Vec<u32>) -> String {
        let ids: Vec<String> = value.iter().map(u32::to_string).collect();
        format!("[{}]", ids.join(", "))
    }

    fn describe(&self) -> String {
        format!("at most {} numeric ids: [1000, 1001] in the file, 1000,1001 elsewhere", self.most)
    }
}

/// Names of hosts, without ports.
pub(in crate::config) struct HostNames {
    pub(in crate::config) most: usize,
}

impl Form for HostNames {
    type Value = Vec<String>;

    fn read(&self, raw: &Raw) -> Option<Vec<String>> {
        let parts = raw.parts().filter(|parts| parts.len() <= self.most)?;
        parts.iter().map(|part| host_name(part.text()?)).collect()
    }

    fn write(&self, value: &Vec<String>) -> String {
        let names: Vec<String> = value.iter().map(|name| quoted(name)).collect();
        format!("[{}]", names.join(", "))
    }

    fn describe(&self) -> String {
        format!(
            "at most {} host names without ports: [\"node.local\"] in the file, node.local elsewhere",
            self.most
        )
    }
}

fn host_name(text: &str) -> Option<String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let sound = (1..=253).contains(&text.len()) && text.bytes().all(allowed);
    sound.then(|| text.to_ascii_lowercase())
}
