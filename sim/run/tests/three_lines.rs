//! A whole run in a user's own test.

const HELLO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/kademlia/hello.yaml");

#[test]
fn hello_passes() -> Result<(), wavetank_run::RunError> {
    let run = wavetank_run::scenario(HELLO).seed(7).run()?;
    assert!(run.passed(), "{run}");
    Ok(())
}
