//! What a check found.

use mesh_client::{Code, Error};
use serde::Serialize;

use crate::failure::Failure;
use crate::output::Output;
use crate::style::{Ink, printable};

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// As it should be.
    Ok,
    /// Worth a look.
    Warning,
    /// Wrong.
    Failed,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    status: Verdict,
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    docs: Option<String>,
}

impl Finding {
    /// As it should be.
    pub(super) fn ok(what: impl Into<String>) -> Self {
        Self { status: Verdict::Ok, what: what.into(), reason: None, hint: None, docs: None }
    }

    /// Worth a look.
    pub(super) fn warning(what: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { status: Verdict::Warning, reason: Some(reason.into()), ..Self::ok(what) }
    }

    /// Wrong, with the cause, the hint and the page of a code.
    pub(super) fn failed(what: impl Into<String>, code: Code) -> Self {
        Self {
            status: Verdict::Failed,
            reason: Some(code.cause().to_owned()),
            hint: Some(code.hint().to_owned()),
            docs: Some(page(code)),
            ..Self::ok(what)
        }
    }

    /// Wrong, as this error says.
    pub(super) fn error(error: &Error) -> Self {
        Self {
            reason: Some(error.cause().to_owned()),
            hint: Some(error.hint().to_owned()),
            ..Self::failed(error.message(), error.code())
        }
    }

    /// With the reason in this case.
    #[must_use]
    pub(super) fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// With what to do about it.
    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With the section of the guide that is about it.
    #[must_use]
    pub(super) fn guide(self, section: &str) -> Self {
        self.document(&format!("docs/guide/cli.md#{section}"))
    }

    /// With the place in the documents that is about it.
    #[must_use]
    pub(super) fn document(mut self, place: &str) -> Self {
        self.docs = Some(place.to_owned());
        self
    }

    /// Wrong, but something else stands in for it.
    #[must_use]
    pub(super) fn but_not_needed(mut self) -> Self {
        self.status = Verdict::Warning;
        self
    }
}

/// Where a code is explained.
fn page(code: Code) -> String {
    format!("docs/reference/errors/{code}.md (mesh explain {code})")
}

/// Findings about one matter.
#[derive(Debug, Serialize)]
struct Group {
    name: &'static str,
    checks: Vec<Finding>,
}

/// Everything that was found, by matter.
#[derive(Debug, Serialize)]
pub(super) struct Findings {
    groups: Vec<Group>,
}

impl Findings {
    /// Nothing so far.
    pub(super) fn new() -> Self {
        Self { groups: Vec::new() }
    }

    /// Adds a finding to the group of this name.
    pub(super) fn add(&mut self, group: &'static str, finding: Finding) {
        match self.groups.iter_mut().find(|other| other.name == group) {
            Some(group) => group.checks.push(finding),
            None => self.groups.push(Group { name: group, checks: vec![finding] }),
        }
    }

    /// Adds findings to the group of this name.
    pub(super) fn extend(&mut self, group: &'static str, findings: impl IntoIterator<Item = Finding>) {
        for finding in findings {
            self.add(group, finding);
        }
    }

    /// How each thing is, and where it is explained.
    #[cfg(test)]
    pub(super) fn verdicts(&self) -> Vec<(Verdict, Option<String>)> {
        self.all().map(|finding| (finding.status, finding.docs.clone())).collect()
    }

    /// How many things were looked at.
    pub(super) fn count(&self) -> usize {
        self.all().count()
    }

    /// How many of them are wrong.
    pub(super) fn wrong(&self) -> usize {
        self.all().filter(|finding| finding.status == Verdict::Failed).count()
    }

    fn all(&self) -> impl Iterator<Item = &Finding> {
        self.groups.iter().flat_map(|group| &group.checks)
    }

    /// Writes them.
    pub(super) fn write(&self, output: &mut Output) -> Result<(), Failure> {
        if output.json() {
            output.json_value(self)?;
            return output.flush();
        }
        for (at, group) in self.groups.iter().enumerate() {
            if at > 0 {
                output.line("")?;
            }
            let name = output.paint(Ink::Title, group.name).to_string();
            output.line(name)?;
            for finding in &group.checks {
                let (mark, ink) = match finding.status {
                    Verdict::Ok => ("√", Ink::Good),
                    Verdict::Warning => ("‼", Ink::Doubtful),
                    Verdict::Failed => ("×", Ink::Bad),
                };
                let mark = output.paint(ink, mark).to_string();
                output.line(format_args!("  {mark} {}", printable(&finding.what)))?;
                for detail in finding.details() {
                    output.line(format_args!("      {}", printable(&detail)))?;
                }
            }
        }
        output.flush()
    }
}

impl Finding {
    fn details(&self) -> impl Iterator<Item = String> {
        let docs = self.docs.as_ref().map(|docs| format!("see {docs}"));
        self.reason.clone().into_iter().chain(self.hint.clone()).chain(docs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_grouped_in_the_order_of_their_first() {
        let mut findings = Findings::new();
        findings.add("b", Finding::ok("1"));
        findings.add("a", Finding::failed("2", Code::NoResponders));
        findings.add("b", Finding::warning("3", "because").guide("mesh-check"));
        assert_eq!((findings.count(), findings.wrong()), (3, 1));
        let json = serde_json::to_value(&findings).unwrap();
        assert_eq!(json["groups"][0]["name"], "b");
        assert_eq!(json["groups"][0]["checks"][1]["status"], "warning");
        assert_eq!(json["groups"][1]["checks"][0]["status"], "failed");
        assert!(json["groups"][0]["checks"][0].get("reason").is_none());
    }

    #[test]
    fn what_is_wrong_says_why_and_where_to_read_on() {
        let details: Vec<String> = Finding::failed("x", Code::ConnectNothingListening).details().collect();
        assert_eq!(details.len(), 3);
        assert!(details[2].contains("docs/reference/errors/MESH-5002.md"), "{details:?}");
        assert_eq!(Finding::ok("x").details().count(), 0);
    }
}
