//! Errors against evaluations.

use anyhow::Result;

use super::runs::{Judged, Scheme};
use crate::outcome::Figure;
use crate::plot::{Axis, Chart, Series};

/// One picture for each problem: the total variation distance against the mean number of evaluations.
pub(super) fn errors(sweeps: &[(String, Scheme, Judged)]) -> Result<Vec<Figure>> {
    let mut names: Vec<&String> = sweeps.iter().map(|(name, ..)| name).collect();
    names.dedup();
    names.into_iter().map(|name| picture(name, sweeps)).collect()
}

fn picture(name: &String, sweeps: &[(String, Scheme, Judged)]) -> Result<Figure> {
    let mine: Vec<_> = sweeps.iter().filter(|(other, ..)| other == name).collect();
    let expected = mine[0].2.expected;
    let mut chart = Chart::new(
        Axis::linear("mean evaluations of the score").range(0.0, 50.0),
        Axis::log("total variation distance"),
    );
    for method in ["Heun", "two-step", "adaptive"] {
        let runs: Vec<_> = mine.iter().filter(|(_, scheme, _)| scheme.name() == method).collect();
        let points = runs.iter().map(|(.., j)| (j.mean_evaluations, j.distance.value)).collect();
        let errors = runs.iter().map(|(.., j)| j.distance.standard_error).collect();
        chart = chart.series(Series::marked(method, points).errors(errors));
    }
    let chart = chart.reference(expected, "expectation of as many right draws");
    let stem = name.replace(", d = ", "-");
    Ok(Figure::new(
        format!("error-{stem}"),
        format!("{name}: distance of the end law to the law of the data against evaluations."),
        chart.svg()?,
    ))
}
