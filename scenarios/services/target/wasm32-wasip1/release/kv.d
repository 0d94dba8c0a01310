/work/main/scenarios/services/target/wasm32-wasip1/release/kv.wasm: /work/main/scenarios/services/kv/src/main.rs
