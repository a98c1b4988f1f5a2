#![no_main]
//! See `mesh_fuzzing::records::target`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| mesh_fuzzing::records::target(data));
