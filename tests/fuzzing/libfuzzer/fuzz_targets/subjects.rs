#![no_main]
//! See `mesh_fuzzing::subjects::target`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| mesh_fuzzing::subjects::target(data));
