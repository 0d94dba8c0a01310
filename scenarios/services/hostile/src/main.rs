//! Functions that misbehave when they are told to: what a host must survive.

use std::fs;
use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use marine_rs_sdk::marine;

fn main() {}

/// Goes on for ever.
#[marine]
pub fn spin() -> u64 {
    let mut x = 1_u64;
    loop {
        x = std::hint::black_box(x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    }
}

/// Calls itself so many times.
#[marine]
pub fn recurse(times: u64) -> u64 {
    let mut room = [0_u8; 64];
    room[(times % 64) as usize] = 1;
    if times == 0 { 0 } else { 1 + recurse_on(times - 1, std::hint::black_box(&room)) }
}

fn recurse_on(times: u64, room: &[u8; 64]) -> u64 {
    recurse(times) + u64::from(room[63]) * 0
}

/// Takes so many mebibytes of memory, and touches them.
#[marine]
pub fn allocate_mib(mib: u32) -> u64 {
    let blocks: Vec<Vec<u8>> = (0..mib).map(|block| vec![block as u8 | 1; 1 << 20]).collect();
    blocks.iter().map(|block| block.len() as u64).sum()
}

/// Writes so many mebibytes to a file; how many it wrote.
#[marine]
pub fn fill_disk(mib: u32) -> u64 {
    let Ok(mut file) = fs::File::create("/storage/filler") else { return 0 };
    let block = vec![7_u8; 1 << 20];
    (0..mib).take_while(|_| file.write_all(&block).is_ok()).count() as u64
}

/// A result of so many bytes.
#[marine]
pub fn huge(bytes: u32) -> Vec<u8> {
    vec![1; bytes as usize]
}

/// Panics.
#[marine]
pub fn panic(message: String) {
    panic!("{message}");
}

/// Prints so many lines.
#[marine]
pub fn flood(lines: u32) {
    for line in 0..lines {
        println!("line {line} of a flood");
    }
}

/// Ends the whole process.
#[marine]
pub fn quit(code: i32) {
    std::process::exit(code);
}

/// What the clock says, in Unix milliseconds.
#[marine]
pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as u64)
}

/// Keys of a map in the order in which it gives them: an order that is drawn anew in each process.
#[marine]
pub fn shuffled() -> Vec<String> {
    let map: std::collections::HashMap<String, ()> = (0..16).map(|key| (key.to_string(), ())).collect();
    map.into_keys().collect()
}

/// Sleeps.
#[marine]
pub fn sleep_ms(ms: u64) {
    std::thread::sleep(std::time::Duration::from_millis(ms));
}

/// Reads where there is nothing.
#[marine]
pub fn read_outside() -> u8 {
    // SAFETY: there is none. It is what this function is for: a trap.
    unsafe { std::ptr::read_volatile(usize::MAX as *const u8) }
}

/// Writes to a file, and then panics: the host must not keep the file.
#[marine]
pub fn write_and_panic(text: String) {
    let _ = fs::write("/storage/torn", text);
    panic!("after writing");
}

/// What [`write_and_panic`] left.
#[marine]
pub fn torn() -> String {
    fs::read_to_string("/storage/torn").unwrap_or_default()
}
