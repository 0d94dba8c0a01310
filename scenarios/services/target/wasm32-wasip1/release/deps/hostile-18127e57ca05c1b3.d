/work/main/scenarios/services/target/wasm32-wasip1/release/deps/hostile-18127e57ca05c1b3.d: hostile/src/main.rs

/work/main/scenarios/services/target/wasm32-wasip1/release/deps/hostile-18127e57ca05c1b3.wasm: hostile/src/main.rs

hostile/src/main.rs:
