//! How the demonstration is shown.

use serde_json::json;

use crate::failure::Failure;
use crate::output::Output;
use crate::style::Ink;

/// What to type after the demonstration.
const NEXT: [(&str, &str); 5] = [
    ("mesh sub 'orders.>'", "then, in another terminal:"),
    ("mesh pub orders.created '{\"id\": 7}'", ""),
    ("mesh reply text.upper --command 'tr a-z A-Z'", "then, in another terminal:"),
    ("mesh request text.upper hello", ""),
    ("mesh check", "when something does not work"),
];

/// Where the demonstration is shown: step by step to a person, one object per step to a program.
pub(super) struct Stage<'a> {
    output: &'a mut Output,
    step: u32,
}

/// One step.
pub(super) struct Scene<'a> {
    /// What it is about.
    pub(super) title: &'a str,
    /// What is shown by it.
    pub(super) lesson: &'a str,
    /// Commands that do the same.
    pub(super) commands: &'a [String],
    /// What happened.
    pub(super) happened: &'a [String],
}

impl<'a> Stage<'a> {
    /// Before the first step.
    pub(super) fn new(output: &'a mut Output) -> Self {
        Self { output, step: 0 }
    }

    /// Shows a step.
    pub(super) fn show(&mut self, scene: &Scene<'_>) -> Result<(), Failure> {
        self.step += 1;
        if self.output.json() {
            self.output.json_line(&json!({
                "step": self.step,
                "title": scene.title,
                "commands": scene.commands,
                "happened": scene.happened,
            }))?;
            return self.output.flush();
        }
        let title = format!("{}. {}", self.step, scene.title);
        let title = self.output.paint(Ink::Title, title).to_string();
        self.output.line(title)?;
        self.output.line(format_args!("   {}", scene.lesson))?;
        for command in scene.commands {
            let command = self.output.paint(Ink::Dim, format!("   $ {command}")).to_string();
            self.output.line(command)?;
        }
        for line in scene.happened {
            let arrow = self.output.paint(Ink::Good, "   →").to_string();
            self.output.line(format_args!("{arrow} {line}"))?;
        }
        self.output.line("")?;
        self.output.flush()
    }

    /// After the last step: what to type next.
    pub(super) fn end(&mut self) -> Result<(), Failure> {
        if self.output.json() {
            return Ok(());
        }
        let title = self.output.paint(Ink::Title, "Now you").to_string();
        self.output.line(title)?;
        let width = NEXT.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
        for (command, remark) in NEXT {
            let line = format!("   $ {command:width$}  {remark}");
            self.output.line(line.trim_end())?;
        }
        self.output.flush()
    }
}
