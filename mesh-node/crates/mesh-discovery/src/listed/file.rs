//! A file of addresses.

use std::{fs::File, io::Read as _, path::Path};

use mesh_transport::endpoint::Authority;

use crate::error::Error;

/// Largest file, in bytes.
pub const FILE_BYTES: usize = 64 * 1024;
/// Most addresses of a list or of a file.
pub const LISTED_MAX: usize = 1024;

/// Reads it. It is small, so that whoever calls does not wait for longer than for any other small file.
pub(super) fn read(path: &Path, port: u16) -> Result<Vec<Authority>, Error> {
    let error = |reason: String| Error::File { path: path.to_owned(), reason };
    let file = File::open(path).map_err(|why| error(why.to_string()))?;
    let mut text = String::new();
    let bytes =
        file.take(FILE_BYTES as u64 + 1).read_to_string(&mut text).map_err(|why| error(why.to_string()))?;
    if bytes > FILE_BYTES {
        return Err(error(format!("more than {FILE_BYTES} bytes")));
    }
    parse(&text, port).map_err(error)
}

fn parse(text: &str, port: u16) -> Result<Vec<Authority>, String> {
    let mut addresses = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let address =
            Authority::parse(line, port).map_err(|why| format!("line {}: {line:?}: {why}", number + 1))?;
        addresses.push(address);
    }
    if addresses.len() > LISTED_MAX {
        return Err(format!("{} addresses, {LISTED_MAX} are allowed", addresses.len()));
    }
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn lines_are_addresses_and_comments_are_not() {
        let text = "# the cores\nnode-1.example:7401\n\n  192.0.2.7 # no port\n[2001:db8::7]:1\n";
        let addresses: Vec<_> = parse(text, 7).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(addresses, ["node-1.example:7401", "192.0.2.7:7", "[2001:db8::7]:1"]);
        assert_eq!(parse("a\nhttp://x\n", 7).unwrap_err().split(": ").next(), Some("line 2"));
        assert!(parse("", 7).unwrap().is_empty());
    }

    #[test]
    fn limits_hold_at_one_more_and_one_less() {
        let lines = |count| parse(&"a\n".repeat(count), 1);
        assert_eq!(lines(LISTED_MAX).unwrap().len(), LISTED_MAX);
        assert!(lines(LISTED_MAX + 1).is_err());
        let path = tempfile::NamedTempFile::new().unwrap();
        for (bytes, good) in [(FILE_BYTES, true), (FILE_BYTES + 1, false)] {
            fs::write(&path, "#".repeat(bytes)).unwrap();
            assert_eq!(read(path.path(), 1).is_ok(), good, "{bytes}");
        }
        assert!(matches!(read(Path::new("/nowhere/at/all"), 1), Err(Error::File { .. })));
    }
}
