#![no_main]
//! See `mesh_fuzzing::batches::target`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| mesh_fuzzing::batches::target(data));
