#![no_main]
//! See `mesh_fuzzing::names::target`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| mesh_fuzzing::names::target(data));
