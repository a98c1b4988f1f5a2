#![no_main]
//! See `mesh_fuzzing::ext::target`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| mesh_fuzzing::ext::target(data));
