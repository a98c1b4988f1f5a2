#![no_main]
//! See `mesh_fuzzing::headers::target`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| mesh_fuzzing::headers::target(data));
