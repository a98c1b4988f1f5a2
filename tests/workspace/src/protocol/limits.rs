//! The numbers in the table of limits.

use mesh_wire::limits;

use crate::Findings;

/// Rows of the table, by how they begin, and the numbers that they have to name.
fn rows() -> Vec<(&'static str, Vec<usize>)> {
    vec![
        ("frame", vec![limits::FRAME_BYTES]),
        ("body part before a sender cuts", vec![limits::CHUNK_BYTES]),
        ("chunk series open", vec![limits::CHUNK_SERIES]),
        ("extension area", vec![limits::EXT_BYTES]),
        ("control body", vec![mesh_wire::body::CONTROL_BODY_BYTES]),
        ("subject, pattern", vec![limits::SUBJECT_BYTES, limits::SUBJECT_TOKENS]),
        ("name", vec![limits::NAME_BYTES]),
        ("headers", vec![limits::HEADERS, limits::HEADERS_BYTES]),
        ("header name", vec![mesh_wire::header::HEADER_NAME_BYTES]),
        ("key, message id", vec![limits::KEY_BYTES, limits::MESSAGE_ID_BYTES]),
        ("subscriptions per link", vec![limits::SUBSCRIPTIONS_PER_LINK]),
        ("credit", vec![limits::CREDIT_MAX as usize]),
        (
            "pending messages, bytes",
            vec![limits::PENDING_MESSAGES_MAX as usize, limits::PENDING_BYTES_MAX as usize],
        ),
        ("requests under way per link", vec![limits::REQUESTS_PER_LINK]),
        ("record batch", vec![limits::BATCH_BYTES, limits::BATCH_RECORDS]),
        ("batches of one producer under way", vec![limits::PRODUCER_WINDOW]),
        ("bytes asked for by a FETCH", vec![limits::FETCH_BYTES_MAX as usize]),
        ("body of a FETCHED", vec![mesh_wire::durable::FETCHED_BYTES]),
    ]
}

/// Limits that the page names wrongly, or not at all.
#[must_use]
pub fn check(page: &str) -> Findings {
    let table: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| "))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    let mut findings = Findings::new();
    for (what, numbers) in rows() {
        let row = table.iter().find(|row| row.len() > 3 && row[1].split(" (").next() == Some(what));
        let row =
            row.or_else(|| table.iter().find(|row| row.len() > 3 && row[1].starts_with(&format!("{what},"))));
        match row {
            None => findings.push(format!("the page has no limit for {what:?}")),
            Some(row) => findings.extend(
                numbers
                    .into_iter()
                    .map(grouped)
                    .filter(|number| !words(row[2]).any(|word| word == number))
                    .map(|number| format!("{what}: {number} is not in {:?}", row[2])),
            ),
        }
    }
    findings
}

/// Numbers and words of a text, without the marks around them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(' ').map(|word| word.trim_matches([',', ';', '.']))
}

/// `1048576` as `1,048,576`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> String {
        let row = |(what, numbers): (&str, Vec<usize>)| {
            let numbers: Vec<String> = numbers.into_iter().map(grouped).collect();
            format!("| {what} | {} bytes | x |\n", numbers.join(", "))
        };
        rows().into_iter().map(row).collect()
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, text) in [(4, "4"), (999, "999"), (1000, "1,000"), (1_048_576, "1,048,576")] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn a_limit_that_is_wrong_or_missing_is_found() {
        assert_eq!(check(&page()), Findings::new());
        assert_eq!(check(&page().replace("1,024", "1,025")).len(), 1);
        assert_eq!(check(&page().replace("| extension area", "| ext")).len(), 1);
    }
}
