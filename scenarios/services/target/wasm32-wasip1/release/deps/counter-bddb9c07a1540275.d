/work/main/scenarios/services/target/wasm32-wasip1/release/deps/counter-bddb9c07a1540275.d: counter/src/main.rs

/work/main/scenarios/services/target/wasm32-wasip1/release/deps/counter-bddb9c07a1540275.wasm: counter/src/main.rs

counter/src/main.rs:
