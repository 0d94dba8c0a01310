//! Functions of every kind of argument and result, without state: what goes in and out of a service, and nothing else.
//!
//! Each has an answer that is known beforehand, so that a host can be checked against it.

use marine_rs_sdk::marine;

fn main() {}

/// Nothing.
#[marine]
pub fn nop() {}

/// The sum, modulo 2^32.
#[marine]
pub fn add(a: i32, b: i32) -> i32 {
    a.wrapping_add(b)
}

/// A greeting.
#[marine]
pub fn greeting(name: String) -> String {
    format!("Hi, {name}")
}

/// The text, the other way round.
#[marine]
pub fn reverse(text: String) -> String {
    text.chars().rev().collect()
}

/// How many bytes a text has.
#[marine]
pub fn length(text: &str) -> u32 {
    text.len() as u32
}

/// The opposite.
#[marine]
pub fn not(value: bool) -> bool {
    !value
}

/// The next number of each kind, modulo its size.
#[marine]
pub fn next_s8(value: i8) -> i8 {
    value.wrapping_add(1)
}

/// As [`next_s8`], of 16 bits.
#[marine]
pub fn next_s16(value: i16) -> i16 {
    value.wrapping_add(1)
}

/// As [`next_s8`], of 32 bits.
#[marine]
pub fn next_s32(value: i32) -> i32 {
    value.wrapping_add(1)
}

/// As [`next_s8`], of 64 bits.
#[marine]
pub fn next_s64(value: i64) -> i64 {
    value.wrapping_add(1)
}

/// As [`next_s8`], without a sign.
#[marine]
pub fn next_u8(value: u8) -> u8 {
    value.wrapping_add(1)
}

/// As [`next_u8`], of 16 bits.
#[marine]
pub fn next_u16(value: u16) -> u16 {
    value.wrapping_add(1)
}

/// As [`next_u8`], of 32 bits.
#[marine]
pub fn next_u32(value: u32) -> u32 {
    value.wrapping_add(1)
}

/// As [`next_u8`], of 64 bits.
#[marine]
pub fn next_u64(value: u64) -> u64 {
    value.wrapping_add(1)
}

/// Half of it.
#[marine]
pub fn half_f32(value: f32) -> f32 {
    value / 2.0
}

/// Half of it.
#[marine]
pub fn half_f64(value: f64) -> f64 {
    value / 2.0
}

/// The bytes, sorted.
#[marine]
pub fn sort(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.sort_unstable();
    bytes
}

/// All words in one text.
#[marine]
pub fn join(words: Vec<String>, between: String) -> String {
    words.join(&between)
}

/// The words of a text.
#[marine]
pub fn split(text: &str, at: &str) -> Vec<String> {
    text.split(at).map(str::to_owned).collect()
}

/// Rows and columns, exchanged. Rows that are shorter than the first are filled up with zeros.
#[marine]
pub fn transpose(rows: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let columns = rows.first().map_or(0, Vec::len);
    (0..columns).map(|column| rows.iter().map(|row| row.get(column).copied().unwrap_or(0.0)).collect()).collect()
}

/// A value of each kind.
#[marine]
#[derive(Clone, Debug)]
pub struct Sample {
    pub flag: bool,
    pub s8: i8,
    pub s16: i16,
    pub s32: i32,
    pub s64: i64,
    pub u8: u8,
    pub u16: u16,
    pub u32: u32,
    pub u64: u64,
    pub f32: f32,
    pub f64: f64,
    pub text: String,
    pub bytes: Vec<u8>,
    pub words: Vec<String>,
    pub table: Vec<Vec<u32>>,
}

/// A record of records.
#[marine]
#[derive(Clone, Debug)]
pub struct Nested {
    pub first: Sample,
    pub others: Vec<Sample>,
}

/// The sample, with each value changed: the flag turned, numbers and what is in lists counted up, texts repeated.
#[marine]
pub fn change(sample: Sample) -> Sample {
    Sample {
        flag: !sample.flag,
        s8: sample.s8.wrapping_add(1),
        s16: sample.s16.wrapping_add(1),
        s32: sample.s32.wrapping_add(1),
        s64: sample.s64.wrapping_add(1),
        u8: sample.u8.wrapping_add(1),
        u16: sample.u16.wrapping_add(1),
        u32: sample.u32.wrapping_add(1),
        u64: sample.u64.wrapping_add(1),
        f32: sample.f32 / 2.0,
        f64: sample.f64 / 2.0,
        text: sample.text.repeat(2),
        bytes: sample.bytes.iter().map(|byte| byte.wrapping_add(1)).collect(),
        words: sample.words.iter().map(|word| word.repeat(2)).collect(),
        table: sample.table.iter().map(|row| row.iter().map(|value| value.wrapping_add(1)).collect()).collect(),
    }
}

/// The record with its first sample also behind the others.
#[marine]
pub fn rotate(nested: Nested) -> Nested {
    let mut others = nested.others;
    others.push(nested.first);
    let first = others.remove(0);
    Nested { first, others }
}

/// How many samples there are, and what their texts have together.
#[marine]
pub fn measure(nested: &Nested) -> Vec<u64> {
    let all = || std::iter::once(&nested.first).chain(&nested.others);
    vec![all().count() as u64, all().map(|sample| sample.text.len() as u64).sum()]
}

/// The bits of several numbers.
#[marine]
pub fn bits(values: Vec<bool>) -> u64 {
    values.iter().fold(0, |bits, value| bits << 1 | u64::from(*value))
}

/// The sums of both kinds of numbers.
#[marine]
pub fn totals(small: Vec<i16>, large: Vec<i64>) -> Vec<i64> {
    vec![small.iter().map(|value| i64::from(*value)).sum(), large.iter().fold(0, |sum, value| sum.wrapping_add(*value))]
}
