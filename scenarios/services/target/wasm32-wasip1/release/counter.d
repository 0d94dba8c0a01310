/work/main/scenarios/services/target/wasm32-wasip1/release/counter.wasm: /work/main/scenarios/services/counter/src/main.rs
