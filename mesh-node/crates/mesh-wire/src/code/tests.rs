use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// Set to write the pages instead of comparing them.
const UPDATE: &str = "MESH_UPDATE_DOCS";

/// The variants as they are written in the source, so that one without an entry is found.
fn variants() -> BTreeMap<String, u16> {
    let source = include_str!("../code.rs");
    let body = source.split_once("pub enum Code {").unwrap().1.split_once("\n}").unwrap().0;
    body.lines()
        .filter_map(|line| line.trim().strip_suffix(',')?.split_once(" = "))
        .map(|(name, number)| (name.to_owned(), number.parse().unwrap()))
        .collect()
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for (at, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && at > 0 {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[test]
fn every_variant_has_one_entry_with_its_number_and_name() {
    let table: BTreeMap<String, u16> =
        table::entries().map(|entry| (format!("{:?}", entry.code), entry.code.number())).collect();
    assert_eq!(table, variants());
    assert_eq!(table::entries().count(), variants().len(), "an entry is there twice");
    for entry in table::entries() {
        assert_eq!(entry.name, snake_case(&format!("{:?}", entry.code)));
        assert_eq!(table::entry(entry.code).name, entry.name);
    }
}

#[test]
fn numbers_rise_and_stay_in_their_ranges() {
    let numbers: Vec<u16> = Code::all().map(Code::number).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    assert!(numbers.iter().all(|number| (1001..=7999).contains(number)));
    assert_eq!(Code::NoResponders.number(), 1042);
}

#[test]
fn codes_are_found_by_number_and_by_what_people_type() {
    for code in Code::all() {
        assert_eq!(Code::from_number(code.number().into()), Some(code));
        for text in [code.to_string(), code.to_string().to_lowercase(), code.number().to_string()] {
            assert_eq!(text.parse(), Ok(code), "{text}");
        }
        assert_eq!(code.name().parse(), Ok(code));
        assert_eq!(code.name().to_uppercase().parse(), Ok(code));
    }
    for text in
        ["", "MESH-", "MESH-1", "MESH-+1042", "+1042", "1042x", "MESH-no_responders", "€€", "99999999999"]
    {
        assert_eq!(text.parse::<Code>(), Err(ParseCodeError), "{text}");
    }
    for number in [0, 1, 1041, 1042 + 65_536, u32::MAX] {
        assert_eq!(Code::from_number(number), None, "{number}");
    }
    assert_eq!(ParseCodeError.code(), Code::CodeUnknown);
}

#[test]
fn every_text_is_a_text() {
    for code in Code::all() {
        let lines = [code.title(), code.cause(), code.hint()];
        for text in lines.into_iter().chain(code.explanation().split("\n\n")) {
            assert!(text.len() > 8, "{code}: {text:?} is too short to help");
            assert!(text.trim() == text && !text.contains("  ") && !text.contains('\n'), "{code}: {text:?}");
        }
        assert!(!code.title().ends_with('.'), "{code}: a title is no sentence");
        assert!(code.title().len() <= 72, "{code}: a title fits a line");
        assert!(lines[1..].iter().all(|text| text.len() <= 140), "{code}: cause and hint fit a line");
    }
}

#[test]
fn kinds_agree_with_retrying() {
    for code in Code::all() {
        match code.kind() {
            ErrorKind::Busy | ErrorKind::NoResponders if code != Code::MessagesDropped => {
                assert!(code.is_retryable(), "{code}");
            }
            ErrorKind::Invalid | ErrorKind::Limit | ErrorKind::NotFound | ErrorKind::Unauthorized => {
                assert!(!code.is_retryable(), "{code}");
            }
            _ => {}
        }
    }
}

#[test]
fn what_leaves_the_outcome_unknown_is_no_refusal() {
    for code in Code::all().filter(|code| code.leaves_outcome_unknown()) {
        let refusals =
            [ErrorKind::Invalid, ErrorKind::Limit, ErrorKind::NotFound, ErrorKind::Busy, ErrorKind::Refused];
        assert!(!refusals.contains(&code.kind()), "{code}");
    }
    assert!(Code::OutcomeUnknown.leaves_outcome_unknown() && Code::OutcomeUnknown.is_retryable());
    assert!(!Code::NoLeader.leaves_outcome_unknown() && Code::NoLeader.is_retryable());
}

#[test]
fn a_report_takes_from_the_table_what_it_was_not_told() {
    let report = Report::new(Code::NoResponders, "no responders for \"a\"");
    assert_eq!(
        report.to_string(),
        format!(
            "error[MESH-1042]: no responders for \"a\"\ncause: {}\nhint: {}",
            Code::NoResponders.cause(),
            Code::NoResponders.hint()
        )
    );
    let told = report.cause("because").hint("do");
    assert_eq!(told.to_string(), "error[MESH-1042]: no responders for \"a\"\ncause: because\nhint: do");
    assert_eq!(told.code(), Code::NoResponders);
}

fn docs_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/reference/errors")
}

fn index() -> String {
    let mut page = String::from(
        "# Error codes\n\n\
         Every error of Mesh has a code that never changes its meaning and is never used for another error. A page\n\
         says what it means, its usual causes and what to do; `mesh explain MESH-1042` prints the same text.\n\n\
         These pages are made from the table in `mesh-wire` (module `code`):\n\
         `MESH_UPDATE_DOCS=1 cargo test -p mesh-wire code::` writes them anew, and the tests compare them.\n",
    );
    let ranges = [
        ("Links, frames and messages", 1001..=1049),
        ("The end of links, access, internal errors", 1050..=1099),
        ("Record batches", 1100..=1999),
        ("Subjects, names and subscriptions", 2001..=2999),
        ("Requests and replies", 3001..=3999),
        ("Configuration and start-up of a node", 4001..=4999),
        ("Clients and the command line", 5001..=5999),
        ("Networks, certificates, tokens, peers", 6001..=6099),
        ("Discovery", 6100..=6999),
        ("The durable plane", 7001..=7999),
    ];
    for (title, range) in ranges {
        write!(page, "\n## {title}\n\n| code | what | kind | retry |\n|---|---|---|---|\n").unwrap();
        for code in Code::all().filter(|code| range.contains(&code.number())) {
            let retry = if code.is_retryable() { "yes" } else { "no" };
            writeln!(page, "| [{code}]({code}.md) | {} | {} | {retry} |", code.title(), code.kind()).unwrap();
        }
    }
    page
}

#[test]
fn cited_sections_of_the_protocol_are_there() {
    let protocol = fs::read_to_string(docs_dir().join("../protocol.md")).unwrap();
    let headings: Vec<&str> = protocol.lines().filter(|line| line.starts_with('#')).collect();
    let mut cited = 0;
    for code in Code::all() {
        for text in [code.cause(), code.hint(), code.explanation()] {
            for rest in text.split("protocol.md, \"").skip(1) {
                let section = rest.split('"').next().unwrap();
                assert!(
                    headings.iter().any(|heading| heading.contains(section)),
                    "{code}: no section {section:?}"
                );
                cited += 1;
            }
        }
    }
    assert!(cited >= 8, "{cited} citations");
}

#[test]
fn the_pages_are_those_of_the_table() {
    let dir = docs_dir();
    let mut pages: BTreeMap<String, String> =
        Code::all().map(|code| (format!("{code}.md"), explain(code))).collect();
    pages.insert("README.md".to_owned(), index());
    if std::env::var_os(UPDATE).is_some() {
        fs::create_dir_all(&dir).unwrap();
        for (name, page) in &pages {
            fs::write(dir.join(name), page).unwrap();
        }
    }
    for (name, page) in &pages {
        let found = fs::read_to_string(dir.join(name)).unwrap_or_default();
        assert!(found == *page, "docs/reference/errors/{name} is out of date: run with {UPDATE}=1");
    }
    for file in fs::read_dir(&dir).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        assert!(
            pages.contains_key(&name),
            "{name} has no code: a code that was published is never taken away"
        );
    }
}
