use crate::{Result, check};

/// Kendall's rank correlation tau_b of two sequences of the same length, at least two: the pairs that both order alike less those that
/// they order differently, over the geometric mean of the numbers of pairs that each orders at all. 1 for the same order, -1 for the
/// opposite one, 0 on average for independent ones, and 0 too if all values of one sequence are equal. Cost O(n^2).
///
/// For independent sequences without ties the variance is 2 (2n + 5) / (9 n (n - 1)).
/// Source: Kendall (1945), Biometrika 33:239.
pub fn kendall_tau(a: &[f64], b: &[f64]) -> Result<f64> {
    check::sample("a", a, 2)?;
    check::sample("b", b, 2)?;
    check::same("length", ("a", a.len()), ("b", b.len()))?;
    let (mut agreement, mut ordered_a, mut ordered_b) = (0.0, 0.0, 0.0);
    let order = |x: f64, y: f64| f64::from(i8::from(x > y) - i8::from(x < y));
    for j in 1..a.len() {
        for i in 0..j {
            let (in_a, in_b) = (order(a[i], a[j]), order(b[i], b[j]));
            agreement += in_a * in_b;
            ordered_a += in_a * in_a;
            ordered_b += in_b * in_b;
        }
    }
    let pairs = f64::sqrt(ordered_a * ordered_b);
    Ok(if pairs > 0.0 { agreement / pairs } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::kendall_tau;
    use rand::rngs::ChaCha8Rng;
    use rand::{RngExt, SeedableRng};

    #[test]
    fn small_cases_by_hand() {
        let ascending = [1.0, 2.0, 3.0, 4.0];
        for (other, expected) in [
            ([10.0, 20.0, 30.0, 40.0], 1.0),
            ([4.0, 3.0, 2.0, 1.0], -1.0),
            // One pair of six is the other way round.
            ([1.0, 3.0, 2.0, 4.0], 2.0 / 3.0),
            // Five pairs ordered, all alike.
            ([1.0, 2.0, 2.0, 3.0], 5.0 / f64::sqrt(30.0)),
            ([7.0; 4], 0.0),
        ] {
            assert!((kendall_tau(&ascending, &other).unwrap() - expected).abs() < 1e-15, "{other:?}");
        }
        assert!(kendall_tau(&ascending, &[1.0, 2.0, 3.0]).is_err());
        assert!(kendall_tau(&[1.0], &[1.0]).is_err());
        assert!(kendall_tau(&[1.0, f64::NAN], &[1.0, 2.0]).is_err());
    }

    #[test]
    fn independent_sequences_have_the_stated_variance() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let (n, trials) = (8, 20_000);
        let mut sum = 0.0;
        for _ in 0..trials {
            let mut draw = || -> Vec<f64> { (0..n).map(|_| rng.random()).collect() };
            let (a, b) = (draw(), draw());
            sum += kendall_tau(&a, &b).unwrap().powi(2);
        }
        let size = n as f64;
        let expected = 2.0 * (2.0 * size + 5.0) / (9.0 * size * (size - 1.0));
        // The square of a nearly normal variable scatters by √2 times its mean.
        let error = 4.0 * expected * f64::sqrt(2.0 / f64::from(trials));
        assert!((sum / f64::from(trials) - expected).abs() < error);
    }
}
