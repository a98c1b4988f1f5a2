//! The end of the process, when going on could break a promise.

use std::{
    io::{self, Write},
    process,
};

use mesh_wire::code::{Code, Report};

/// Exit status: what was promised to be on disk may not be.
const STATUS: i32 = 70;

/// Says why, in the last line of standard error, and ends the process at once: nothing is acknowledged after this.
pub(super) fn end(code: Code, why: &str) -> ! {
    // Nobody to tell is no reason to go on.
    writeln!(io::stderr(), "{}", Report::new(code, why)).ok();
    process::exit(STATUS);
}
