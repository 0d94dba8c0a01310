/work/main/scenarios/services/target/wasm32-wasip1/release/deps/notes-e16e2a843d59e3cf.d: notes/src/main.rs

/work/main/scenarios/services/target/wasm32-wasip1/release/deps/notes-e16e2a843d59e3cf.wasm: notes/src/main.rs

notes/src/main.rs:
