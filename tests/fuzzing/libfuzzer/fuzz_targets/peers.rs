#![no_main]
//! See `mesh_fuzzing::peers::target`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| mesh_fuzzing::peers::target(data));
