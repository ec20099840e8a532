//! The pictures.

use anyhow::Result;
use nalgebra::DMatrix;

use super::methods::Sampler;
use super::{Measured, Report};
use crate::outcome::Figure;
use crate::plot::{Axis, Chart, GreyImage, ImagePanel, Series, image_panels};

/// The curves, as many as there are colours; the table has the others.
const CURVES: [Sampler; 7] = [
    Sampler::Ddim,
    Sampler::Heun,
    Sampler::Multistep,
    Sampler::SdeMultistep,
    Sampler::ProbabilityFlow,
    Sampler::PredictorCorrector,
    Sampler::Ddpm,
];
/// Whose samples are shown.
pub(super) const SHOWN: [(Sampler, &str); 5] = [
    (Sampler::Ddim, "DDIM"),
    (Sampler::Heun, "Heun"),
    (Sampler::Multistep, "2M"),
    (Sampler::SdeMultistep, "SDE 2M"),
    (Sampler::EulerMaruyama, "Euler-Maruyama"),
];
/// At how many evaluations.
pub(super) const SHOWN_AT: [usize; 2] = [10, 20];
/// Whose samples are shown over the law, at the fewer evaluations.
const COMPARED: [Sampler; 2] = [Sampler::Ddim, Sampler::Multistep];
/// The plane that is shown reaches so far to either side.
const HALF_WIDTH: f64 = 1.2;
/// Pixels along a side of a picture of samples.
const PIXELS: usize = 72;
/// So many samples at one pixel make it black.
const BLACK: f64 = 2.0;

/// The samples of one sampler at one number of evaluations, or those of the law itself.
pub(super) struct Cloud {
    pub(super) points: DMatrix<f64>,
}

pub(super) fn figures(reports: &[Report], samples: usize, seeds: usize) -> Result<Vec<Figure>> {
    let mut figures = vec![clouds(reports)?];
    for report in reports {
        figures.push(Figure::new(
            format!("quality-{}", report.target.stem),
            format!(
                "{}: sliced Wasserstein distance W₁ between {samples} samples and {samples} draws from the law, mean and standard \
                 error over {seeds} seeds; the floor is the same distance between two sets of draws. Exact scores. Grids as \
                 their users take them: Karras (σ from 80 to 0.002, ρ = 7) for Heun and the DPM-Solvers, the 1,000 DDPM betas for \
                 DDIM and DDPM, VE (0.01 to 50) with reverse diffusion and one corrector step a level (snr 0.16) for \
                 predictor-corrector, VP (0.1 to 20) for the adaptive Runge-Kutta solver, one point per tolerance.",
                report.target.name
            ),
            curves(report)?,
        ));
        if report.target.denoiser.dim() == 2 {
            figures.push(Figure::new(
                format!("samples-{}", report.target.stem),
                format!(
                    "{}: samples of {} and {} at {} evaluations, over the law.",
                    report.target.name,
                    COMPARED[0].name(),
                    COMPARED[1].name(),
                    SHOWN_AT[0]
                ),
                scatter(report)?,
            ));
        }
    }
    Ok(figures)
}

fn curves(report: &Report) -> Result<String> {
    let mut chart = Chart::new(
        Axis::log("evaluations of the denoiser per particle"),
        Axis::log("sliced Wasserstein distance"),
    );
    for sampler in CURVES {
        let of: Vec<&Measured> = report.measured.iter().filter(|row| row.sampler == sampler).collect();
        let points = of.iter().map(|row| (row.evaluations, row.distance.value)).collect();
        let errors = of.iter().map(|row| row.distance.standard_error).collect();
        chart = chart.series(Series::marked(sampler.name(), points).errors(errors));
    }
    chart.reference(report.floor.value, "floor: two samples of the law").svg()
}

/// A row per planar law, a panel per sampler.
fn clouds(reports: &[Report]) -> Result<Figure> {
    let planar: Vec<&Report> = reports.iter().filter(|report| report.target.denoiser.dim() == 2).collect();
    let labels: Vec<String> = planar.iter().map(|report| report.target.name.to_owned()).collect();
    let pixels: Vec<Vec<Vec<f64>>> = planar
        .iter()
        .map(|report| report.clouds.iter().map(|cloud| darkness(&cloud.points)).collect())
        .collect();
    let image = |values| GreyImage { width: PIXELS, height: PIXELS, values };
    let panel = |heading: String, clouds: std::ops::Range<usize>| ImagePanel {
        heading,
        rows: pixels
            .iter()
            .map(|row| row[clouds.clone()].iter().map(|values| image(values)).collect())
            .collect(),
    };
    let mut panels = vec![panel("law".into(), 0..1)];
    let [few, many] = SHOWN_AT;
    for (k, (_, name)) in SHOWN.iter().enumerate() {
        panels.push(panel(format!("{name}: {few}, {many}"), 2 * k + 1..2 * k + 3));
    }
    let caption = format!(
        "Samples of the planar laws on [−{HALF_WIDTH}, {HALF_WIDTH}]², and of five samplers at {few} and {many} evaluations, with \
         exact scores, on the grids of the figures below. 2M is DPM-Solver++ 2M."
    );
    Ok(Figure::new("samples", caption, image_panels(&labels, &panels)?))
}

/// White where there is no point.
fn darkness(points: &DMatrix<f64>) -> Vec<f64> {
    let mut counts = vec![0.0; PIXELS * PIXELS];
    let place = |x: f64| ((x + HALF_WIDTH) / (2.0 * HALF_WIDTH) * PIXELS as f64).floor();
    let inside = 0.0..PIXELS as f64;
    for x in points.column_iter() {
        let (column, row) = (place(x[0]), place(-x[1]));
        if inside.contains(&column) && inside.contains(&row) {
            counts[row as usize * PIXELS + column as usize] += 1.0;
        }
    }
    counts.iter().map(|count| 1.0 - 2.0 * f64::min(count / BLACK, 1.0)).collect()
}

fn scatter(report: &Report) -> Result<String> {
    let dots =
        |cloud: &Cloud| cloud.points.column_iter().map(|x| (x[0], x[1])).take(1000).collect::<Vec<_>>();
    let axis = |name: &str| Axis::linear(name).range(-HALF_WIDTH, HALF_WIDTH);
    let mut chart = Chart::new(axis("x₁"), axis("x₂"))
        .equal_units()
        .series(Series::dots("law", dots(&report.clouds[0])).exact());
    for (k, (sampler, _)) in SHOWN.iter().enumerate() {
        if let Some(place) = COMPARED.iter().position(|compared| compared == sampler) {
            let cloud = &report.clouds[1 + SHOWN_AT.len() * k];
            chart =
                chart.series(Series::dots(sampler.name(), dots(cloud)).colour(COMPARED.len() - 1 - place));
        }
    }
    chart.svg()
}
