//! Standard normal numbers from a stream, by the ziggurat (Marsaglia and Tsang 2000; the variant of Doornik 2005).
//!
//! The half of the density lies in a stack of [`LAYERS`] strips of equal area. A number takes the strip from eight bits of a draw and the
//! place in it from 52 others; what falls into the part of the strip that lies wholly under the density, 99 draws of 100, is done. The
//! tail beyond [`EDGE`] is drawn with full resolution, so that it is cut nowhere below 8 standard deviations.

use std::sync::LazyLock;

use super::stream::Stream;

const LAYERS: usize = 256;
/// Where the tail begins, and the area of a strip (Doornik 2005).
const EDGE: f64 = 3.654_152_885_361_009;
const AREA: f64 = 0.004_928_673_233_99;

/// The ends of the strips, from the widest, and the densities there relative to the one at zero.
struct Strips {
    ends: [f64; LAYERS + 1],
    heights: [f64; LAYERS + 1],
}

static STRIPS: LazyLock<Strips> = LazyLock::new(|| {
    let mut ends = [0.0; LAYERS + 1];
    (ends[0], ends[1]) = (AREA / density(EDGE), EDGE);
    for i in 2..LAYERS {
        let last = ends[i - 1];
        ends[i] = f64::sqrt(-2.0 * f64::ln(AREA / last + density(last)));
    }
    Strips { heights: ends.map(density), ends }
});

/// e^{-x²/2}.
fn density(x: f64) -> f64 {
    f64::exp(-x * x / 2.0)
}

/// Fills `out` with standard normal numbers: those that `rand_distr::StandardNormal` draws from the stream one by one.
pub(super) fn fill(stream: &mut Stream, out: &mut [f64]) {
    let strips = &*STRIPS;
    let mut rest = out;
    while !rest.is_empty() {
        let (numbers, across) = stream.ready();
        let (done, refused) = if across {
            take(strips, rest, numbers.windows(2).map(|pair| pair[0] >> 32 | pair[1] << 32))
        } else {
            take(strips, rest, numbers.iter().copied())
        };
        stream.skip(done);
        if done == 0 {
            let (strip, place) = parts(stream.next());
            rest[0] = slow(strips, stream, strip, place);
        } else if let Some((strip, place)) = refused {
            rest[done - 1] = slow(strips, stream, strip, place);
        }
        rest = &mut rest[done.max(1)..];
    }
}

/// Fills `out` as far as the draws reach, or up to one that is not done with: how far, and the strip and place of that.
#[inline(always)]
fn take(strips: &Strips, out: &mut [f64], draws: impl Iterator<Item = u64>) -> (usize, Option<(usize, f64)>) {
    let mut done = 0;
    for (out, bits) in out.iter_mut().zip(draws) {
        let (strip, place) = parts(bits);
        let x = place * strips.ends[strip];
        done += 1;
        if x.abs() >= strips.ends[strip + 1] {
            return (done, Some((strip, place)));
        }
        *out = x;
    }
    (done, None)
}

/// A strip and a place in [-1, 1).
#[inline(always)]
fn parts(bits: u64) -> (usize, f64) {
    // Into [2, 4), where the spacing is even.
    (bits as usize % LAYERS, f64::from_bits(bits >> 12 | 0x4000_0000_0000_0000) - 3.0)
}

/// A number whose first draw has come upon the border of a strip.
#[cold]
#[inline(never)]
fn slow(strips: &Strips, stream: &mut Stream, mut strip: usize, mut place: f64) -> f64 {
    loop {
        let x = place * strips.ends[strip];
        if x.abs() < strips.ends[strip + 1] {
            return x;
        }
        if strip == 0 {
            return tail(stream).copysign(place);
        }
        let (above, below) = (strips.heights[strip], strips.heights[strip + 1]);
        let unit = (stream.next() >> 11) as f64 / (1_u64 << 53) as f64;
        if below + (above - below) * unit < density(x) {
            return x;
        }
        (strip, place) = parts(stream.next());
    }
}

/// A number beyond [`EDGE`] (Marsaglia 1964).
fn tail(stream: &mut Stream) -> f64 {
    // In (0, 1).
    let mut open =
        || f64::from_bits(stream.next() >> 12 | 0x3ff0_0000_0000_0000) - (1.0 - f64::EPSILON / 2.0);
    loop {
        let x = f64::ln(open()) / EDGE;
        let y = f64::ln(open());
        if -2.0 * y >= x * x {
            return EDGE - x;
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;
    use rand_distr::StandardNormal;

    use super::super::stream::tests::reference;
    use super::*;

    /// Every number is that of the crate `rand_distr` to the last bit, whatever the lengths in which it is asked for: about 12,000 of the
    /// million come from the borders of strips and 260 from the tail.
    #[test]
    fn numbers_are_those_of_the_reference() {
        let (mut stream, mut reference) = (Stream::new([7, 1 << 40], 5), reference([7, 1 << 40], 5));
        let (mut out, mut drawn, mut length) = (vec![0.0; 3_000], 0, 1);
        while drawn < 1_000_000 {
            stream.fill_normals(&mut out[..length]);
            for x in &out[..length] {
                assert_eq!(*x, reference.sample::<f64, _>(StandardNormal), "after {drawn}");
            }
            drawn += length;
            length = length * 7 % 2_999 + 1;
        }
    }
}
