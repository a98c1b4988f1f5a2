#![no_main]
//! See `mesh_fuzzing::hello::target`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| mesh_fuzzing::hello::target(data));
