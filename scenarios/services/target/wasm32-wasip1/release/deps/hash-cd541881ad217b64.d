/work/main/scenarios/services/target/wasm32-wasip1/release/deps/hash-cd541881ad217b64.d: hash/src/main.rs

/work/main/scenarios/services/target/wasm32-wasip1/release/deps/hash-cd541881ad217b64.wasm: hash/src/main.rs

hash/src/main.rs:
