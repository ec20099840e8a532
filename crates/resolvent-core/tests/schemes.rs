//! The linear schemes against one another, against the formulas of the papers, and against exact flow maps and
//! variances.

mod common;

use std::ops::ControlFlow;

use nalgebra::DMatrix;
use resolvent_core::horizon::{
    Churn, LinearScheme, Multistep, Row, SecondOrder, Simulation, Stage, UniPc, UniPcVariant, Variance,
    annealed_langevin, ddim, ddpm, dpm_solver_pp_2m, dpm_solver_pp_2s, dpm_solver_pp_2s_on_grid, euler,
    euler_ancestral, euler_churned, euler_maruyama, heun, reverse_diffusion, sde_dpm_solver_pp_2m, unipc,
};
use resolvent_core::integrate::EulerMaruyama;
use resolvent_core::marginal::{DataPrediction, Denoiser, Diffused, GaussianMixture};
use resolvent_core::reversal::ReverseSde;
use resolvent_core::schedule::{DdpmBetas, Edm, End, Grid, Level, Schedule, Spacing, Ve, VpLinear, prior};
use resolvent_core::{Ensemble, Error, Exit, HorizonSampler};

const FULL_ORDER: Multistep = Multistep { second_order: SecondOrder::Midpoint, lower_order_final: false };

/// Log-SNR grid of the default VP schedule down to `end`.
fn vp_grid(steps: usize, end: f64) -> Grid {
    Grid::uniform_log_snr(&VpLinear::default(), steps, end).unwrap()
}

fn line() -> GaussianMixture {
    GaussianMixture::one_dimensional(&[0.3, 0.7], &[-2.0, 1.0], &[0.5, 0.2]).unwrap()
}

fn run(scheme: &LinearScheme, denoiser: &dyn Denoiser, starts: &DMatrix<f64>) -> Ensemble {
    HorizonSampler::new(&scheme.with(denoiser)).run(starts, 5).unwrap()
}

fn assert_same(a: &LinearScheme, b: &LinearScheme, tolerance: f64) {
    let starts = prior(&VpLinear::default(), 1, 50, 3) * a.start().sigma;
    let (a, b) = (run(a, &line(), &starts).points, run(b, &line(), &starts).points);
    assert!((&a - &b).amax() <= tolerance * b.amax(), "{}", (a - b).amax());
}

/// What one row makes of x = 0.7, D = -0.4, ε = 1.3 at `level`, without memory.
fn apply(row: &Row, level: &Level) -> f64 {
    let (x, d, z) = (0.7, -0.4, 1.3);
    assert_eq!((row.anchor, row.denoised[1], row.denoised[2]), (0.0, 0.0, 0.0));
    let predicted = (x - level.alpha * d) / level.sigma;
    row.x * x + row.denoised[0] * d + row.predicted_noise * predicted + row.noise * z
}

/// All deterministic schemes on `grid`, with their orders.
fn flows(schedule: &dyn Schedule, grid: &Grid) -> Vec<(&'static str, f64, LinearScheme)> {
    let second_order = SecondOrder::Heun;
    let full = |variant| UniPc { variant, lower_order_final: false };
    [
        ("ddim", 1.0, ddim(grid, 0.0)),
        ("heun", 2.0, heun(grid, Churn::NONE)),
        ("dpm-solver++ 2m", 2.0, dpm_solver_pp_2m(grid, FULL_ORDER)),
        ("dpm-solver++ 2m, heun", 2.0, dpm_solver_pp_2m(grid, Multistep { second_order, ..FULL_ORDER })),
        ("dpm-solver++ 2s", 2.0, dpm_solver_pp_2s(schedule, grid)),
        ("dpm-solver++ 2s on the grid", 2.0, dpm_solver_pp_2s_on_grid(grid, false)),
        ("unipc bh1", 3.0, unipc(grid, full(UniPcVariant::Bh1))),
        ("unipc bh2", 3.0, unipc(grid, full(UniPcVariant::Bh2))),
    ]
    .map(|(name, order, scheme)| (name, order, scheme.unwrap()))
    .into()
}

#[test]
fn ancestral_sampling_is_ddim_with_eta_one() {
    for grid in [vp_grid(20, 1e-3), Edm::default().karras(12).unwrap()] {
        let small = ddpm(&grid, Variance::Small).unwrap();
        assert_same(&ddim(&grid, 1.0).unwrap(), &small, 1e-12);
        assert_same(&euler_ancestral(&grid, 1.0).unwrap(), &small, 1e-12);
    }
}

#[test]
fn a_single_step_is_the_same_for_all_flows() {
    let schedule = VpLinear::default();
    let grid = Grid::from_times(&schedule, &[0.8, 0.5]).unwrap();
    let clean = Grid::new(vec![schedule.level(0.3), Level::CLEAN]).unwrap();
    let once = ddim(&grid, 0.0).unwrap();
    for scheme in [
        euler(&grid),
        dpm_solver_pp_2m(&grid, FULL_ORDER),
        dpm_solver_pp_2s_on_grid(&grid, false),
        unipc(&grid, UniPc { variant: UniPcVariant::Bh1, ..UniPc::default() }),
        unipc(&grid, UniPc::default()),
    ] {
        assert_same(&scheme.unwrap(), &once, 1e-14);
    }
    for (name, _, scheme) in flows(&schedule, &clean) {
        assert_eq!(scheme.evaluations(), 1, "{name}");
        assert_same(&scheme, &ddim(&clean, 0.0).unwrap(), 1e-14);
    }
}

/// With data at one point all flows are exact at any step.
#[test]
fn a_constant_denoised_point_is_no_approximation() {
    let point = DataPrediction::new(1, |_: &Level, _: &[f64], out: &mut [f64]| out.fill(0.6)).unwrap();
    let schedule = VpLinear::default();
    for grid in [vp_grid(5, 1e-3), Grid::uniform_time(&schedule, 5, 0.2).unwrap()] {
        let (start, end) = (*grid.start(), grid.levels()[5]);
        let expected = end.alpha * 0.6 + end.sigma / start.sigma * (1.7 - start.alpha * 0.6);
        for (name, _, scheme) in flows(&schedule, &grid) {
            let found = run(&scheme, &point, &DMatrix::from_element(1, 1, 1.7)).points[0];
            assert!((found - expected).abs() < 1e-13, "{name}: {found}, {expected}");
        }
    }
}

