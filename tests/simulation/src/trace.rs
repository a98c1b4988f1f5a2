//! What happened in a run, as one number, and for people.

use std::fmt::Write as _;

use crate::time::Time;

/// Folds all that happens into one number; two runs with the same number did the same. Says it in words when asked to.
#[derive(Debug)]
pub struct Trace {
    hash: u64,
    events: u64,
    tail: Tail,
}

/// What is kept of the words.
#[derive(Debug)]
enum Tail {
    Nothing,
    Print,
    Lines(Vec<String>),
}

impl Trace {
    /// Counts only.
    #[must_use]
    pub fn silent() -> Self {
        Self::with(Tail::Nothing)
    }

    /// Says each event on standard error when it happens.
    #[must_use]
    pub fn printing() -> Self {
        Self::with(Tail::Print)
    }

    /// Keeps the words.
    #[must_use]
    pub fn keeping() -> Self {
        Self::with(Tail::Lines(Vec::new()))
    }

    fn with(tail: Tail) -> Self {
        Self { hash: 0xcbf2_9ce4_8422_2325, events: 0, tail }
    }

    /// Something happened: what, and numbers that tell it from other events of its kind. The node is 0 for none.
    pub fn event(&mut self, at: Time, node: u64, what: &'static str, numbers: &[(&'static str, u64)]) {
        self.events += 1;
        self.mix(at.0);
        self.mix(node);
        what.bytes().for_each(|byte| self.mix(u64::from(byte)));
        numbers.iter().for_each(|(_, number)| self.mix(*number));
        if matches!(self.tail, Tail::Nothing) {
            return;
        }
        let mut line = format!("{at} ");
        _ = match node {
            0 => write!(line, "   {what}"),
            node => write!(line, "n{node} {what}"),
        };
        for (name, number) in numbers {
            _ = write!(line, " {name}={number}");
        }
        self.say(line);
    }

    /// Says something that follows from the events before, and so does not count. Costs nothing when nobody listens.
    pub fn note(&mut self, at: Time, words: impl FnOnce() -> String) {
        if !matches!(self.tail, Tail::Nothing) {
            let line = format!("{at} {}", words());
            self.say(line);
        }
    }

    /// The number.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// How many events there were.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The words that were kept.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        match &self.tail {
            Tail::Lines(lines) => lines,
            _ => &[],
        }
    }

    fn mix(&mut self, number: u64) {
        self.hash = (self.hash ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }

    #[expect(clippy::print_stderr, reason = "it was asked for, and standard output is for the result")]
    fn say(&mut self, line: String) {
        match &mut self.tail {
            Tail::Nothing => {}
            Tail::Print => eprintln!("{line}"),
            Tail::Lines(lines) => lines.push(line),
        }
    }
}
