//! A module that calls another for all it does: what a call through two modules is.

use marine_rs_sdk::marine;

fn main() {}

#[marine]
#[module_import("pure")]
extern "C" {
    #[link_name = "nop"]
    fn pure_nop();

    #[link_name = "add"]
    fn pure_add(a: i32, b: i32) -> i32;

    #[link_name = "greeting"]
    fn pure_greeting(name: String) -> String;

    #[link_name = "split"]
    fn pure_split(text: &str, at: &str) -> Vec<String>;
}

/// Nothing, in two modules.
#[marine]
pub fn nop() {
    pure_nop();
}

/// The sum of three, which takes two calls.
#[marine]
pub fn add3(a: i32, b: i32, c: i32) -> i32 {
    pure_add(pure_add(a, b), c)
}

/// A greeting for each of the names in a list that commas part.
#[marine]
pub fn greet_all(names: String) -> Vec<String> {
    pure_split(&names, ",").into_iter().map(pure_greeting).collect()
}

/// A greeting.
#[marine]
pub fn greeting(name: String) -> String {
    pure_greeting(name)
}