/// The order in which the largest error of `schemes` (the same list at every number of steps) falls, with its name
/// and the declared order. On the line the probability flow carries quantiles to quantiles, so the exact map is
/// known.
fn assert_orders(end: f64, schemes: impl Fn(&Grid) -> Vec<(&'static str, f64, LinearScheme)>) {
    let (law, steps) = (line(), [192, 256, 384, 512, 768]);
    let starts = DMatrix::from_row_slice(1, 5, &[-1.5, -0.6, 0.1, 0.8, 1.9]);
    let errors = |steps: usize| -> Vec<(&'static str, f64, f64)> {
        let grid = vp_grid(steps, end);
        let (start, end) = (*grid.start(), grid.levels()[steps]);
        let error = |(name, order, scheme): (&'static str, f64, LinearScheme)| {
            let ends = run(&scheme, &law, &starts).points;
            let gap = |(x, y): (&f64, &f64)| (law.cdf(&start, *x) - law.cdf(&end, *y)).abs();
            (name, order, starts.iter().zip(ends.iter()).map(gap).fold(0.0, f64::max))
        };
        schemes(&grid).into_iter().map(error).collect()
    };
    let all = steps.map(errors);
    for (k, (name, order, _)) in all[0].iter().enumerate() {
        let points = || steps.iter().zip(&all).map(|(n, errors)| ((*n as f64).ln(), errors[k].2.ln()));
        let mean = |of: fn((f64, f64)) -> f64| points().map(of).sum::<f64>() / steps.len() as f64;
        let (x, y) = (mean(|p| p.0), mean(|p| p.1));
        let slope = points().map(|p| (p.0 - x) * (p.1 - y)).sum::<f64>()
            / points().map(|p| (p.0 - x).powi(2)).sum::<f64>();
        println!("{name}: order {:.3}, error {:.2e}", -slope, all[4][k].2);
        assert!((-slope - order).abs() < 0.15, "{name}: order {}", -slope);
    }
}

#[test]
fn flows_converge_to_the_exact_map_in_their_orders() {
    assert_orders(0.01, |grid| flows(&VpLinear::default(), grid));
}

/// Where D still changes at the end, a last step of order 1 costs UniPC its third order and the others nothing.
#[test]
fn a_last_step_of_first_order_leaves_second_order() {
    assert_orders(0.3, |grid| {
        let bh1 = UniPc { variant: UniPcVariant::Bh1, ..UniPc::default() };
        vec![
            ("unipc bh1, lowered", 2.0, unipc(grid, bh1).unwrap()),
            ("unipc bh2, lowered", 2.0, unipc(grid, UniPc::default()).unwrap()),
            ("dpm-solver++ 2s on the grid, lowered", 2.0, dpm_solver_pp_2s_on_grid(grid, true).unwrap()),
        ]
    });
}

/// The variance of the end in exact arithmetic of affine maps: D is affine in x on Gaussian data, so everything is an
/// affine function of the start and the draws.
fn end_variance(scheme: &LinearScheme, mean: f64, deviation: f64) -> (f64, f64) {
    let start = scheme.start();
    let size = 2 + scheme.stages().iter().map(|_| 2).sum::<usize>();
    // Coefficients of 1, of the start in its standard deviations, and of the draws.
    let mut x = vec![0.0; size];
    (x[0], x[1]) = (start.alpha * mean, (start.alpha * deviation).hypot(start.sigma));
    let (mut anchor, mut memory, mut draws) = (x.clone(), vec![vec![0.0; size]; 3], 2);
    for stage in scheme.stages() {
        let Level { alpha, sigma, .. } = stage.level;
        x[draws] += stage.perturbation;
        let gain = alpha * deviation.powi(2) / ((alpha * deviation).powi(2) + sigma.powi(2));
        memory.rotate_right(1);
        memory[0] = x.iter().map(|v| gain * v).collect();
        memory[0][0] += mean - gain * alpha * mean;
        let combine = |row: &Row, anchor: &[f64]| -> Vec<f64> {
            (0..size)
                .map(|i| {
                    let predicted = (x[i] - alpha * memory[0][i]) / sigma;
                    let remembered: f64 = (0..3).map(|k| row.denoised[k] * memory[k][i]).sum();
                    row.x * x[i] + row.anchor * anchor[i] + remembered + row.predicted_noise * predicted
                })
                .collect()
        };
        if let Some(row) = &stage.anchor {
            anchor = combine(row, &anchor);
        }
        let mut next = combine(&stage.next, &anchor);
        next[draws + 1] += stage.next.noise;
        (x, draws) = (next, draws + 2);
    }
    (x[0], x[1..].iter().map(|v| v * v).sum())
}

#[test]
fn stochastic_schemes_have_the_right_variance_in_the_limit() {
    let (schedule, mean, deviation) = (VpLinear::default(), 0.8, 0.4);
    let schemes = |steps: usize| {
        let grid = vp_grid(steps, 0.01);
        [
            ("ddim 0.5", ddim(&grid, 0.5)),
            ("ddim 1", ddim(&grid, 1.0)),
            ("ddpm small", ddpm(&grid, Variance::Small)),
            ("ddpm large", ddpm(&grid, Variance::Large)),
            ("euler churned", euler_churned(&grid, Churn::everywhere(3.0))),
            ("heun churned", heun(&grid, Churn::everywhere(3.0))),
            ("sde-dpm-solver++ 2m", sde_dpm_solver_pp_2m(&grid, FULL_ORDER)),
            (
                "sde-dpm-solver++ 2m, heun",
                sde_dpm_solver_pp_2m(&grid, Multistep { second_order: SecondOrder::Heun, ..FULL_ORDER }),
            ),
            ("reverse diffusion", reverse_diffusion(&grid)),
            ("euler-maruyama", euler_maruyama(&schedule, &grid)),
        ]
        .map(|(name, scheme)| (name, scheme.unwrap()))
    };
    for ((name, coarse), (_, fine)) in schemes(200).into_iter().zip(schemes(400)) {
        let end = fine.end();
        let exact = (end.alpha * mean, (end.alpha * deviation).powi(2) + end.sigma.powi(2));
        let error = |scheme: &LinearScheme| {
            let found = end_variance(scheme, mean, deviation);
            (found.0 / exact.0 - 1.0).abs().max((found.1 / exact.1 - 1.0).abs())
        };
        let (coarse, fine) = (error(&coarse), error(&fine));
        println!("{name}: {coarse:.2e} {fine:.2e}");
        assert!(fine < 0.04 && coarse / fine > 1.7, "{name}: {coarse}, then {fine}");
    }
}

/// At the lowest level, many short moves have the variance of the law there.
#[test]
fn annealed_langevin_settles_at_every_level() {
    let grid = vp_grid(10, 0.3);
    let lowest = grid.levels()[10];
    let exact = (lowest.alpha * 0.4).powi(2) + lowest.sigma.powi(2);
    for (rate, moves) in [(0.1, 400), (0.05, 800)] {
        let scheme = annealed_langevin(&grid, rate * lowest.ratio().powi(2), moves).unwrap();
        assert_eq!(scheme.evaluations(), 11 * moves);
        assert_eq!(scheme.end(), &lowest);
        let (mean, variance) = end_variance(&scheme, 0.8, 0.4);
        // The stationary variance of y += ½ ε s + √ε z for N(m, v) is v/(1 - ε/(4 v)).
        let v = exact / lowest.alpha.powi(2);
        let discrete = exact / (1.0 - rate * lowest.ratio().powi(2) / (4.0 * v));
        assert!((variance / discrete - 1.0).abs() < 1e-9, "{variance}, {discrete}, {exact}");
        assert!((mean / (lowest.alpha * 0.8) - 1.0).abs() < 1e-9, "{mean}");
    }
}

/// Song et al. 2021, eq. 4 and 46: ancestral sampling and reverse diffusion for discrete betas.
#[test]
fn the_updates_of_a_preserving_schedule_are_those_of_the_paper() {
    let betas = DdpmBetas::default();
    let grid = betas.grid(1_000, Spacing::Leading { offset: 0 }, End::Clean).unwrap();
    let (ancestral, reverse) = (ddpm(&grid, Variance::Large).unwrap(), reverse_diffusion(&grid).unwrap());
    for (k, level) in grid.levels()[..999].iter().enumerate() {
        let beta = betas.betas()[999 - k];
        let score = (level.alpha * -0.4 - 0.7) / level.sigma.powi(2);
        let expected = (0.7 + beta * score) / (1.0 - beta).sqrt() + beta.sqrt() * 1.3;
        assert!(
            (apply(&ancestral.stages()[k].next, level) - expected).abs() < 1e-11 * expected.abs().max(1.0)
        );
        let expected = (2.0 - (1.0 - beta).sqrt()) * 0.7 + beta * score + beta.sqrt() * 1.3;
        assert!((apply(&reverse.stages()[k].next, level) - expected).abs() < 1e-11 * expected.abs().max(1.0));
    }
}

/// Song et al. 2021, Algorithm 2 and eq. 47: reverse diffusion and ancestral sampling for a variance exploding
/// schedule.
#[test]
fn the_updates_of_an_exploding_schedule_are_those_of_the_paper() {
    let grid = Grid::uniform_time(&Ve::default(), 30, 0.0).unwrap();
    let (ancestral, reverse) = (ddpm(&grid, Variance::Small).unwrap(), reverse_diffusion(&grid).unwrap());
    assert_same(&reverse, &ddpm(&grid, Variance::Large).unwrap(), 1e-12);
    for (k, pair) in grid.levels().windows(2).enumerate() {
        let (from, to) = (pair[0].sigma.powi(2), pair[1].sigma.powi(2));
        let mean = 0.7 + (from - to) * (-0.4 - 0.7) / from;
        let expected = mean + (from - to).sqrt() * 1.3;
        assert!((apply(&reverse.stages()[k].next, &pair[0]) / expected - 1.0).abs() < 1e-12);
        let expected = mean + (to * (from - to) / from).sqrt() * 1.3;
        assert!((apply(&ancestral.stages()[k].next, &pair[0]) / expected - 1.0).abs() < 1e-12);
    }
}

#[test]
fn euler_maruyama_is_the_simulated_reverse_sde() {
    let (schedule, law) = (VpLinear::default(), line());
    let grid = Grid::uniform_time(&schedule, 40, 0.05).unwrap();
    let starts = prior(&schedule, 1, 100, 1);
    let table = run(&euler_maruyama(&schedule, &grid).unwrap(), &law, &starts);
    let score = Diffused { schedule: &schedule, denoiser: &law };
    let reverse = ReverseSde { diffusion: &schedule, score: &score, horizon: 1.0 };
    let times = grid.levels().iter().map(|level| 1.0 - level.time).collect();
    let simulation = Simulation::new(&reverse, &EulerMaruyama, 1, times).unwrap();
    let simulated = HorizonSampler::new(&simulation).run(&starts, 5).unwrap();
    assert!(
        (&table.points - &simulated.points).amax() < 1e-12,
        "{}",
        (table.points - simulated.points).amax()
    );
    assert_eq!(table.evaluations, simulated.evaluations);
    assert!((table.lifetimes[0] - simulated.lifetimes[0]).abs() < 1e-15);
}

/// Karras et al. 2022, Algorithm 2, one step written out.
#[test]
fn churned_heun_is_the_algorithm_of_the_paper() {
    let grid = Edm::default().karras(18).unwrap();
    let churn = Churn { s_churn: 4.0, s_min: 0.05, s_max: 50.0, s_noise: 1.003 };
    let scheme = heun(&grid, churn).unwrap();
    assert_eq!(scheme.evaluations(), 35);
    let denoised = |x: f64, sigma: f64| x.sin() / (1.0 + sigma);
    let mut stages = scheme.stages().iter();
    for pair in grid.levels().windows(2) {
        let (t, next) = (pair[0].sigma, pair[1].sigma);
        let gamma = if (0.05..=50.0).contains(&t) { f64::min(4.0 / 18.0, 2.0_f64.sqrt() - 1.0) } else { 0.0 };
        let (x, z) = (0.7 * t, 1.3);
        let hat = t + gamma * t;
        let x_hat = x + (hat * hat - t * t).sqrt() * 1.003 * z;
        let slope = (x_hat - denoised(x_hat, hat)) / hat;
        let mut expected = x_hat + (next - hat) * slope;
        let first = stages.next().unwrap();
        let d = denoised(x_hat, hat);
        assert!((x + first.perturbation * z - x_hat).abs() < 1e-12 * t);
        let mut found = first.next.x * x_hat + first.next.denoised[0] * d;
        assert!((found - expected).abs() < 1e-12 * t);
        if next > 0.0 {
            let slope_there = (expected - denoised(expected, next)) / next;
            expected = x_hat + (next - hat) * (0.5 * slope + 0.5 * slope_there);
            let row = stages.next().unwrap().next;
            let there = denoised(found, next);
            found = row.x * found + row.anchor * x_hat + row.denoised[0] * there + row.denoised[1] * d;
        }
        assert!((found - expected).abs() < 1e-12 * t, "{found}, {expected}");
    }
}

/// The weight of the remembered point for short steps, h φ_2(-h) = h/2 - h²/6 + .., keeps its digits.
#[test]
fn short_steps_lose_no_digits() {
    let h: f64 = 1e-5;
    let level = |k: i32| Level { time: f64::from(-k), alpha: 1.0, sigma: f64::exp(-h * f64::from(k)) };
    let grid = Grid::new((0..4).map(level).collect()).unwrap();
    let exact = h / 2.0 - h * h / 6.0 + h * h * h / 24.0;
    let options = Multistep { second_order: SecondOrder::Heun, ..FULL_ORDER };
    let weight = -dpm_solver_pp_2m(&grid, options).unwrap().stages()[1].next.denoised[1];
    assert!((weight / exact - 1.0).abs() < 1e-10, "{weight}, {exact}");
    // c_1 = (b_1 - b_2)/2 at ρ = -1, with b_1 - b_2 = φ_2 - 2 φ_3 = 1/6 - z/12 .. at z = -h, so α' B c_1/ρ = -h/12 +
    // ..
    let corrector =
        unipc(&grid, UniPc { variant: UniPcVariant::Bh1, lower_order_final: false }).unwrap().stages()[2]
            .anchor;
    let (weight, exact) = (corrector.unwrap().denoised[2], -h / 12.0 * (1.0 - h / 2.0));
    assert!((weight / exact - 1.0).abs() < 1e-9, "{weight}, {exact}");
}

#[test]
fn a_particle_does_the_same_in_any_company() {
    let schedule = VpLinear::default();
    let law = GaussianMixture::isotropic(
        &[0.5, 0.5],
        DMatrix::from_column_slice(2, 2, &[-1.0, 0.0, 1.0, 0.5]),
        &[0.3, 0.2],
    )
    .unwrap();
    let grid = Grid::karras(&schedule, 12, 0.02, 80.0, 7.0).unwrap();
    let starts = prior(&schedule, 2, 100, 4);
    for scheme in [
        sde_dpm_solver_pp_2m(&grid, Multistep::default()).unwrap().clipped(1.5).unwrap(),
        ddim(&grid, 0.7).unwrap().clipped(1.5).unwrap(),
        heun(&grid, Churn::everywhere(5.0)).unwrap(),
    ] {
        let method = scheme.with(&law);
        let alone = HorizonSampler::new(&method).batch(1).run(&starts, 9).unwrap();
        for (threads, batch) in [(1, 100), (3, 7)] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let together =
                pool.install(|| HorizonSampler::new(&method).batch(batch).run(&starts, 9).unwrap());
            assert_eq!(alone.points, together.points);
        }
        let fewer = HorizonSampler::new(&method).run(&starts.columns(0, 30).into_owned(), 9).unwrap();
        assert_eq!(fewer.points, alone.points.columns(0, 30));
    }
}

