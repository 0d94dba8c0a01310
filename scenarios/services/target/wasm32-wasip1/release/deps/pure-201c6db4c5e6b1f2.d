/work/main/scenarios/services/target/wasm32-wasip1/release/deps/pure-201c6db4c5e6b1f2.d: pure/src/main.rs

/work/main/scenarios/services/target/wasm32-wasip1/release/deps/pure-201c6db4c5e6b1f2.wasm: pure/src/main.rs

pure/src/main.rs:
