//! What the kernel tells about a process: processor time and resident memory.

use anyhow::{Context, ensure};

/// A process's state and the processor time that all its threads used so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Stat {
    /// It has ended and waits to be reaped; its times are final.
    pub(crate) ended: bool,
    /// User and system time, in seconds. The kernel counts in ticks of (mostly) 10 ms.
    pub(crate) cpu_seconds: f64,
}

/// Reads `/proc/PID/stat`.
///
/// # Errors
/// When there is no such process.
pub(crate) fn stat(pid: u32) -> anyhow::Result<Stat> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    parse_stat(&text, rustix::param::clock_ticks_per_second())
}

fn parse_stat(text: &str, ticks_per_second: u64) -> anyhow::Result<Stat> {
    // The second field, the command, may hold spaces and parentheses: the last ')' ends it.
    let (_, rest) = text.rsplit_once(')').context("no command in stat")?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    ensure!(fields.len() > 12, "stat has {} fields after the command", fields.len());
    let ticks = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    Ok(Stat { ended: fields[0] == "Z", cpu_seconds: ticks as f64 / ticks_per_second as f64 })
}

/// Resident memory in bytes, pages shared with others included.
///
/// # Errors
/// When there is no such process.
pub(crate) fn resident(pid: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))
        .or_else(|_| std::fs::read_to_string(format!("/proc/{pid}/status")))?;
    parse_resident(&status)
}

fn parse_resident(text: &str) -> anyhow::Result<u64> {
    // `smaps_rollup` counts exactly and says Rss; `status` is the rougher count that is always there.
    let line = text.lines().find_map(|line| line.strip_prefix("Rss:").or(line.strip_prefix("VmRSS:")));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")).context("no resident memory")?;
    Ok(kib.trim().parse::<u64>()? * 1024)
}

/// Bytes that a process has had written to a disk.
///
/// # Errors
/// When there is no such process, or it is somebody else's.
pub(crate) fn written(pid: u32) -> anyhow::Result<u64> {
    parse_written(&std::fs::read_to_string(format!("/proc/{pid}/io"))?)
}

fn parse_written(text: &str) -> anyhow::Result<u64> {
    let bytes = text.lines().find_map(|line| line.strip_prefix("write_bytes:"));
    Ok(bytes.context("no written bytes")?.trim().parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_of_a_command_with_spaces_and_parentheses() {
        let text = "42 (a (b) c) Z 1 1 1 0 -1 4194560 10 0 0 0 150 50 0 0 20 0 1 0 9 0 0";
        assert_eq!(parse_stat(text, 100).unwrap(), Stat { ended: true, cpu_seconds: 2.0 });
        assert!(!parse_stat(&text.replace('Z', "S"), 100).unwrap().ended);
    }

    #[test]
    fn stat_that_is_cut_is_an_error() {
        assert!(parse_stat("42 (a) S 1 1 1 0 -1 4194560 10 0 0 0 150", 100).is_err());
        assert!(parse_stat("42", 100).is_err());
    }

    #[test]
    fn resident_of_either_file() {
        let rollup = "5580-7ffe ---p 00000000 00:00 0 [rollup]\nRss:                1604 kB\nPss: 9 kB\n";
        assert_eq!(parse_resident(rollup).unwrap(), 1604 * 1024);
        assert_eq!(parse_resident("Name:\tx\nVmRSS:\t     12 kB\n").unwrap(), 12 * 1024);
        assert!(parse_resident("Name:\tx\n").is_err());
    }

    #[test]
    fn written_bytes_are_those_that_reached_a_disk() {
        let text = "rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: 5\nwrite_bytes: 8192\n";
        assert_eq!(parse_written(text).unwrap(), 8192);
        assert!(parse_written("rchar: 1\n").is_err());
    }

    #[test]
    fn this_process_has_memory_and_time() {
        assert!(resident(std::process::id()).unwrap() > 0);
        assert!(!stat(std::process::id()).unwrap().ended);
    }
}
