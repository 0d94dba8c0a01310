/work/main/scenarios/services/target/wasm32-wasip1/release/deps/marine_rs_sdk_main-7f0f0a5c5a02e2e7.d: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-main-0.14.0/src/lib.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-main-0.14.0/src/export_allocator.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-main-0.14.0/src/module_manifest.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-main-0.14.0/src/result.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-main-0.14.0/src/sdk_version_embedder.rs

/work/main/scenarios/services/target/wasm32-wasip1/release/deps/libmarine_rs_sdk_main-7f0f0a5c5a02e2e7.rlib: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-main-0.14.0/src/lib.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-main-0.14.0/src/export_allocator.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-main-0.14.0/src/module_manifest.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-main-0.14.0/src/result.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-main-0.14.0/src/sdk_version_embedder.rs

/work/main/scenarios/services/target/wasm32-wasip1/release/deps/libmarine_rs_sdk_main-7f0f0a5c5a02e2e7.rmeta: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-main-0.14.0/src/lib.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-main-0.14.0/src/export_allocator.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-main-0.14.0/src/module_manifest.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-main-0.14.0/src/result.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-main-0.14.0/src/sdk_version_embedder.rs

/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-main-0.14.0/src/lib.rs:
/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-main-0.14.0/src/export_allocator.rs:
/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-main-0.14.0/src/module_manifest.rs:
/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-main-0.14.0/src/result.rs:
/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-main-0.14.0/src/sdk_version_embedder.rs:

# env-dep:CARGO_PKG_VERSION=0.14.0
