/work/main/scenarios/services/target/release/deps/marine_timestamp_macro-b1368d3bbe83f64b.d: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-timestamp-macro-0.14.0/src/lib.rs

/work/main/scenarios/services/target/release/deps/libmarine_timestamp_macro-b1368d3bbe83f64b.so: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-timestamp-macro-0.14.0/src/lib.rs

/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-timestamp-macro-0.14.0/src/lib.rs:
