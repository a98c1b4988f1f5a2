//! Running a target over many inputs without libFuzzer.

use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::Target;
use crate::mutate::{Random, next_input};

/// How long to go on.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    /// This many inputs, besides the seeds.
    Inputs(usize),
    /// At least this long.
    Time(Duration),
}

/// An input on which a target panicked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The target's name.
    pub target: &'static str,
    /// Where the input came from.
    pub origin: String,
    /// The input.
    pub input: Vec<u8>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} failed on {}; keep the input in tests/fuzzing/regressions/{}/: ",
            self.target, self.origin, self.target
        )?;
        self.input.iter().try_for_each(|byte| write!(f, "\\x{byte:02x}"))
    }
}

impl std::error::Error for Finding {}

/// Runs the target over its seeds and then over mutations of them; the same seed gives the same inputs.
///
/// # Errors
/// The first input on which the target panicked. The panic itself was printed.
pub fn mutations(target: &Target, seed: u64, until: Until) -> Result<usize, Finding> {
    let seeds = (target.seeds)();
    for (number, input) in seeds.iter().enumerate() {
        run(target, input, || format!("seed input {number}"))?;
    }
    let mut random = Random::new(seed);
    let start = Instant::now();
    let mut inputs = 0;
    loop {
        match until {
            Until::Inputs(most) if inputs >= most => return Ok(inputs),
            // Looking at the clock costs more than some targets do.
            Until::Time(most) if inputs % 256 == 0 && start.elapsed() >= most => return Ok(inputs),
            _ => {}
        }
        let input = next_input(&mut random, &seeds);
        run(target, &input, || format!("mutation {inputs} of seed {seed}"))?;
        inputs += 1;
    }
}

/// Runs the target over every file of a directory, which need not be there; gives how many there were.
///
/// # Errors
/// The first input on which the target panicked, or a file that can't be read.
pub fn files(target: &Target, directory: &Path) -> Result<usize, Box<dyn std::error::Error>> {
    let mut inputs = 0;
    if !directory.is_dir() {
        return Ok(inputs);
    }
    for file in std::fs::read_dir(directory)? {
        let path = file?.path();
        run(target, &std::fs::read(&path)?, || path.display().to_string())?;
        inputs += 1;
    }
    Ok(inputs)
}

fn run(target: &Target, input: &[u8], origin: impl FnOnce() -> String) -> Result<(), Finding> {
    // A target has no state of its own that a panic could leave behind.
    panic::catch_unwind(AssertUnwindSafe(|| (target.run)(input))).map_err(|_| Finding {
        target: target.name,
        origin: origin(),
        input: input.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dislikes_zeros(input: &[u8]) {
        assert!(!input.contains(&0), "a zero");
    }

    const PICKY: Target = Target { name: "picky", run: dislikes_zeros, seeds: || vec![b"abc".to_vec()] };

    #[test]
    fn a_failing_target_is_found_with_its_input() {
        let finding = mutations(&PICKY, 1, Until::Inputs(10_000)).unwrap_err();
        assert!(finding.input.contains(&0));
        assert!(finding.to_string().contains("\\x00"));
        assert_eq!(mutations(&PICKY, 1, Until::Inputs(10_000)), Err(finding));
        assert_eq!(mutations(&PICKY, 1, Until::Inputs(0)), Ok(0));
    }
}
