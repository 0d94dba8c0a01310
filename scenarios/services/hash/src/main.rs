//! Work that costs fuel: SHA-256, proof of work, a blurred picture. Each has an answer that is known beforehand.

use marine_rs_sdk::marine;

fn main() {}

/// What SHA-256 begins with.
const START: [u32; 8] = [
    0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
];

/// The fractional parts of the cube roots of the first 64 primes.
const ROUNDS: [u32; 64] = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
    0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
    0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
    0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
];

fn digest(message: &[u8]) -> [u8; 32] {
    let mut padded = message.to_vec();
    padded.push(0x80);
    padded.resize((padded.len() + 8).div_ceil(64) * 64 - 8, 0);
    padded.extend((message.len() as u64 * 8).to_be_bytes());
    let mut state = START;
    padded.chunks_exact(64).for_each(|block| compress(&mut state, block));
    let mut digest = [0; 32];
    for (bytes, word) in digest.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    digest
}

fn compress(state: &mut [u32; 8], block: &[u8]) {
    let mut words = [0_u32; 64];
    for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
        *word = bytes.iter().fold(0, |word, byte| word << 8 | u32::from(*byte));
    }
    for at in 16..64 {
        let (a, b) = (words[at - 15], words[at - 2]);
        let first = a.rotate_right(7) ^ a.rotate_right(18) ^ a >> 3;
        let second = b.rotate_right(17) ^ b.rotate_right(19) ^ b >> 10;
        words[at] = words[at - 16].wrapping_add(first).wrapping_add(words[at - 7]).wrapping_add(second);
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for (round, word) in ROUNDS.iter().zip(words) {
        let turn = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let choice = e & f ^ !e & g;
        let one = h.wrapping_add(turn).wrapping_add(choice).wrapping_add(*round).wrapping_add(word);
        let turn = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let two = turn.wrapping_add(a & b ^ a & c ^ b & c);
        (h, g, f, e, d, c, b, a) = (g, f, e, d.wrapping_add(one), c, b, a, one.wrapping_add(two));
    }
    for (old, new) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *old = old.wrapping_add(new);
    }
}

/// The SHA-256 of a message, in hexadecimal digits.
#[marine]
pub fn sha256(message: Vec<u8>) -> String {
    digest(&message).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The first number that, behind the message, gives a digest with so many zero bits in front; at most so many are tried.
#[marine]
pub fn prove(message: String, zero_bits: u32, tries: u64) -> Vec<u64> {
    let zeros = |digest: [u8; 32]| {
        let bytes = digest.iter().take_while(|byte| **byte == 0).count();
        bytes as u32 * 8 + digest.get(bytes).map_or(0, |byte| byte.leading_zeros())
    };
    let fits = |nonce: &u64| zeros(digest(format!("{message}{nonce}").as_bytes())) >= zero_bits;
    (0..tries).find(fits).into_iter().collect()
}

/// A grey picture: rows of pixels.
#[marine]
#[derive(Clone, Debug)]
pub struct Picture {
    pub width: u32,
    pub pixels: Vec<u8>,
}

/// The picture with each pixel the mean of those around it, as far away as the radius. A width that does not fit gives an
/// empty picture.
#[marine]
pub fn blur(picture: Picture, radius: u32) -> Picture {
    let width = picture.width as usize;
    if width == 0 || picture.pixels.len() % width != 0 {
        return Picture { width: 0, pixels: Vec::new() };
    }
    let (height, radius) = (picture.pixels.len() / width, radius as usize);
    let mean = |at: usize| {
        let (x, y) = (at % width, at / width);
        let columns = x.saturating_sub(radius)..=(x + radius).min(width - 1);
        let rows = y.saturating_sub(radius)..=(y + radius).min(height - 1);
        let around = rows.flat_map(|row| columns.clone().map(move |column| row * width + column));
        let (sum, count) = around.fold((0_u64, 0), |(sum, count), at| (sum + u64::from(picture.pixels[at]), count + 1));
        (sum / count) as u8
    };
    Picture { width: picture.width, pixels: (0..picture.pixels.len()).map(mean).collect() }
}
