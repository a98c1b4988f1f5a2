//! The file that says what a data directory is.

use super::Uuid;

/// The name of the file.
pub(super) const NAME: &str = "DATA";
/// The format of data directories that this version writes and reads.
pub(crate) const FORMAT: u32 = 1;
/// The most bytes that the file may have.
pub(super) const BYTES_MAX: usize = 64 * 1024;
const TITLE: &str = "mesh data directory";
const AGREED: &str = "agreed";
const BEGUN: &str = "begun";

/// What the `DATA` file of a directory says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// The format of everything in the directory.
    pub format: u32,
    /// The UUID that it was made with.
    pub directory: Uuid,
    /// The UUID of its cluster, once it is known.
    pub cluster: Option<Uuid>,
    /// The number of its node in the cluster, once it has one.
    pub number: Option<u64>,
    /// The name of its cluster.
    pub cluster_name: String,
    /// The name of its node.
    pub node_name: String,
    /// The directories of the nodes that founded its cluster, if its node is one of them and they have agreed.
    pub founders: Option<Founders>,
}

/// The directories of the nodes that found a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Founders {
    /// Those of nodes 1, 2, …
    pub directories: Vec<Uuid>,
    /// Whether all of them are known to have written down the same: from then on a node may vote.
    pub begun: bool,
}

impl Founders {
    fn to_line(&self) -> String {
        let directories: Vec<String> = self.directories.iter().map(Uuid::to_string).collect();
        format!("founders: {} {}\n", if self.begun { BEGUN } else { AGREED }, directories.join(" "))
    }

    fn parse(text: &str) -> Option<Self> {
        let (word, directories) = text.split_once(' ')?;
        let begun = match word {
            BEGUN => true,
            AGREED => false,
            _ => return None,
        };
        let directories = directories.split(' ').map(|uuid| uuid.parse().ok()).collect::<Option<_>>()?;
        Some(Self { directories, begun })
    }
}

/// Why the text is no `DATA` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It is of another format.
    Format(u32),
    /// It is not what was written.
    Damaged(&'static str),
}

impl DataFile {
    /// As text, with a checksum as the last line.
    pub(super) fn to_text(&self) -> String {
        let cluster = self.cluster.map_or("none".to_owned(), |uuid| uuid.to_string());
        let number = self.number.map_or("none".to_owned(), |number| number.to_string());
        let founders = self.founders.as_ref().map(Founders::to_line).unwrap_or_default();
        let body = format!(
            "{TITLE}\nformat: {}\ndirectory: {}\ncluster: {cluster}\nnumber: {number}\ncluster-name: {}\nnode-name: {}\n{founders}",
            self.format, self.directory, self.cluster_name, self.node_name
        );
        format!("{body}crc32c: {:08x}\n", crc32c::crc32c(body.as_bytes()))
    }

    pub(super) fn parse(text: &[u8]) -> Result<Self, Unreadable> {
        let text = std::str::from_utf8(text).map_err(|_| Unreadable::Damaged("it is not text"))?;
        let rest = text.strip_prefix(TITLE).ok_or(Unreadable::Damaged("it does not begin with its title"))?;
        // The format comes first, so that it can be told from damage whatever a later one has behind it.
        let format = rest
            .strip_prefix("\nformat: ")
            .and_then(|rest| rest.split_once('\n'))
            .and_then(|(number, _)| number.parse().ok())
            .ok_or(Unreadable::Damaged("it has no format"))?;
        if format != FORMAT {
            return Err(Unreadable::Format(format));
        }
        let at = text.rfind("crc32c: ").ok_or(Unreadable::Damaged("it has no checksum"))?;
        let (body, sum) = text.split_at(at);
        if sum != format!("crc32c: {:08x}\n", crc32c::crc32c(body.as_bytes())) {
            return Err(Unreadable::Damaged("its checksum is another one"));
        }
        let field = |name: &str| {
            body.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).map(str::to_owned)
        };
        let missing = Unreadable::Damaged("a line is missing or can't be read");
        let cluster = field("cluster").ok_or(missing.clone())?;
        let number = field("number").ok_or(missing.clone())?;
        Ok(Self {
            format,
            directory: field("directory").and_then(|text| text.parse().ok()).ok_or(missing.clone())?,
            cluster: match cluster.as_str() {
                "none" => None,
                uuid => Some(uuid.parse().map_err(|_| missing.clone())?),
            },
            number: match number.as_str() {
                "none" => None,
                number => Some(number.parse().map_err(|_| missing.clone())?),
            },
            cluster_name: field("cluster-name").ok_or(missing.clone())?,
            node_name: field("node-name").ok_or(missing.clone())?,
            founders: match field("founders") {
                Some(text) => Some(Founders::parse(&text).ok_or(missing)?),
                None => None,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data() -> DataFile {
        DataFile {
            format: FORMAT,
            directory: Uuid(1),
            cluster: Some(Uuid(2)),
            number: Some(3),
            cluster_name: "mesh".to_owned(),
            node_name: "a".to_owned(),
            founders: None,
        }
    }

    fn founder(begun: bool) -> DataFile {
        DataFile { founders: Some(Founders { directories: vec![Uuid(1), Uuid(4)], begun }), ..data() }
    }

    #[test]
    fn it_is_read_as_it_is_written() {
        for data in
            [data(), DataFile { cluster: None, number: None, ..data() }, founder(false), founder(true)]
        {
            assert_eq!(DataFile::parse(data.to_text().as_bytes()), Ok(data));
        }
    }

    #[test]
    fn the_text_is_for_people_too() {
        assert_eq!(
            data().to_text(),
            "mesh data directory\nformat: 1\ndirectory: 00000000-0000-0000-0000-000000000001\n\
             cluster: 00000000-0000-0000-0000-000000000002\nnumber: 3\ncluster-name: mesh\nnode-name: a\ncrc32c: d4ddd8f4\n"
        );
    }

    #[test]
    fn a_founder_has_all_founders() {
        let text = founder(false).to_text();
        let line = text.lines().find(|line| line.starts_with("founders"));
        assert_eq!(
            line,
            Some(
                "founders: agreed 00000000-0000-0000-0000-000000000001 00000000-0000-0000-0000-000000000004"
            )
        );
        for wrong in ["", "begun", "begun ", "soon 00000000-0000-0000-0000-000000000001", "begun 1"] {
            assert_eq!(Founders::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn no_bit_can_flip_unnoticed() {
        let text = data().to_text().into_bytes();
        for at in 0..text.len() * 8 {
            let mut flipped = text.clone();
            flipped[at / 8] ^= 1 << (at % 8);
            assert_ne!(DataFile::parse(&flipped), Ok(data()), "bit {at}");
            assert!(DataFile::parse(&flipped).is_err(), "bit {at}");
        }
    }

    #[test]
    fn no_part_of_it_is_taken_for_the_whole() {
        let text = data().to_text().into_bytes();
        for len in 0..text.len() {
            assert!(matches!(DataFile::parse(&text[..len]), Err(Unreadable::Damaged(_))), "{len} bytes");
        }
    }

    #[test]
    fn another_format_is_named() {
        let text = data().to_text().replace("format: 1", "format: 2");
        assert_eq!(DataFile::parse(text.as_bytes()), Err(Unreadable::Format(2)));
    }
}
