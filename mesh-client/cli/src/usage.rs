//! A wrong command line in the project's own form, with a code and a hint.

use clap::builder::StyledStr;
use clap::error::ErrorKind;

use crate::failure::Failure;

/// What the parser of the command line came back with.
pub(crate) enum Answer {
    /// Help or a version: data.
    Data(StyledStr),
    /// Help because nothing was asked for: to standard error.
    Help(StyledStr),
    /// A mistake.
    Mistake(Failure),
}

/// Turns the parser's answer into ours. What help contains of colours is for the output to show or to leave out.
pub(crate) fn answer(error: &clap::Error) -> Answer {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Answer::Data(error.render()),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Answer::Help(error.render()),
        _ => Answer::Mistake(mistake(&error.render().to_string())),
    }
}

/// The parser's text is `error: what`, lines of details, `tip: …`, `Usage: …`, `For more information, …`, with empty
/// lines between them.
fn mistake(text: &str) -> Failure {
    let mut paragraphs = text.split("\n\n").map(str::trim);
    let what = paragraphs.next().unwrap_or_default();
    let what = what.strip_prefix("error: ").unwrap_or(what);
    let message = what.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let mut hints = Vec::new();
    for paragraph in paragraphs {
        if let Some(usage) = paragraph.strip_prefix("Usage: ") {
            hints.push(usage.lines().map(str::trim).collect::<Vec<_>>().join(" "));
        } else if paragraph.starts_with("tip: ") || paragraph.starts_with('[') {
            hints.extend(paragraph.lines().map(|tip| tip.trim().trim_start_matches("tip: ").to_owned()));
        }
    }
    let failure = Failure::usage(message);
    if hints.is_empty() { failure } else { failure.hint(hints.join("; ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::Parser as _;

    fn told(line: &str) -> (String, Option<String>) {
        let error = Cli::try_parse_from(line.split(' ')).unwrap_err();
        match answer(&error) {
            Answer::Mistake(Failure::Error(error)) => (error.message, error.hint),
            _ => panic!("{line} is no mistake"),
        }
    }

    #[test]
    fn mistakes_in_our_form() {
        let table = [
            ("mesh pub", "the following required arguments were not provided: <SUBJECT>", "mesh pub"),
            ("mesh pub a --countt 3", "unexpected argument '--countt' found", "--count"),
            ("mesh subb a", "unrecognized subcommand 'subb'", "sub"),
            ("mesh pub a --count x", "invalid value 'x' for '--count <N>': not a number", ""),
            (
                "mesh request a --timeout 2",
                "invalid value '2' for '--timeout <TIME>': the unit is missing",
                "",
            ),
            (
                "mesh sub a --url unix:///x --context y",
                "the argument '--url <URL>' cannot be used with",
                "mesh",
            ),
        ];
        for (line, message, hint) in table {
            let (told, advice) = told(line);
            assert!(told.starts_with(message), "{line}: {told}");
            assert!(!told.contains('\n'), "{line}: {told}");
            assert!(advice.unwrap_or_default().contains(hint), "{line}");
        }
    }

    #[test]
    fn help_is_data_when_it_was_asked_for() {
        let error = Cli::try_parse_from(["mesh", "--help"]).unwrap_err();
        assert!(matches!(answer(&error), Answer::Data(text) if text.to_string().contains("mesh demo")));
        let error = Cli::try_parse_from(["mesh"]).unwrap_err();
        assert!(matches!(answer(&error), Answer::Help(text) if text.to_string().contains("mesh demo")));
        let error = Cli::try_parse_from(["mesh", "--version"]).unwrap_err();
        assert!(matches!(answer(&error), Answer::Data(text) if text.to_string().starts_with("mesh ")));
    }
}
