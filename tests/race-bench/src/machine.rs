//! What machine this is, for the record.

use std::thread::available_parallelism;

/// The machine in one line.
pub(crate) fn describe() -> String {
    let cpus = available_parallelism().map_or(0, usize::from);
    let cpu = value_in("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".into());
    let memory = value_in("/proc/meminfo", "MemTotal")
        .and_then(|text| text.strip_suffix(" kB")?.trim().parse::<f64>().ok())
        .map_or_else(|| "unknown".into(), |kib| format!("{:.0} GiB", kib / 1024.0 / 1024.0));
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{cpus} x {cpu}, {memory} of memory, Linux {}", kernel.trim())
}

/// Runnable tasks over the last minute, by the kernel's count.
pub(crate) fn load() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}

fn value_in(file: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_names_a_kernel_and_has_a_load() {
        assert!(super::describe().contains("Linux "));
        assert!(super::load().is_some());
    }
}
