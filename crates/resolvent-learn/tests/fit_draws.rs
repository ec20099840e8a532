//! Draws from a Gaussian fit have its moments.

use nalgebra::DMatrix;
use resolvent_learn::model::GaussianFit;

#[test]
fn draws_have_mean_and_covariance_of_the_data() {
    // Three axes turned by a fixed rotation, of which one is a leading direction and two share the rest.
    let axes = DMatrix::from_column_slice(3, 3, &[0.6, 0.8, 0.0, -0.8, 0.6, 0.0, 0.0, 0.0, 1.0]);
    let spread = 3.0_f64.sqrt();
    let deviations = [2.0, 0.5, 0.5];
    let data = DMatrix::from_fn(3, 6, |row, i| {
        let sign = if i % 2 == 0 { spread } else { -spread };
        f64::from(row as u32) + sign * deviations[i / 2] * axes[(row, i / 2)]
    });
    let (n, fit) = (40_000, GaussianFit::new(&data, 1).unwrap());
    let draws = fit.sample(n, 4);
    let mean = draws.column_mean();
    let scales = DMatrix::from_diagonal(&nalgebra::DVector::from_vec(vec![4.0, 0.25, 0.25]));
    let covariance = &axes * scales * axes.transpose();
    for row in 0..3 {
        // Five standard errors.
        let error = 5.0 * (covariance[(row, row)] / n as f64).sqrt();
        assert!((mean[row] - f64::from(row as u32)).abs() < error);
        for column in 0..3 {
            let products = draws.column_iter().map(|x| (x[row] - mean[row]) * (x[column] - mean[column]));
            let found = products.sum::<f64>() / n as f64;
            let variance =
                covariance[(row, row)] * covariance[(column, column)] + covariance[(row, column)].powi(2);
            assert!((found - covariance[(row, column)]).abs() < 5.0 * (variance / n as f64).sqrt());
        }
    }
    assert_eq!(fit.sample(7, 4), draws.columns(0, 7).into_owned());
}
