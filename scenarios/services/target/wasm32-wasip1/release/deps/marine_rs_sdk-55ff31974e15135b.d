/work/main/scenarios/services/target/wasm32-wasip1/release/deps/marine_rs_sdk-55ff31974e15135b.d: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-0.14.0/src/lib.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-0.14.0/src/mounted_binary.rs

/work/main/scenarios/services/target/wasm32-wasip1/release/deps/libmarine_rs_sdk-55ff31974e15135b.rlib: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-0.14.0/src/lib.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-0.14.0/src/mounted_binary.rs

/work/main/scenarios/services/target/wasm32-wasip1/release/deps/libmarine_rs_sdk-55ff31974e15135b.rmeta: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-0.14.0/src/lib.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-0.14.0/src/mounted_binary.rs

/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-0.14.0/src/lib.rs:
/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-0.14.0/src/mounted_binary.rs:
