/work/main/scenarios/services/target/wasm32-wasip1/release/deps/marine_call_parameters-b8d1ea43e793c511.d: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-call-parameters-0.14.0/src/lib.rs

/work/main/scenarios/services/target/wasm32-wasip1/release/deps/libmarine_call_parameters-b8d1ea43e793c511.rlib: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-call-parameters-0.14.0/src/lib.rs

/work/main/scenarios/services/target/wasm32-wasip1/release/deps/libmarine_call_parameters-b8d1ea43e793c511.rmeta: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-call-parameters-0.14.0/src/lib.rs

/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/marine-call-parameters-0.14.0/src/lib.rs:
