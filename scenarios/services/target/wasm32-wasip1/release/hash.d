/work/main/scenarios/services/target/wasm32-wasip1/release/hash.wasm: /work/main/scenarios/services/hash/src/main.rs
