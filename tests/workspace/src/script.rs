//! Scripts: executable, and at least well formed.

use std::path::Path;
use std::process::Command;

use crate::Findings;
use crate::repository::File;

/// Scripts among the files: those that begin by saying who runs them.
#[must_use]
pub fn scripts(files: &[File]) -> Vec<&File> {
    files.iter().filter(|file| file.text.starts_with("#!") && !file.text.starts_with("#![")).collect()
}

/// Scripts that can't be started, and shell scripts that go on after an error.
#[must_use]
pub fn modes(files: &[File]) -> Findings {
    let mut findings = Findings::new();
    for script in scripts(files) {
        if !script.executable {
            findings.push(format!("{} is not executable", script.path));
        }
        if is_shell(script) && !script.text.contains("set -euo pipefail") {
            findings.push(format!("{} does not stop at errors: set -euo pipefail", script.path));
        }
    }
    findings
}

/// What `bash -n`, and `shellcheck` where there is one, say about each shell script under `root`.
#[must_use]
pub fn syntax(root: &Path, files: &[File]) -> Findings {
    let mut findings = Findings::new();
    for script in scripts(files).into_iter().filter(|script| is_shell(script)) {
        let path = root.join(&script.path);
        for (program, arguments) in [("bash", &["-n"][..]), ("shellcheck", &["--severity=warning"])] {
            // A program that is not there says nothing; bash always is.
            let Ok(output) = Command::new(program).args(arguments).arg(&path).output() else { continue };
            if !output.status.success() {
                let said = [output.stdout, output.stderr].concat();
                findings.push(format!("{}: {program}: {}", script.path, String::from_utf8_lossy(&said)));
            }
        }
    }
    findings
}

fn is_shell(script: &File) -> bool {
    script.text.lines().next().is_some_and(|line| line.ends_with("bash") || line.ends_with("/sh"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const GOOD: &str = "#!/usr/bin/env bash\nset -euo pipefail\necho \"$1\"\n";

    fn script(text: &str, executable: bool) -> [File; 1] {
        [File { executable, ..File::new("run", text) }]
    }

    #[test]
    fn scripts_that_cannot_be_started_are_found() {
        assert!(modes(&script(GOOD, true)).is_empty());
        assert_eq!(modes(&script(GOOD, false)), ["run is not executable"]);
        assert_eq!(modes(&script("#!/usr/bin/env bash\necho\n", true)).len(), 1);
        assert!(modes(&script("#![allow(x)]\n", false)).is_empty(), "that is Rust");
    }

    #[test]
    fn scripts_with_errors_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let check = |text: &str| {
            fs::write(folder.path().join("run"), text).unwrap();
            syntax(folder.path(), &script(text, true))
        };
        assert!(check(GOOD).is_empty());
        assert!(!check("#!/usr/bin/env bash\nif true; then\n").is_empty());
    }
}
