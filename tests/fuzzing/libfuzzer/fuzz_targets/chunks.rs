#![no_main]
//! See `mesh_fuzzing::chunks::target`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| mesh_fuzzing::chunks::target(data));
