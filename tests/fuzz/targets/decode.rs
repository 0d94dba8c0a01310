//! `cargo +nightly fuzz run decode`, from `tests/`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wavetank_tests::codec::decode(bytes));
