//! Total-variation denoising.

/// The step of the dual iteration; it converges up to 1/8, and in practice up to 1/4.
const STEP: f64 = 0.125;

/// The image u that minimises Σ |∇u| + |u - g|²/(2 λ) for the image g = `image` with `width` pixels a row and λ = `weight` > 0, by
/// `iterations` of the dual projection of Chambolle (2004, J. Math. Imaging Vis. 20:89, eq. 9): u = g - λ div p with
/// p ← (p + τ ∇(div p - g/λ))/(1 + τ |∇(div p - g/λ)|).
pub(crate) fn total_variation(image: &[f64], width: usize, weight: f64, iterations: usize) -> Vec<f64> {
    let n = image.len();
    let (mut across, mut down) = (vec![0.0; n], vec![0.0; n]);
    let mut field = vec![0.0; n];
    for _ in 0..iterations {
        for (i, f) in field.iter_mut().enumerate() {
            *f = divergence(&across, &down, width, i) - image[i] / weight;
        }
        for i in 0..n {
            let last = i % width == width - 1;
            let x = if last { 0.0 } else { field[i + 1] - field[i] };
            let y = if i + width < n { field[i + width] - field[i] } else { 0.0 };
            let scale = 1.0 / (1.0 + STEP * x.hypot(y));
            across[i] = (across[i] + STEP * x) * scale;
            down[i] = (down[i] + STEP * y) * scale;
        }
    }
    (0..n).map(|i| image[i] - weight * divergence(&across, &down, width, i)).collect()
}

/// The negative adjoint of forward differences, at pixel `i`. The field is zero where there is no difference.
fn divergence(across: &[f64], down: &[f64], width: usize, i: usize) -> f64 {
    let left = if i.is_multiple_of(width) { 0.0 } else { across[i - 1] };
    let above = if i < width { 0.0 } else { down[i - width] };
    across[i] - left + down[i] - above
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On a line a step of height h between two halves of n pixels keeps its place, and each half moves by λ/n towards the other
    /// (Strong and Chan 2003, Inverse Problems 19:S165).
    #[test]
    fn a_step_loses_its_height_at_the_known_rate() {
        let (n, weight) = (8, 0.4);
        let image: Vec<f64> = (0..2 * n).map(|i| if i < n { 0.0 } else { 1.0 }).collect();
        let smoothed = total_variation(&image, 2 * n, weight, 20_000);
        for (i, u) in smoothed.iter().enumerate() {
            let exact = if i < n { weight / n as f64 } else { 1.0 - weight / n as f64 };
            assert!((u - exact).abs() < 1e-3, "{i}: {u} {exact}");
        }
    }

    #[test]
    fn the_mean_stays_and_much_weight_leaves_nothing_else() {
        let image: Vec<f64> = (0..36).map(|i| f64::sin(1.3 * f64::from(i * i))).collect();
        let mean = image.iter().sum::<f64>() / 36.0;
        let smoothed = total_variation(&image, 6, 100.0, 20_000);
        assert!(smoothed.iter().all(|u| (u - mean).abs() < 0.02));
        let little = total_variation(&image, 6, 0.3, 500);
        assert!((little.iter().sum::<f64>() / 36.0 - mean).abs() < 1e-12);
    }
}
