//! Feeds `visavis_fuzz::server` with what libFuzzer invents.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| visavis_fuzz::server(data));
