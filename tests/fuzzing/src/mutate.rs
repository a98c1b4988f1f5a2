//! Seeded mutation of inputs.

/// Longest input that mutation makes, in bytes.
pub const INPUT_BYTES: usize = 8 * 1024;

/// Bytes at which decoders tend to be wrong by one, and those with a meaning in the grammars.
const TELLING_BYTES: [u8; 16] = [0, 1, 2, 3, 8, 23, 24, 127, 128, 255, b'.', b'*', b'>', b'$', b' ', 0xc2];
/// Lengths and counts around the limits.
const TELLING_WORDS: [u32; 12] =
    [0, 1, 24, 64, 255, 256, 4_096, 4_097, 16 * 1024 + 1, 1024 * 1024, 1024 * 1024 + 1, u32::MAX];

/// SplitMix64: small, and the same on every machine.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// A sequence that depends on the seed only.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, or 0 when that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next_u64() % end.max(1) as u64) as usize
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        from.get(self.below(from.len())).copied()
    }
}

/// The next input: nothing but noise now and then, else a seed with some changes.
pub fn next_input(random: &mut Random, seeds: &[Vec<u8>]) -> Vec<u8> {
    if random.below(16) == 0 || seeds.is_empty() {
        let len = random.below(64);
        return (0..len).map(|_| random.next_u64() as u8).collect();
    }
    let mut input = seeds[random.below(seeds.len())].clone();
    for _ in 0..=random.below(4) {
        change(random, &mut input, seeds);
    }
    input.truncate(INPUT_BYTES);
    input
}

fn change(random: &mut Random, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
    let at = random.below(input.len());
    let end = at + random.below(input.len() - at + 1).min(64);
    match random.below(10) {
        0 => flip_bit(random, input, at),
        1 => overwrite(input, at, &[random.next_u64() as u8]),
        2 => overwrite(input, at, &[random.pick(&TELLING_BYTES).unwrap_or_default()]),
        3 => overwrite(input, at, &random.pick(&TELLING_WORDS).unwrap_or_default().to_le_bytes()),
        4 => {
            let word = random.pick(&TELLING_WORDS).unwrap_or_default() as u16;
            overwrite(input, at, &word.to_le_bytes());
        }
        5 => input.insert(at, random.pick(&TELLING_BYTES).unwrap_or_default()),
        6 => drop(input.drain(at..end)),
        7 => {
            let repeated = input[at..end].to_vec();
            input.splice(at..at, repeated);
        }
        8 => input.truncate(at),
        _ => {
            let other = &seeds[random.below(seeds.len())];
            input.truncate(at);
            input.extend_from_slice(&other[random.below(other.len())..]);
        }
    }
}

fn flip_bit(random: &mut Random, input: &mut [u8], at: usize) {
    if let Some(byte) = input.get_mut(at) {
        *byte ^= 1 << random.below(8);
    }
}

fn overwrite(input: &mut [u8], at: usize, with: &[u8]) {
    for (byte, new) in input.iter_mut().skip(at).zip(with) {
        *byte = *new;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_inputs_and_others_make_others() {
        let seeds = vec![b"one seed".to_vec(), b"and another".to_vec()];
        let inputs = |seed| {
            let mut random = Random::new(seed);
            (0..100).map(|_| next_input(&mut random, &seeds)).collect::<Vec<_>>()
        };
        assert_eq!(inputs(1), inputs(1));
        assert_ne!(inputs(1), inputs(2));
        assert!(inputs(1).iter().collect::<std::collections::HashSet<_>>().len() > 80);
        assert!(next_input(&mut Random::new(1), &[]).len() < 64);
    }
}
