/work/main/scenarios/services/target/release/deps/marine_rs_sdk_main-59236ebcbfd16c2b.d: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-main-0.14.0/src/lib.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-main-0.14.0/src/module_manifest.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-main-0.14.0/src/sdk_version_embedder.rs

/work/main/scenarios/services/target/release/deps/libmarine_rs_sdk_main-59236ebcbfd16c2b.rlib: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-main-0.14.0/src/lib.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-main-0.14.0/src/module_manifest.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-main-0.14.0/src/sdk_version_embedder.rs

/work/main/scenarios/services/target/release/deps/libmarine_rs_sdk_main-59236ebcbfd16c2b.rmeta: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-main-0.14.0/src/lib.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-main-0.14.0/src/module_manifest.rs /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-main-0.14.0/src/sdk_version_embedder.rs

/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-main-0.14.0/src/lib.rs:
/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-main-0.14.0/src/module_manifest.rs:
/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-rs-sdk-main-0.14.0/src/sdk_version_embedder.rs:

# env-dep:CARGO_PKG_VERSION=0.14.0
