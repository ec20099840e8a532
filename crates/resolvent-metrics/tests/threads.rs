//! Every parallel metric gives the same bits on one thread and on two.

mod common;

use common::{gaussian, rng};
use resolvent_metrics::*;

fn same_on_one_and_two<T: PartialEq + std::fmt::Debug + Send>(metric: impl Fn() -> T + Sync) {
    let on = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(&metric);
    assert_eq!(on(1), on(2));
}

#[test]
fn thread_count_changes_nothing() {
    let mut rng = rng(1);
    let (a, b) = (gaussian(7, 2500, 0.0, &mut rng), gaussian(7, 1100, 0.4, &mut rng));
    same_on_one_and_two(|| energy_distance(&a, &b));
    same_on_one_and_two(|| mmd(&a, &b, Bandwidth::Median));
    same_on_one_and_two(|| sliced_wasserstein(&a, &b, 50, Order::One, 3));
    same_on_one_and_two(|| sliced_wasserstein(&a, &b, 50, Order::Two, 3));
    same_on_one_and_two(|| nearest(&a, &b));
}