#[test]
fn a_diverging_particle_is_counted_and_harms_no_other() {
    let grid = vp_grid(10, 1e-3);
    let from = grid.levels()[4].sigma;
    // The model fails at the particle that starts far out, from step 4 on.
    let failing = |level: &Level, x: &[f64], out: &mut [f64]| {
        for (out, x) in out.iter_mut().zip(x) {
            *out = if *x > 1e3 && level.sigma <= from { f64::NAN } else { 0.5 * x.tanh() };
        }
    };
    let denoiser = DataPrediction::new(1, failing).unwrap();
    let mut starts = prior(&VpLinear::default(), 1, 9, 1);
    for scheme in [dpm_solver_pp_2m(&grid, FULL_ORDER).unwrap(), heun(&grid, Churn::NONE).unwrap()] {
        let healthy = run(&scheme, &denoiser, &starts);
        assert!(healthy.exits.iter().all(|exit| *exit == Exit::Horizon));
        let each = scheme.evaluations();
        let kept = std::mem::replace(&mut starts[3], 1e9);
        let ensemble = HorizonSampler::new(&scheme.with(&denoiser)).paths(9).run(&starts, 5).unwrap();
        starts[3] = kept;
        for i in 0..9 {
            if i != 3 {
                assert_eq!(ensemble.points[i], healthy.points[i]);
                assert_eq!((ensemble.evaluations[i], ensemble.exits[i]), (each, Exit::Horizon));
            }
        }
        // Heun's second evaluation of step 3 is at the level of step 4.
        let step = if each == 20 { 3 } else { 4 };
        assert_eq!(ensemble.exits[3], Exit::Diverged { step });
        assert_eq!(ensemble.evaluations[3], if each == 20 { 8 } else { 5 });
        assert!(ensemble.points[3].is_finite() && ensemble.points[3] > 1e3);
        let path = &ensemble.paths[3];
        assert_eq!(path.times.len(), step + 1);
    }
}

