#![no_main]
//! See `mesh_fuzzing::frames::target`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| mesh_fuzzing::frames::target(data));
