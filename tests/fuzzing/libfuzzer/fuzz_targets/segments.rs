#![no_main]
//! See `mesh_fuzzing::segments::target`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| mesh_fuzzing::segments::target(data));
