#![no_main]
//! See `mesh_fuzzing::logs::target`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| mesh_fuzzing::logs::target(data));
