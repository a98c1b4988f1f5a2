#![no_main]
//! See `mesh_fuzzing::door::target`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| mesh_fuzzing::door::target(data));
