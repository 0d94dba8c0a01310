/work/main/scenarios/services/target/wasm32-wasip1/release/facade.wasm: /work/main/scenarios/services/facade/src/main.rs
