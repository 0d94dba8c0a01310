/work/main/scenarios/services/target/wasm32-wasip1/release/pure.wasm: /work/main/scenarios/services/pure/src/main.rs