#[test]
fn a_final_denoising_step_ends_in_the_denoised_point() {
    let (grid, law) = (vp_grid(10, 1e-3), line());
    let plain = ddim(&grid, 0.0).unwrap();
    let ended = plain.clone().final_denoise();
    assert_eq!((plain.evaluations(), ended.evaluations()), (10, 11));
    assert_eq!(ended.end(), &Level { time: plain.end().time, ..Level::CLEAN });
    let starts = prior(&VpLinear::default(), 1, 20, 1);
    let before = run(&plain, &law, &starts).points;
    let mut expected = before.clone();
    law.denoise(&grid.levels()[10], before.as_slice(), expected.as_mut_slice());
    assert!((run(&ended, &law, &starts).points - expected).amax() < 1e-15);
    let clean = ddim(&Edm::default().karras(5).unwrap(), 0.0).unwrap();
    assert_eq!(clean.clone().final_denoise(), clean);
}

#[test]
fn clipping_touches_the_denoised_point_alone_unless_told() {
    let schedule = VpLinear::default();
    let grid = Grid::from_times(&schedule, &[0.5, 0.3]).unwrap();
    let (from, to) = (schedule.level(0.5), schedule.level(0.3));
    let far = DataPrediction::new(1, |_: &Level, _: &[f64], out: &mut [f64]| out.fill(3.0)).unwrap();
    let starts = DMatrix::from_element(1, 1, 0.7);
    let scheme = ddim(&grid, 0.0).unwrap().clipped(1.0).unwrap();
    let expected = |noise_of: f64| to.alpha + to.sigma * (0.7 - from.alpha * noise_of) / from.sigma;
    assert!((run(&scheme, &far, &starts).points[0] - expected(3.0)).abs() < 1e-14);
    assert!((run(&scheme.with_clipped_noise(), &far, &starts).points[0] - expected(1.0)).abs() < 1e-14);
}

