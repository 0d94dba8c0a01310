/work/main/scenarios/services/target/wasm32-wasip1/release/deps/facade-ceb7c4065a4161c5.d: facade/src/main.rs

/work/main/scenarios/services/target/wasm32-wasip1/release/deps/facade-ceb7c4065a4161c5.wasm: facade/src/main.rs

facade/src/main.rs:
