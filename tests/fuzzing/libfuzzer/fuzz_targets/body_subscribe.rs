#![no_main]
//! See `mesh_fuzzing::bodies::subscribe`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| mesh_fuzzing::bodies::subscribe(data));
