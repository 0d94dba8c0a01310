/work/main/scenarios/services/target/wasm32-wasip1/release/hostile.wasm: /work/main/scenarios/services/hostile/src/main.rs
