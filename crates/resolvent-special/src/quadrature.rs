//! Gauss-Legendre quadrature of smooth integrands, several at once.

/// Nodes and weights of the 10-point rule on [-1, 1], positive half (DLMF 3.5, Table 3.5.2).
const NODES: [f64; 5] = [
    0.148_874_338_981_631_22,
    0.433_395_394_129_247_2,
    0.679_409_568_299_024_4,
    0.865_063_366_688_984_5,
    0.973_906_528_517_171_7,
];
const WEIGHTS: [f64; 5] = [
    0.295_524_224_714_752_9,
    0.269_266_719_309_996_35,
    0.219_086_362_515_982_04,
    0.149_451_349_150_580_6,
    0.066_671_344_308_688_14,
];

/// Halvings of an interval before its value is accepted as it is.
const MAX_DEPTH: u32 = 40;

/// int_low^high f, each component to the absolute tolerance of its entry.
pub(crate) fn integrate<const N: usize>(
    f: &impl Fn(f64) -> [f64; N],
    low: f64,
    high: f64,
    tolerance: [f64; N],
) -> [f64; N] {
    let whole = rule(f, low, high);
    refine(f, low, high, whole, tolerance, MAX_DEPTH)
}

/// Halves an interval until the two halves agree with the whole.
fn refine<const N: usize>(
    f: &impl Fn(f64) -> [f64; N],
    low: f64,
    high: f64,
    whole: [f64; N],
    tolerance: [f64; N],
    depth: u32,
) -> [f64; N] {
    let middle = 0.5 * (low + high);
    let (left, right) = (rule(f, low, middle), rule(f, middle, high));
    let settled = (0..N).all(|i| (left[i] + right[i] - whole[i]).abs() <= tolerance[i]);
    if settled || depth == 0 {
        return add(left, right);
    }
    add(
        refine(f, low, middle, left, tolerance, depth - 1),
        refine(f, middle, high, right, tolerance, depth - 1),
    )
}

/// int_low^high f by the 10-point rule, exact for polynomials of degree 19.
pub fn rule<const N: usize>(f: &impl Fn(f64) -> [f64; N], low: f64, high: f64) -> [f64; N] {
    let (middle, half) = (0.5 * (low + high), 0.5 * (high - low));
    let mut sum = [0.0; N];
    for (node, weight) in NODES.iter().zip(WEIGHTS) {
        let (a, b) = (f(middle - half * node), f(middle + half * node));
        for i in 0..N {
            sum[i] += weight * (a[i] + b[i]);
        }
    }
    sum.map(|s| s * half)
}

fn add<const N: usize>(a: [f64; N], b: [f64; N]) -> [f64; N] {
    std::array::from_fn(|i| a[i] + b[i])
}
