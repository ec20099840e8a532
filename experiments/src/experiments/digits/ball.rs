//! R16: the backward process ends hardly farther from its start than the nearest share of the data.

use anyhow::Result;

use super::ambiguous::Ambiguous;
use super::method::Method;
use super::{SIGNIFICANCE, Settings};
use crate::experiments::ball_bound::BallBound;
use crate::outcome::{Check, Table, cells};

/// The ball that just holds a share of at least `mass` of the data, at these ascending `distances`: the share that it holds, and
/// the bounds of R16.
fn bound(distances: &[f64], mass: f64, margin: f64, method: &Method<'_>) -> (f64, BallBound) {
    let count = (mass * distances.len() as f64).ceil().max(1.0);
    let mass = count / distances.len() as f64;
    (mass, BallBound::new(method.green(), mass, distances[count as usize - 1], margin))
}

/// R16 for every ambiguous input, every share and every margin, against the exact law and the particles.
pub(super) fn bounds(
    ambiguous: &Ambiguous,
    method: &Method<'_>,
    settings: &Settings,
) -> Result<(Vec<Check>, Table)> {
    let mut table = Table::new(
        "How far from the start the process ends",
        "R is the distance within which a share ε of the data lies, the nearest datum alone in the first rows. By R16 the \
         process ends beyond (1 + δ) R with probability at most q/(1 + q), q = (1 - ε)/ε · G_r((1 + δ) R)/G_r(R), which is less \
         than (1/ε)(1 + δ)^(2 - d). Means over the ambiguous inputs: the bounds, the exact probability (R10) and the share of \
         particles; then the largest ratio of exact probability to bound.",
        &["share ε", "margin δ", "bound", "simple bound", "exact", "observed", "largest exact / bound"],
    );
    let distances: Vec<Vec<f64>> =
        ambiguous.inputs.iter().map(|candidate| method.distances(&candidate.input)).collect();
    let particles = settings.particles as f64;
    let (mut worst_ratio, mut worst_excess) = (0.0_f64, 0.0_f64);
    let rows =
        settings.ball_masses.iter().flat_map(|&mass| settings.ball_margins.iter().map(move |&m| (mass, m)));
    for (mass, margin) in rows {
        let mut means = [0.0; 5];
        let mut largest = 0.0_f64;
        for (i, (candidate, distances)) in ambiguous.inputs.iter().zip(&distances).enumerate() {
            let mut sorted = distances.clone();
            sorted.sort_unstable_by(f64::total_cmp);
            let (mass, bound) = bound(&sorted, mass, margin, method);
            // The mass outside is added up by itself: one minus the mass inside would lose it.
            let weighted = distances.iter().zip(&candidate.weights);
            let exact: f64 = weighted.filter(|(distance, _)| **distance > bound.radius).map(|(_, w)| w).sum();
            let outside =
                ambiguous.end_points(i).iter().filter(|&&end| distances[end] > bound.radius).count();
            let observed = outside as f64 / particles;
            largest = largest.max(exact / bound.sharp);
            worst_excess = worst_excess.max(observed - bound.sharp);
            for (mean, value) in means.iter_mut().zip([mass, bound.sharp, bound.simple, exact, observed]) {
                *mean += value / ambiguous.inputs.len() as f64;
            }
        }
        worst_ratio = worst_ratio.max(largest);
        let [mass, outside, simple, exact, observed] = means;
        table.push(cells![mass, margin, outside, simple, exact, observed, largest]);
    }
    let tests = ambiguous.inputs.len() * table.rows.len();
    let error = f64::sqrt(f64::ln(tests as f64 / SIGNIFICANCE) / (2.0 * particles));
    let checks = vec![
        Check::at_most(
            "exact probability to end beyond (1 + δ) R over its bound, largest",
            worst_ratio,
            1.0,
            "R16: P(end beyond (1 + δ) R) <= q/(1 + q), q = (1 - ε)/ε · G_r((1 + δ) R)/G_r(R)",
        ),
        Check::at_most(
            "excess of the share of particles that end beyond (1 + δ) R over the bound, largest",
            worst_excess,
            error,
            format!("R16; Hoeffding's inequality, significance {SIGNIFICANCE:e} over {tests} tests"),
        ),
    ];
    Ok((checks, table))
}