#[test]
fn an_observer_can_stop_a_run() {
    let (scheme, law) = (ddim(&vp_grid(10, 1e-3), 0.0).unwrap(), line());
    let starts = prior(&VpLinear::default(), 1, 40, 1);
    let stop = |step: usize| if step == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    let found = HorizonSampler::new(&scheme.with(&law)).run_observed(&starts, 1, &|o| stop(o.step));
    assert_eq!(found.unwrap_err(), Error::Interrupted { finished: 0, total: 40 });
}

#[test]
fn impossible_parameters_are_refused() {
    let (grid, schedule) = (vp_grid(10, 1e-3), VpLinear::default());
    for eta in [-0.1, f64::NAN, 1.5] {
        assert!(matches!(ddim(&grid, eta), Err(Error::Outside { name: "eta", .. })));
        assert!(matches!(euler_ancestral(&grid, eta), Err(Error::Outside { name: "eta", .. })));
    }
    for (name, churn) in [
        ("s_churn", Churn::everywhere(-1.0)),
        ("s_churn", Churn::everywhere(f64::NAN)),
        ("s_min", Churn { s_min: -1.0, ..Churn::NONE }),
        ("s_noise", Churn { s_noise: f64::INFINITY, ..Churn::NONE }),
    ] {
        let refused = |result: Result<LinearScheme, Error>| matches!(result, Err(Error::Negative { name: found, .. }) if found == name);
        assert!(refused(heun(&grid, churn)) && refused(euler_churned(&grid, churn)));
    }
    let empty = Churn { s_min: 2.0, s_max: 1.0, ..Churn::NONE };
    assert!(matches!(heun(&grid, empty), Err(Error::Outside { name: "s_max", .. })));
    assert!(matches!(annealed_langevin(&grid, 0.0, 5), Err(Error::NotPositive { name: "step", .. })));
    assert!(matches!(annealed_langevin(&grid, 0.1, 0), Err(Error::TooSmall { name: "moves", .. })));
    assert!(matches!(ddim(&grid, 0.0).unwrap().clipped(0.0), Err(Error::NotPositive { name: "clip", .. })));
    let backwards = |time: f64, sigma: f64| Level { time, alpha: 1.0, sigma };
    let grid = Grid::new(vec![backwards(0.2, 2.0), backwards(0.3, 1.0)]).unwrap();
    assert!(matches!(euler_maruyama(&schedule, &grid), Err(Error::Ascending { name: "times", .. })));
    let grid = Grid::new(vec![backwards(7.0, 2.0), backwards(0.3, 1.0)]).unwrap();
    assert!(matches!(euler_maruyama(&schedule, &grid), Err(Error::OutsideHorizon { .. })));
    // No level of the schedule lies between the two.
    let grid = Grid::new(vec![backwards(0.9, 1e9), backwards(0.3, 1e8)]).unwrap();
    assert!(matches!(dpm_solver_pp_2s(&schedule, &grid), Err(Error::Levels { .. })));
}

