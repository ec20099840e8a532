//! What happens to every number by itself, at the width of the machine's vectors.

use pulp::Arch;

/// 1/(1 + e^{-x}), to 2 ulp of f32; 0 and 1 far out, NaN for NaN.
#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// e^x to 2 ulp of f32 for |x| <= 87, held there beyond. By 2^k e^r with |r| <= (log 2)/2 and a Taylor polynomial, without a branch.
#[inline(always)]
fn exp(x: f32) -> f32 {
    const SHIFT: f32 = 12_582_912.0; // 1.5 x 2^23: adding it rounds to a whole number in the lowest bits
    const LOG2_HIGH: f32 = 0.693_359_4; // 355/512
    const LOG2_LOW: f32 = -2.121_944_4e-4;
    // Comparisons that fail for NaN leave NaN alone.
    let x = if x > 87.0 { 87.0 } else { x };
    let x = if x < -87.0 { -87.0 } else { x };
    let shifted = x.mul_add(std::f32::consts::LOG2_E, SHIFT);
    let k = shifted - SHIFT;
    let r = k.mul_add(-LOG2_LOW, k.mul_add(-LOG2_HIGH, x));
    let p = (1.0f32 / 5040.0).mul_add(r, 1.0 / 720.0);
    let p = p.mul_add(r, 1.0 / 120.0).mul_add(r, 1.0 / 24.0).mul_add(r, 1.0 / 6.0).mul_add(r, 0.5);
    let p = p.mul_add(r * r, r) + 1.0;
    p * f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000))
}

/// out ← silu(x).
pub(super) fn silu(x: &[f32], out: &mut [f32]) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (o, &x) in out.iter_mut().zip(x) {
                *o = x * sigmoid(x);
            }
        },
    );
}

/// out ← silu'(x) dx.
pub(super) fn silu_tangent(x: &[f32], dx: &[f32], out: &mut [f32]) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for ((o, &x), &dx) in out.iter_mut().zip(x).zip(dx) {
                let s = sigmoid(x);
                *o = dx * s * (1.0 - s).mul_add(x, 1.0);
            }
        },
    );
}

/// gx ← gx + silu'(x) g.
pub(super) fn silu_back(x: &[f32], g: &[f32], gx: &mut [f32]) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for ((o, &x), &g) in gx.iter_mut().zip(x).zip(g) {
                let s = sigmoid(x);
                *o += g * s * (1.0 - s).mul_add(x, 1.0);
            }
        },
    );
}

/// gx ← gx + silu''(x) dx g.
pub(super) fn silu_tangent_back(x: &[f32], dx: &[f32], g: &[f32], gx: &mut [f32]) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (((o, &x), &dx), &g) in gx.iter_mut().zip(x).zip(dx).zip(g) {
                let s = sigmoid(x);
                *o += g * dx * s * (1.0 - s) * (1.0 - 2.0 * s).mul_add(x, 2.0);
            }
        },
    );
}

/// out ← out + x.
pub(super) fn add_assign(out: &mut [f32], x: &[f32]) {
    Arch::new().dispatch(
        #[inline(always)]
        || out.iter_mut().zip(x).for_each(|(o, x)| *o += x),
    );
}

/// out ← x + y.
pub(super) fn add(x: &[f32], y: &[f32], out: &mut [f32]) {
    Arch::new().dispatch(
        #[inline(always)]
        || out.iter_mut().zip(x).zip(y).for_each(|((o, x), y)| *o = x + y),
    );
}

/// out ← x + e with the number e of every row, `columns` long, added to all of it.
pub(super) fn add_to_rows(x: &[f32], e: &[f32], columns: usize, out: &mut [f32]) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for ((out, x), e) in out.chunks_exact_mut(columns).zip(x.chunks_exact(columns)).zip(e) {
                out.iter_mut().zip(x).for_each(|(o, x)| *o = x + e);
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponential_against_double_precision() {
        for i in -86_000..=86_000 {
            let x = i as f32 * 1e-3;
            let exact = f64::from(x).exp();
            assert!((f64::from(exp(x)) / exact - 1.0).abs() < 3e-7, "{x}");
        }
        assert!(exp(f32::NAN).is_nan());
    }

    #[test]
    fn derivatives_of_silu_against_differences() {
        let h = 1e-2;
        for i in -80..=80 {
            let x = i as f32 * 0.1;
            let at = |x: f32, f: fn(&[f32], &mut [f32])| {
                let mut out = [0.0];
                f(&[x], &mut out);
                out[0]
            };
            let first = |x: &[f32], out: &mut [f32]| silu_tangent(x, &[1.0], out);
            let second = |x: &[f32], out: &mut [f32]| silu_tangent_back(x, &[1.0], &[1.0], out);
            let difference = (at(x + h, silu) - at(x - h, silu)) / (2.0 * h);
            assert!((at(x, first) - difference).abs() < 1e-4, "{x}");
            let difference = (at(x + h, first) - at(x - h, first)) / (2.0 * h);
            assert!((at(x, second) - difference).abs() < 1e-4, "{x}");
        }
        let mut out = [0.0; 3];
        silu(&[-200.0, 200.0, f32::NAN], &mut out);
        assert!(out[0].abs() < 1e-30 && out[1] == 200.0 && out[2].is_nan());
    }
}
