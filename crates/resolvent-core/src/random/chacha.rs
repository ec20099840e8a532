//! The ChaCha block function, sixteen blocks at once.

use pulp::{Simd, WithSimd};

/// Blocks that are made together: as many as fill the widest vector units.
const BLOCKS: usize = 16;
/// Words of 32 bits in a block.
const WORDS: usize = 16;
/// Numbers of 64 bits in as many blocks as are made together.
pub(super) const NUMBERS: usize = BLOCKS * WORDS / 2;

/// "expand 32-byte k".
const CONSTANTS: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];

/// ChaCha with eight rounds (Bernstein 2008) with a counter and a nonce of 64 bits each: the next blocks of the stream of `nonce` from
/// block `counter` on, every two words one number, the first the lower half.
pub(super) struct ChaCha8<'a> {
    pub(super) key: [u32; 8],
    pub(super) nonce: u64,
    pub(super) counter: u64,
    pub(super) out: &'a mut [u64; NUMBERS],
}

impl WithSimd for ChaCha8<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { key, nonce, counter, out } = self;
        let counters: [u64; BLOCKS] = std::array::from_fn(|block| counter.wrapping_add(block as u64));
        let (low, high) = (counters.map(|c| c as u32), counters.map(|c| (c >> 32) as u32));
        let (low, high) = (S::as_simd_u32s(&low).0, S::as_simd_u32s(&high).0);
        let [k0, k1, k2, k3, k4, k5, k6, k7] = key.map(|word| simd.splat_u32s(word));
        let [c0, c1, c2, c3] = CONSTANTS.map(|word| simd.splat_u32s(word));
        let [n0, n1] = [nonce as u32, (nonce >> 32) as u32].map(|word| simd.splat_u32s(word));
        let mut words = [[0; BLOCKS]; WORDS];
        for (group, (low, high)) in low.iter().zip(high).enumerate() {
            let begin = [c0, c1, c2, c3, k0, k1, k2, k3, k4, k5, k6, k7, *low, *high, n0, n1];
            let mut state = begin;
            for _ in 0..4 {
                columns(simd, &mut state);
                diagonals(simd, &mut state);
            }
            for (words, (state, begin)) in words.iter_mut().zip(state.into_iter().zip(begin)) {
                S::as_mut_simd_u32s(words).0[group] = simd.add_u32s(state, begin);
            }
        }
        for (block, out) in out.chunks_exact_mut(WORDS / 2).enumerate() {
            for (out, pair) in out.iter_mut().zip(words.chunks_exact(2)) {
                *out = u64::from(pair[0][block]) | u64::from(pair[1][block]) << 32;
            }
        }
    }
}

#[inline(always)]
fn columns<S: Simd>(simd: S, state: &mut [S::u32s; WORDS]) {
    quarter(simd, state, [0, 4, 8, 12]);
    quarter(simd, state, [1, 5, 9, 13]);
    quarter(simd, state, [2, 6, 10, 14]);
    quarter(simd, state, [3, 7, 11, 15]);
}

#[inline(always)]
fn diagonals<S: Simd>(simd: S, state: &mut [S::u32s; WORDS]) {
    quarter(simd, state, [0, 5, 10, 15]);
    quarter(simd, state, [1, 6, 11, 12]);
    quarter(simd, state, [2, 7, 8, 13]);
    quarter(simd, state, [3, 4, 9, 14]);
}

#[inline(always)]
fn quarter<S: Simd>(simd: S, v: &mut [S::u32s; WORDS], [a, b, c, d]: [usize; 4]) {
    v[a] = simd.add_u32s(v[a], v[b]);
    v[d] = turned(simd, simd.xor_u32s(v[d], v[a]), 16);
    v[c] = simd.add_u32s(v[c], v[d]);
    v[b] = turned(simd, simd.xor_u32s(v[b], v[c]), 12);
    v[a] = simd.add_u32s(v[a], v[b]);
    v[d] = turned(simd, simd.xor_u32s(v[d], v[a]), 8);
    v[c] = simd.add_u32s(v[c], v[d]);
    v[b] = turned(simd, simd.xor_u32s(v[b], v[c]), 7);
}

/// The bits of every word turned to the left.
#[inline(always)]
fn turned<S: Simd>(simd: S, words: S::u32s, by: u32) -> S::u32s {
    let left = simd.wrapping_dyn_shl_u32s(words, simd.splat_u32s(by));
    let right = simd.wrapping_dyn_shr_u32s(words, simd.splat_u32s(32 - by));
    simd.or_u32s(left, right)
}
