/work/main/scenarios/services/target/wasm32-wasip1/release/notes.wasm: /work/main/scenarios/services/notes/src/main.rs
