//! Feeds `visavis_fuzz::message` with what libFuzzer invents.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| visavis_fuzz::message(data));