#[test]
fn an_impossible_table_is_refused() {
    let level = Level { time: 1.0, alpha: 1.0, sigma: 1.0 };
    let stage = |next: Row| Stage::simple(2, level, next, Level::CLEAN);
    let table = |stage: Stage| LinearScheme::new(level, vec![stage]);
    assert_eq!(LinearScheme::new(level, vec![]), Err(Error::Empty { name: "scheme" }));
    let infinite = Row { x: f64::INFINITY, ..Row::default() };
    assert_eq!(table(stage(infinite)), Err(Error::Coefficient { step: 2, value: f64::INFINITY }));
    let noisy = Row { noise: 0.5, ..Row::default() };
    let held = Stage { anchor: Some(noisy), ..stage(Row::default()) };
    assert_eq!(table(held), Err(Error::Coefficient { step: 2, value: 0.5 }));
    let negative = Stage { perturbation: -1.0, ..stage(Row::default()) };
    assert_eq!(table(negative), Err(Error::Negative { name: "perturbation", value: -1.0 }));
    let unfinished = Stage { reached: None, ..stage(Row::default()) };
    assert_eq!(table(unfinished), Err(Error::Unfinished { step: 2 }));
    // A denoised point must have been found before it can be remembered.
    let remembers = |back: usize| {
        let mut row = Row { x: 1.0, ..Row::default() };
        row.denoised[back] = 1e-9;
        row
    };
    let first = stage(remembers(0));
    for back in [1, 2] {
        let early: Vec<Stage> =
            (0..back).map(|k| if k + 1 == back { stage(remembers(back)) } else { first }).collect();
        assert_eq!(LinearScheme::new(level, early), Err(Error::Memory { step: 2, back }));
        let held = Stage { anchor: Some(remembers(back)), ..first };
        assert_eq!(table(held), Err(Error::Memory { step: 2, back }));
        let late: Vec<Stage> =
            (0..=back).map(|k| if k == back { stage(remembers(back)) } else { first }).collect();
        assert!(LinearScheme::new(level, late).is_ok());
    }
    let predicted = Row { predicted_noise: 1.0, ..Row::default() };
    let clean = Stage { level: Level::CLEAN, ..stage(predicted) };
    assert_eq!(table(clean), Err(Error::NotPositive { name: "sigma", value: 0.0 }));
}
