//! `cargo +nightly fuzz run node`, from `tests/`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wavetank_tests::seam::sequence(bytes));
