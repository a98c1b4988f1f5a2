//! Writes the seeds of all targets as files, for libFuzzer to start from: `mesh-fuzz-seeds DIRECTORY`.

use std::path::PathBuf;
use std::{env, fs, io};

use mesh_fuzzing::TARGETS;

fn main() -> io::Result<()> {
    let missing = || io::Error::new(io::ErrorKind::InvalidInput, "usage: mesh-fuzz-seeds DIRECTORY");
    let root = PathBuf::from(env::args_os().nth(1).ok_or_else(missing)?);
    for target in TARGETS {
        let directory = root.join(target.name);
        fs::create_dir_all(&directory)?;
        for (number, seed) in (target.seeds)().into_iter().enumerate() {
            fs::write(directory.join(number.to_string()), seed)?;
        }
    }
    Ok(())
}
