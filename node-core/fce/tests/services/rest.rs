//! Services that sleep, fail, and go on.

use std::sync::Arc;

use serde_json::json;
use wavetank_fce::fault::Fault;
use wavetank_fce::service::{Call, Failure, Life, OnTrap, Service};

use crate::{PEER, answer, ask, ask_as, call, modules, registry, start};

#[test]
fn a_service_that_slept_behaves_as_one_that_did_not() {
    let mut awake = start(&registry(), Life::default());
    let mut slept = start(&registry(), Life::default());
    for round in 0..3 {
        let arguments = json!([format!("label-{round}"), PEER]);
        let (one, other) =
            (ask(&mut awake, "get_key_id", arguments.clone()), ask(&mut slept, "get_key_id", arguments));
        assert_eq!((one.result, one.fuel), (other.result, other.fuel));
        slept = slept.sleep().unwrap().wake(modules().engine()).unwrap();
    }
    assert!(awake.snapshot().unwrap() == slept.snapshot().unwrap());
}

#[test]
fn out_of_fuel_is_an_error_that_leaves_the_service_usable() {
    for on_trap in [OnTrap::Keep, OnTrap::Restart] {
        let mut service = start(&registry(), Life { on_trap, ..Life::default() });
        let before = service.disk().digest();
        let little = Call { fuel: 1000, ..call() };
        let outcome = ask_as(&mut service, "get_key_id", &json!(["label", PEER]), &little);
        let Err(Failure::Call(error)) = outcome.result else { panic!("{outcome:?}") };
        assert_eq!(error.fault, Fault::OutOfFuel);
        assert_eq!(error.path.first().map(|(module, _)| module.as_str()), Some("registry"));
        assert_eq!(outcome.fuel, 1000);
        // A service that starts anew writes to its database as it starts.
        assert_eq!(service.disk().digest() == before, on_trap == OnTrap::Keep);
        let id = answer(&mut service, "get_key_id", json!(["label", PEER]));
        assert_eq!(id.as_str().map(str::len), Some(44), "{on_trap:?}: {id}");
    }
}

#[test]
fn what_a_call_needs_is_what_it_is_charged() {
    let spent = |fuel| {
        let mut service = start(&registry(), Life::default());
        ask_as(&mut service, "get_key_id", &json!(["label", PEER]), &Call { fuel, ..call() })
    };
    let needed = spent(call().fuel).fuel;
    assert!(spent(needed).result.is_ok());
    let outcome = spent(needed - 1);
    assert!(matches!(outcome.result, Err(Failure::Call(error)) if error.fault == Fault::OutOfFuel));
}

#[test]
fn services_of_one_kind_share_what_they_have_in_common() {
    let mut service = start(&registry(), Life::default());
    let first = service.snapshot().unwrap();
    let mut other = start(&registry(), Life::default());
    let second = other.snapshot().unwrap();
    assert!(Arc::ptr_eq(service.spec(), other.spec()));
    let pages = service.memory_bytes() as usize;
    assert!(first.size_bytes() < pages / 20 && second.size_bytes() < pages / 20, "{}", second.size_bytes());
}

#[test]
fn a_service_outlives_the_one_that_it_was_copied_from() {
    let snapshot = start(&registry(), Life::default()).sleep().unwrap();
    let mut copies: Vec<Service> = (0..8).map(|_| snapshot.wake(modules().engine()).unwrap()).collect();
    for copy in &mut copies {
        assert!(ask(copy, "get_key_id", json!(["label", PEER])).result.is_ok());
    }
}
