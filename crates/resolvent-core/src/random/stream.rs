//! A stream of random numbers.

use std::convert::Infallible;
use std::fmt;
use std::sync::LazyLock;

use pulp::Arch;
use rand::TryRng;

use super::chacha::{ChaCha8, NUMBERS};
use super::normal;

/// Finding out what the processor has takes longer than a few blocks.
static ARCH: LazyLock<Arch> = LazyLock::new(Arch::new);

/// The key stream of ChaCha8 with a key of its own and one nonce: the numbers that `rand::rngs::ChaCha8Rng` gives, made many at a time.
///
/// It is an [`Rng`](rand::Rng); 2^70 bytes long.
#[derive(Clone)]
pub struct Stream {
    key: [u32; 8],
    nonce: u64,
    /// The block that follows those in `numbers`.
    counter: u64,
    /// Words of 32 bits that have been used of `numbers`.
    used: usize,
    /// [`NUMBERS`] of them, none before the first is asked for: a stream that is not used takes no room.
    numbers: Vec<u64>,
}

impl Stream {
    /// The stream `nonce` of a key whose first halves are `key`, and whose others are zero.
    pub(super) fn new(key: [u64; 2], nonce: u64) -> Self {
        let [a, b] = key.map(|k| [k as u32, (k >> 32) as u32]);
        let key = [a[0], a[1], b[0], b[1], 0, 0, 0, 0];
        Self { key, nonce, counter: 0, used: 2 * NUMBERS, numbers: Vec::new() }
    }

    /// Fills `out` with standard normal numbers: the same that `rand_distr::StandardNormal` draws from the stream, twice as fast.
    ///
    /// ```
    /// use resolvent_core::random::{Purpose, stream};
    /// let mut noise = [0.0; 3];
    /// stream(7, Purpose::Path, 3).fill_normals(&mut noise);
    /// assert!(noise.iter().all(|x| x.abs() < 9.0));
    /// ```
    pub fn fill_normals(&mut self, out: &mut [f64]) {
        normal::fill(self, out);
    }

    /// As [`fill_normals`](Self::fill_normals), each number rounded: the same stream in either precision.
    pub fn fill_normals_f32(&mut self, out: &mut [f32]) {
        let mut numbers = [0.0; NUMBERS];
        for out in out.chunks_mut(NUMBERS) {
            let numbers = &mut numbers[..out.len()];
            normal::fill(self, numbers);
            out.iter_mut().zip(numbers).for_each(|(out, x)| *out = *x as f32);
        }
    }

    /// Numbers that are ready, and whether the first half of the first has been used, so that the next ones lie across their borders.
    pub(super) fn ready(&mut self) -> (&[u64], bool) {
        if self.used == 2 * NUMBERS {
            self.refill();
        }
        (&self.numbers[self.used / 2..], self.used % 2 == 1)
    }

    /// Goes past `count` of the numbers that were ready.
    pub(super) fn skip(&mut self, count: usize) {
        self.used += 2 * count;
    }

    #[inline]
    pub(super) fn next(&mut self) -> u64 {
        if self.used % 2 == 1 {
            return u64::from(self.next_word()) | u64::from(self.next_word()) << 32;
        }
        if self.used == 2 * NUMBERS {
            self.refill();
        }
        self.used += 2;
        self.numbers[self.used / 2 - 1]
    }

    fn next_word(&mut self) -> u32 {
        if self.used == 2 * NUMBERS {
            self.refill();
        }
        let number = self.numbers[self.used / 2];
        self.used += 1;
        if self.used % 2 == 1 { number as u32 } else { (number >> 32) as u32 }
    }

    #[cold]
    #[inline(never)]
    fn refill(&mut self) {
        let Self { key, nonce, counter, numbers, .. } = self;
        numbers.resize(NUMBERS, 0);
        let out = numbers.as_mut_slice().try_into().expect("as many as are made together");
        ARCH.dispatch(ChaCha8 { key: *key, nonce: *nonce, counter: *counter, out });
        self.counter = self.counter.wrapping_add((NUMBERS / 8) as u64);
        self.used = 0;
    }
}

impl TryRng for Stream {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.next_word())
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.next())
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for out in out.chunks_mut(4) {
            out.copy_from_slice(&self.next_word().to_le_bytes()[..out.len()]);
        }
        Ok(())
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("nonce", &self.nonce).finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use rand::rngs::ChaCha8Rng;
    use rand::{Rng, SeedableRng};

    use super::*;

    /// The same stream from another implementation.
    pub(in super::super) fn reference(key: [u64; 2], nonce: u64) -> ChaCha8Rng {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&key[0].to_le_bytes());
        seed[8..16].copy_from_slice(&key[1].to_le_bytes());
        let mut reference = ChaCha8Rng::from_seed(seed);
        reference.set_stream(nonce);
        reference
    }

    #[test]
    fn numbers_are_those_of_the_reference_in_any_order_of_sizes() {
        let (key, nonce) = ([0x0123_4567_89ab_cdef, 3], 1 << 33 | 5);
        let (mut stream, mut reference) = (Stream::new(key, nonce), reference(key, nonce));
        for k in 0..20_000 {
            match k * k % 7 {
                0 => assert_eq!(stream.next_u32(), reference.next_u32()),
                1 => {
                    let (mut bytes, mut expected) = ([0; 11], [0; 11]);
                    stream.fill_bytes(&mut bytes);
                    reference.fill_bytes(&mut expected);
                    assert_eq!(bytes, expected);
                }
                _ => assert_eq!(stream.next_u64(), reference.next_u64()),
            }
        }
    }

    #[test]
    fn normals_go_on_after_an_odd_number_of_words() {
        let (mut stream, mut reference) = (Stream::new([1, 2], 3), reference([1, 2], 3));
        assert_eq!(stream.next_u32(), reference.next_u32());
        let mut out = [0.0; 500];
        stream.fill_normals(&mut out);
        for x in out {
            assert_eq!(x, rand::RngExt::sample::<f64, _>(&mut reference, rand_distr::StandardNormal));
        }
    }

    #[test]
    fn single_precision_is_the_double_one_rounded() {
        let (mut wide, mut narrow) = ([0.0; 1_000], [0.0; 1_000]);
        Stream::new([1, 2], 3).fill_normals(&mut wide);
        Stream::new([1, 2], 3).fill_normals_f32(&mut narrow);
        assert_eq!(wide.map(|x| x as f32), narrow);
    }
}
