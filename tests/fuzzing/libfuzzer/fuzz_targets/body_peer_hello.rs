#![no_main]
//! See `mesh_fuzzing::bodies::peer_hello`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| mesh_fuzzing::bodies::peer_hello(data));
