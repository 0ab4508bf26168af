//! Feeds `visavis_fuzz::framing` with what libFuzzer invents.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| visavis_fuzz::framing(data));
