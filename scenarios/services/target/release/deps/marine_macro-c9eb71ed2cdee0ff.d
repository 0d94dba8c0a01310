/work/main/scenarios/services/target/release/deps/marine_macro-c9eb71ed2cdee0ff.d: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-macro-0.14.0/src/lib.rs

/work/main/scenarios/services/target/release/deps/libmarine_macro-c9eb71ed2cdee0ff.so: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-macro-0.14.0/src/lib.rs

/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-macro-0.14.0/src/lib.rs:
