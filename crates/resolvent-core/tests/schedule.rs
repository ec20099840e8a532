//! Schedules against their own derivatives, published numbers and the golden tables of the field's schedulers; grids; bad
//! input.

use resolvent_core::Error;
use resolvent_core::schedule::{
    Brownian, DdpmBetas, Edm, End, Grid, Level, LogLinear, OrnsteinUhlenbeck, Rates, Schedule, Spacing,
    SubVp, Timestep, Ve, VpBeta, VpCosine, VpLinear, VpLogSnr,
};

/// Every schedule, usual and unusual.
fn schedules() -> Vec<(&'static str, Box<dyn Schedule>)> {
    vec![
        ("vp", Box::new(VpLinear::default())),
        ("vp, falling", Box::new(VpLinear::new(3.0, 0.5, 2.5).unwrap())),
        ("cosine", Box::new(VpCosine::default())),
        ("cosine, no offset", Box::new(VpCosine::new(0.0, 0.9).unwrap())),
        ("sub-vp", Box::new(SubVp::default())),
        ("ve", Box::new(Ve::default())),
        ("ve from data", Box::new(Ve::from_data(0.001, 10.0, 2.0).unwrap())),
        ("a beta", Box::new(VpBeta::new(|t| 4.0 + 3.0 * (5.0 * t).sin(), 3.0).unwrap())),
        ("a log-snr", Box::new(VpLogSnr::new(|t| -2.0 * t.ln() - t, |t| -2.0 / t - 1.0, 6.0).unwrap())),
        ("edm", Box::new(Edm::default())),
        ("log-linear", Box::new(LogLinear::new(0.02, 10.0).unwrap())),
        ("ou", Box::new(OrnsteinUhlenbeck::new(0.7, 1.3, 4.0).unwrap())),
        ("brownian", Box::new(Brownian::new(0.4, 3.0).unwrap())),
    ]
}

fn assert_close(found: f64, exact: f64, tolerance: f64, what: &str) {
    assert!(
        (found - exact).abs() <= tolerance * exact.abs().max(1e-300),
        "{what}: {found}, expected {exact}"
    );
}

/// f'(t) by central differences of sixth order.
fn derivative(f: impl Fn(f64) -> f64, t: f64, h: f64) -> f64 {
    let odd = |k: f64| f(t + k * h) - f(t - k * h);
    (45.0 * odd(1.0) - 9.0 * odd(2.0) + odd(3.0)) / (60.0 * h)
}

#[test]
fn rates_are_the_derivatives_of_the_level() {
    for (name, schedule) in schedules() {
        let horizon = schedule.horizon();
        for u in [0.05, 0.2, 0.5, 0.75, 0.95] {
            let (t, h) = (u * horizon, 2e-3 * u.min(1.0 - u) * horizon);
            let Rates { drift, noise } = schedule.rates(t);
            let log_alpha = derivative(|t| schedule.level(t).alpha.ln(), t, h);
            let growth = derivative(|t| schedule.level(t).sigma.powi(2), t, h);
            let scale = drift.abs().max(1.0 / horizon);
            assert!((drift - log_alpha).abs() < 1e-8 * scale, "{name}, f at {t}: {drift}, {log_alpha}");
            let exact = growth - 2.0 * drift * schedule.level(t).sigma.powi(2);
            assert_close(noise, exact, 1e-7, &format!("{name}, g² at {t}"));
        }
    }
}

#[test]
fn time_of_ratio_inverts_the_ratio_and_stops_at_the_ends() {
    /// A schedule without its closed form.
    struct Bisected<'a>(&'a dyn Schedule);
    impl Schedule for Bisected<'_> {
        fn horizon(&self) -> f64 {
            self.0.horizon()
        }
        fn level(&self, t: f64) -> Level {
            self.0.level(t)
        }
        fn rates(&self, t: f64) -> Rates {
            self.0.rates(t)
        }
    }
    for (name, schedule) in schedules() {
        let horizon = schedule.horizon();
        for u in [1e-6, 1e-3, 0.1, 0.5, 0.9, 1.0] {
            let t = u * horizon;
            let ratio = schedule.level(t).ratio();
            // Near 0 the ratio of VE hardly depends on t: an absolute part.
            let close = |found: f64| (found - t).abs() <= 1e-9 * t + 1e-14 * horizon;
            assert!(close(schedule.time_of_ratio(ratio)), "{name} at {t}: {}", schedule.time_of_ratio(ratio));
            assert!(close(Bisected(&*schedule).time_of_ratio(ratio)), "{name} at {t}, bisected");
        }
        let (first, last) = (schedule.level(0.0).ratio(), schedule.level(horizon).ratio());
        // Bisection stops where σ underflows.
        assert!(schedule.time_of_ratio(0.5 * first) <= f64::MIN_POSITIVE, "{name}");
        assert_eq!(schedule.time_of_ratio(2.0 * last), horizon, "{name}");
        assert_eq!(schedule.time_of_ratio(f64::INFINITY), horizon, "{name}");
    }
}

#[test]
fn data_are_clean_at_time_zero_and_the_prior_is_near_at_the_horizon() {
    for (name, schedule) in schedules() {
        let first = schedule.level(0.0);
        assert_eq!((first.time, first.alpha), (0.0, 1.0), "{name}");
        let noise = match name {
            "ve" => 0.01,
            "log-linear" => 0.02,
            _ => 0.0,
        };
        assert_close(first.sigma, noise, 1e-12, name);
        let last = schedule.level(schedule.horizon());
        let slack = if matches!(name, "vp, falling" | "cosine, no offset" | "ou" | "a log-snr") {
            0.02
        } else {
            1e-4
        };
        assert_close(schedule.prior_deviation(), last.sigma, slack, name);
    }
}

#[test]
fn levels_have_their_published_values() {
    // exp(-5.025), by 30-digit arithmetic, as are the others.
    let vp = VpLinear::default().level(1.0);
    assert_close(vp.alpha, 0.006_571_586_494_929_615, 1e-14, "vp alpha");
    assert_close(vp.sigma, 0.999_978_406_892_338_7, 1e-14, "vp sigma");
    let sub = SubVp::default().level(0.5);
    assert_close(sub.alpha, 0.281_182_880_796_752_4, 1e-14, "sub-vp alpha");
    assert_close(sub.sigma, 0.920_936_187_546_839_3, 1e-14, "sub-vp sigma");
    let cosine = VpCosine::default();
    assert_close(cosine.level(0.5).alpha, 0.702_740_058_941_169, 1e-14, "cosine alpha");
    assert_close(cosine.level(0.5).sigma, 0.711_446_701_840_244_9, 1e-14, "cosine sigma");
    assert_close(cosine.level(0.9946).alpha, 0.008_415_534_959_361_26, 1e-12, "cosine alpha at the end");
    assert_close(Ve::default().level(0.5).sigma, 0.5_f64.sqrt(), 1e-14, "ve, geometric mean");
    let started = Ve::from_data(0.01, 50.0, 1.0).unwrap().level(0.5).sigma;
    assert_close(started, (0.5 - 1e-4_f64).sqrt(), 1e-14, "ve from data");
    // log SNR falls by 2 per unit of time.
    let log = LogLinear::new(0.02, 10.0).unwrap();
    assert_close(log.level(1.0).log_snr() - log.level(3.0).log_snr(), 4.0, 1e-13, "log-linear");
    let ou = OrnsteinUhlenbeck::new(0.5, 2.0, 100.0).unwrap();
    assert_close(ou.level(100.0).sigma, ou.stationary_deviation(), 1e-14, "ou");
    assert_close(ou.stationary_deviation(), 2.0, 1e-14, "ou, stationary");
}

#[test]
fn functions_give_the_schedules_they_come_from() {
    let (linear, cosine) = (VpLinear::default(), VpCosine::default());
    let of_linear = VpBeta::new(|t| linear.beta(t), 1.0).unwrap();
    let of_cosine = VpBeta::new(|t| cosine.beta(t), cosine.horizon()).unwrap();
    let log_snr = |t: f64| linear.level(t).log_snr();
    let of_log_snr =
        VpLogSnr::new(log_snr, |t| -linear.rates(t).noise / linear.level(t).sigma.powi(2), 1.0).unwrap();
    for t in [1e-4, 0.01, 0.37, 0.8, 0.99] {
        for (name, found, exact, tolerance) in [
            ("beta, linear", &of_linear as &dyn Schedule, &linear as &dyn Schedule, 1e-12),
            // Near T this β is far from a polynomial on the scale of a panel.
            ("beta, cosine", &of_cosine, &cosine, 1e-9),
            ("log-snr", &of_log_snr, &linear, 1e-12),
        ] {
            let (level, wanted) = (found.level(t), exact.level(t));
            assert_close(level.alpha, wanted.alpha, tolerance, name);
            assert_close(level.sigma, wanted.sigma, tolerance, name);
            assert_close(found.rates(t).noise, exact.rates(t).noise, 1e-12, name);
            assert_close(found.rates(t).drift, exact.rates(t).drift, 1e-12, name);
        }
    }
    assert_eq!(of_log_snr.level(0.0), Level::CLEAN);
    for (text, schedule) in [
        ("beta must be finite and not negative, got -1", VpBeta::new(|_| -1.0, 1.0).map(drop)),
        ("beta must be finite and not negative, got NaN", VpBeta::new(|_| f64::NAN, 1.0).map(drop)),
        ("beta must be finite and not negative, got inf", VpBeta::new(|t| 1.0 / t, 1.0).map(drop)),
        ("integral of beta must be positive and finite, got 0", VpBeta::new(|_| 0.0, 1.0).map(drop)),
        ("horizon must be positive and finite, got 0", VpBeta::new(|_| 1.0, 0.0).map(drop)),
        ("horizon must be positive", VpLogSnr::new(|t| -t, |_| -1.0, f64::NAN).map(drop)),
        ("log_snr must be strictly descending: entry 1", VpLogSnr::new(|t| t, |_| -1.0, 1.0).map(drop)),
        ("log_snr must be strictly", VpLogSnr::new(|_| f64::NAN, |_| -1.0, 1.0).map(drop)),
        ("-d log_snr/dt must be positive", VpLogSnr::new(|t| -t, |_| 1.0, 1.0).map(drop)),
        ("d log_snr/dt is -1.01 at", VpLogSnr::new(|t| -t, |_| -1.01, 1.0).map(drop)),
        (
            "d log_snr/dt is -2 at",
            VpLogSnr::new(|t| -t - f64::max(0.0, t - 0.99), |t| if t > 0.95 { -2.0 } else { -1.0 }, 1.0)
                .map(drop),
        ),
    ] {
        let found = schedule.unwrap_err().to_string();
        assert!(found.contains(text), "{found:?} lacks {text:?}");
    }
}

#[test]
fn a_small_time_keeps_all_its_digits() {
    // σ² = ∫ g² up to terms of order t.
    for (name, schedule) in schedules() {
        if matches!(name, "ve" | "log-linear" | "edm" | "sub-vp" | "cosine, no offset" | "a log-snr") {
            continue;
        }
        let t = 1e-13;
        let exact = (schedule.rates(0.0).noise * t).sqrt();
        assert_close(schedule.level(t).sigma, exact, 1e-10, name);
    }
}

#[test]
fn coordinates_of_a_level_convert_there_and_back() {
    for ratio in [1e-12, 1e-3, 0.5, 1.0, 7.0, 1e3, 1e9] {
        let level = Level::from_ratio(0.3, ratio);
        assert_close(level.ratio(), ratio, 1e-14, "ratio");
        assert_close(level.alpha.hypot(level.sigma), 1.0, 1e-15, "variance preserving");
        assert_close(level.log_snr(), -2.0 * ratio.ln(), 1e-12, "log snr");
        for again in [
            Level::from_log_snr(0.3, level.log_snr()),
            Level::from_beta_integral(0.3, level.beta_integral()),
            level.unscaled().preserving(),
        ] {
            assert_close(again.alpha, level.alpha, 1e-12, "alpha");
            assert_close(again.sigma, level.sigma, 1e-12, "sigma");
            assert_eq!(again.time, 0.3);
        }
        assert_eq!(level.unscaled().alpha, 1.0);
        assert_close(level.unscaled().sigma, ratio, 1e-14, "unscaled");
    }
    // VP in another way: ∫ β of the level is that of the schedule.
    let vp = VpLinear::default();
    assert_close(vp.level(1.0).beta_integral(), 10.05, 1e-13, "beta integral");
    for (log_snr, alpha, sigma) in [(2000.0, 1.0, 0.0), (-2000.0, 0.0, 1.0)] {
        let level = Level::from_log_snr(0.0, log_snr);
        assert_eq!((level.alpha, level.sigma), (alpha, sigma));
    }
    let noise = Level::from_ratio(0.0, f64::INFINITY);
    assert_eq!((noise.alpha, noise.sigma), (0.0, 1.0));
}

#[test]
fn discrete_betas_have_their_published_values() {
    let ddpm = DdpmBetas::default();
    assert_eq!(ddpm.len(), 1_000);
    assert_close(ddpm.betas()[999], 0.02, 1e-15, "beta");
    assert_close(ddpm.alpha_bars()[999], 4.035_829_765_375_683e-5, 1e-12, "alpha bar");
    // The noise range of latent diffusion models, 0.0292 to 14.6146.
    let (low, high) = DdpmBetas::scaled_linear(0.00085, 0.012, 1_000).unwrap().sigma_range();
    assert_close(low, 0.029_167_158_151_720_067, 1e-12, "sigma_min");
    assert_close(high, 14.614_641_229_333_636, 1e-12, "sigma_max");
    let cosine = DdpmBetas::cosine(1_000, 0.008, 0.999).unwrap();
    assert_close(cosine.betas()[0], 4.128_422_482_177_782e-5, 1e-11, "cosine");
    assert_close(cosine.betas()[500], 0.003_155_691_441_585_03, 1e-12, "cosine");
    assert_eq!(cosine.betas()[999], 0.999);
    // A discretised schedule is the schedule at its times.
    let vp = VpLinear::default();
    let betas = DdpmBetas::from_schedule(&vp, 50).unwrap();
    let (discrete, exact) = (betas.level(9.0).unwrap(), vp.level(0.2));
    assert_close(discrete.alpha, exact.alpha, 1e-13, "alpha");
    assert_close(discrete.sigma, exact.sigma, 1e-13, "sigma");
    let capped = DdpmBetas::from_schedule(&VpCosine::new(0.008, 0.999).unwrap(), 999).unwrap();
    for (a, b) in capped.betas().iter().zip(cosine.betas()) {
        assert_close(*a, *b, 1e-10, "cosine, discretised");
    }
    let again = DdpmBetas::from_alpha_bars(ddpm.alpha_bars()).unwrap();
    for (a, b) in again.betas().iter().zip(ddpm.betas()) {
        assert_close(*a, *b, 1e-11, "betas of alpha bars");
    }
}

#[test]
fn fractional_timesteps_interpolate_the_ratio_and_its_logarithm() {
    let ddpm = DdpmBetas::default();
    let ratio = |t: f64| ddpm.level(t).unwrap().ratio();
    assert_close(ratio(10.25), 0.75 * ratio(10.0) + 0.25 * ratio(11.0), 1e-13, "linear");
    let middle = (ratio(10.0) * ratio(11.0)).sqrt();
    assert_close(ddpm.timestep_of_ratio(middle), 10.5, 1e-10, "logarithmic");
    for t in [1.0, 500.0, 998.0] {
        assert_close(ddpm.timestep_of_ratio(ratio(t)), t, 1e-9, "whole");
    }
    assert_eq!(ddpm.timestep_of_ratio(1e-9), 0.0);
    assert_eq!(ddpm.timestep_of_ratio(1e9), 999.0);
}

#[test]
fn grids_are_those_of_the_reference_schedulers() {
    let table = include_str!("../../../tests/schedulers/trajectories.csv");
    let ddpm = DdpmBetas::default();
    let grid = |steps, spacing, end| ddpm.grid(steps, spacing, end).unwrap();
    let leading = Spacing::Leading { offset: 0 };
    let karras = |timestep, end| ddpm.karras(10, ddpm.sigma_range(), 7.0, timestep, end).unwrap();
    let cases = [
        ("ddim", grid(10, leading, End::Clean)),
        ("ddim_7", grid(7, leading, End::Clean)),
        ("ddim_alpha0", grid(10, leading, End::First)),
        ("ddpm_fixed_small", grid(10, leading, End::Clean)),
        ("euler", grid(10, Spacing::LinspaceFractional, End::Clean)),
        ("euler_leading", grid(10, leading, End::Clean)),
        ("euler_trailing", grid(10, Spacing::Trailing, End::Clean)),
        ("euler_sigma_min", grid(10, Spacing::Leading { offset: 1 }, End::First)),
        ("euler_ancestral", grid(10, Spacing::LinspaceFractional, End::Clean)),
        ("heun", grid(10, Spacing::LinspaceFractional, End::Clean)),
        ("euler_karras", karras(Timestep::Interpolated, End::Clean)),
        ("heun_karras", karras(Timestep::Interpolated, End::Clean)),
        ("dpmpp_2m", grid(10, Spacing::LinspaceAboveZero, End::Clean)),
        ("dpmpp_2m_1", grid(1, Spacing::LinspaceAboveZero, End::Clean)),
        ("dpmpp_2m_2", grid(2, Spacing::LinspaceAboveZero, End::Clean)),
        ("dpmpp_2m_20_sigma_min", grid(20, Spacing::LinspaceAboveZero, End::First)),
        ("dpmpp_2m_karras", karras(Timestep::Rounded, End::Clean)),
        ("dpmpp_2s_7", grid(7, Spacing::LinspaceAboveZero, End::Clean)),
        ("unipc_bh1_sigma_min", grid(10, Spacing::LinspaceAboveZero, End::First)),
        ("unipc_bh2_karras", karras(Timestep::Rounded, End::Clean)),
        ("edm_euler", Edm::default().karras(10).unwrap()),
    ];
    for (name, grid) in cases {
        let rows: Vec<Vec<&str>> = table
            .lines()
            .map(|line| line.split(',').collect::<Vec<_>>())
            .filter(|row| row[0] == name && row[2] == "state" && !row[6].is_empty())
            .collect();
        // A last step that goes nowhere is not part of the grid.
        let rows = match rows.last().unwrap() {
            last if last[5] == last[7] => &rows[..rows.len() - 1],
            _ => &rows[..],
        };
        assert_eq!(rows.len(), grid.steps(), "{name}");
        for (row, pair) in rows.iter().zip(grid.levels().windows(2)) {
            let column = |i: usize| row[i].parse::<f64>().unwrap();
            // EDM hands out log(σ)/4 as the time.
            let time = if name == "edm_euler" { (4.0 * column(3)).exp() } else { column(3) };
            assert_close(pair[0].time, time, 1e-10, name);
            for (level, at) in [(&pair[0], 4), (&pair[1], 6)] {
                // Euler and Heun keep their state in the variable x/α.
                let level = if column(4) == 1.0 { level.unscaled() } else { *level };
                assert_close(level.alpha, column(at), 1e-11, name);
                assert_close(level.sigma, column(at + 1), 1e-11, name);
            }
        }
    }
}

#[test]
fn timesteps_follow_their_convention() {
    let betas = DdpmBetas::default();
    let at = |steps, spacing| betas.timesteps(steps, spacing).unwrap();
    assert_eq!(at(4, Spacing::Leading { offset: 0 }), [750.0, 500.0, 250.0, 0.0]);
    assert_eq!(at(4, Spacing::Leading { offset: 1 }), [751.0, 501.0, 251.0, 1.0]);
    // ⌊1000/7⌋ = 142.
    assert_eq!(at(7, Spacing::Leading { offset: 0 })[..2], [852.0, 710.0]);
    assert_eq!(at(4, Spacing::Trailing), [999.0, 749.0, 499.0, 249.0]);
    assert_eq!(at(3, Spacing::Trailing), [999.0, 666.0, 332.0]);
    // 499.5 goes to the even 500.
    assert_eq!(at(3, Spacing::Linspace), [999.0, 500.0, 0.0]);
    assert_eq!(at(3, Spacing::LinspaceFractional), [999.0, 499.5, 0.0]);
    assert_eq!(at(2, Spacing::LinspaceAboveZero), [999.0, 500.0]);
    assert_eq!(at(1, Spacing::Trailing), [999.0]);
    assert_eq!(at(1_000, Spacing::Trailing)[999], 0.0);
}

#[test]
fn the_karras_grid_has_its_published_sigmas() {
    let exact = [
        80.0,
        57.585_984_721_248_16,
        40.785_573_796_507_96,
        28.374_584_604_156_837,
        19.352_452_980_325_22,
        12.910_082_380_757_316,
        8.400_935_309_099_82,
        5.315_194_521_796_379,
        3.256_821_519_765_538,
        1.923_339_837_040_05,
        1.088_170_636_545_279_4,
        0.585_348_123_194_542_3,
        0.296_442_284_479_157_26,
        0.139_516_468_731_016_48,
        0.059_947_311_235_471_57,
        0.022_934_518_372_333_368,
        0.007_528_019_962_784_07,
        0.002,
        0.0,
    ];
    let grid = Edm::default().karras(18).unwrap();
    assert_eq!(grid.steps(), 18);
    for (level, sigma) in grid.levels().iter().zip(exact) {
        assert_close(level.sigma, sigma, 1e-13, "karras");
    }
    assert_eq!((grid.start().sigma, grid.levels()[17].sigma), (80.0, 0.002));
    // The same ratios are found in any schedule that reaches them.
    let vp = Grid::karras(&VpLinear::default(), 18, 0.002, 80.0, 7.0).unwrap();
    for (a, b) in vp.levels().iter().zip(grid.levels()) {
        assert_close(a.ratio(), b.ratio(), 1e-12, "karras in vp");
        assert!(a.alpha < 1.0 || a.sigma == 0.0);
    }
}

#[test]
fn grids_take_equal_steps_in_their_coordinate() {
    let equal = |values: &[f64], what: &str| {
        let step = (values[values.len() - 1] - values[0]) / (values.len() - 1) as f64;
        assert!(step != 0.0);
        for pair in values.windows(2) {
            assert_close(pair[1] - pair[0], step, 1e-7, what);
        }
    };
    for (name, schedule) in schedules() {
        let end = 0.01 * schedule.horizon();
        let ends = |grid: &Grid| {
            let [first, .., last] = grid.levels() else { panic!() };
            assert_close(first.time, schedule.horizon(), 1e-12, name);
            assert_close(last.time, end, 1e-11, name);
            assert_eq!(grid.steps(), 12, "{name}");
        };
        let time = Grid::uniform_time(&*schedule, 12, end).unwrap();
        let sigma = Grid::uniform_sigma(&*schedule, 12, end).unwrap();
        let log = Grid::uniform_log_snr(&*schedule, 12, end).unwrap();
        [&time, &sigma, &log].into_iter().for_each(ends);
        equal(&time.levels().iter().map(|l| l.time).collect::<Vec<_>>(), name);
        equal(&sigma.levels().iter().map(Level::ratio).collect::<Vec<_>>(), name);
        equal(&log.levels().iter().map(Level::log_snr).collect::<Vec<_>>(), name);
    }
    let clean = Grid::uniform_time(&VpLinear::default(), 5, 0.0).unwrap();
    assert_eq!(clean.levels()[5], Level::CLEAN);
}

#[test]
fn impossible_schedules_are_refused_by_name_and_value() {
    let message = |error: Error| error.to_string();
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let refused = [
            VpLinear::new(bad, 20.0, 1.0).map(drop),
            VpLinear::new(0.1, bad, 1.0).map(drop),
            VpLinear::new(0.1, 20.0, bad).map(drop),
            SubVp::new(bad, 20.0, 1.0).map(drop),
            VpCosine::new(0.008, bad).map(drop),
            Ve::new(bad, 50.0, 1.0).map(drop),
            Ve::new(0.01, bad, 1.0).map(drop),
            Ve::from_data(0.01, 50.0, bad).map(drop),
            LogLinear::new(bad, 10.0).map(drop),
            Edm::new(bad).map(drop),
            OrnsteinUhlenbeck::new(bad, 1.0, 1.0).map(drop),
            OrnsteinUhlenbeck::new(1.0, bad, 1.0).map(drop),
            Brownian::new(bad, 1.0).map(drop),
            DdpmBetas::new(vec![0.1, bad]).map(drop),
            DdpmBetas::linear(bad, 0.02, 10).map(drop),
            DdpmBetas::scaled_linear(bad, 0.02, 10).map(drop),
            DdpmBetas::cosine(10, 0.008, bad).map(drop),
            DdpmBetas::from_alpha_bars(&[0.9, bad]).map(drop),
            Grid::karras(&Edm::default(), 5, bad, 80.0, 7.0).map(drop),
            Grid::karras(&Edm::default(), 5, 0.002, 80.0, bad).map(drop),
        ];
        for (index, result) in refused.into_iter().enumerate() {
            let text = message(result.expect_err(&format!("case {index} with {bad}")));
            assert!(text.contains(&format!("{bad}")), "case {index}: {text}");
        }
    }
    assert_eq!(
        message(Ve::new(50.0, 0.01, 1.0).unwrap_err()),
        "sigma_min (below sigma_max) must lie between 0 and 0.01, got 50"
    );
    assert!(Ve::new(1.0, 1.0, 1.0).is_err());
    for offset in [-0.1, 1.1, 1e300, f64::NAN] {
        assert!(matches!(VpCosine::new(offset, 0.9), Err(Error::Outside { name: "offset", .. })));
    }
    assert!(VpCosine::new(0.008, 1.0).is_err());
    assert_eq!(
        message(DdpmBetas::new(vec![0.1, 1.0]).unwrap_err()),
        "beta (below 1) must lie between 0 and 1, got 1"
    );
    assert!(DdpmBetas::new(vec![]).is_err());
    assert!(DdpmBetas::linear(1e-4, 0.02, 0).is_err());
    assert!(DdpmBetas::cosine(0, 0.008, 0.999).is_err());
    assert!(DdpmBetas::from_alpha_bars(&[0.5, 0.5]).is_err());
    // ᾱ underflows.
    assert!(DdpmBetas::new(vec![0.999; 200]).is_err());
    // α does not fall.
    assert!(DdpmBetas::from_schedule(&Edm::default(), 10).is_err());
}

#[test]
fn impossible_grids_are_refused_in_plain_words() {
    let vp = VpLinear::default();
    let edm = Edm::default();
    let message = |grid: resolvent_core::Result<Grid>| grid.unwrap_err().to_string();
    for (text, grid) in [
        ("sigmas must be strictly descending: entry 1 is 2", Grid::from_ratios(&edm, &[1.0, 2.0])),
        ("sigmas must be strictly descending: entry 2 is 1", Grid::from_ratios(&edm, &[2.0, 1.0, 1.0])),
        ("sigma must lie between 0 and 80, got 100", Grid::from_ratios(&edm, &[100.0, 1.0])),
        ("sigma must be positive and finite, got -1", Grid::from_ratios(&edm, &[1.0, -1.0])),
        ("sigma must be positive and finite, got NaN", Grid::from_ratios(&edm, &[1.0, f64::NAN])),
        ("sigma must be positive and finite, got inf", Grid::from_ratios(&edm, &[f64::INFINITY, 1.0])),
        ("sigma must lie between 0.01 and 50", Grid::from_ratios(&Ve::default(), &[10.0, 0.001])),
        ("levels must be at least 2, got 1", Grid::from_ratios(&edm, &[1.0])),
        ("levels must be at least 2, got 0", Grid::from_ratios(&edm, &[])),
        ("time 1.5 lies outside the horizon from 0 to 1", Grid::from_times(&vp, &[1.5, 0.5])),
        ("time NaN lies outside the horizon", Grid::from_times(&vp, &[0.5, f64::NAN])),
        ("time -0.1 lies outside", Grid::from_times(&vp, &[0.5, -0.1])),
        ("times must be strictly descending: entry 1 is 0.7", Grid::from_times(&vp, &[0.5, 0.7])),
        ("steps must be at least 1, got 0", Grid::uniform_time(&vp, 0, 0.1)),
        ("time 1 lies outside the horizon", Grid::uniform_time(&vp, 5, 1.0)),
        ("steps must be at least 1, got 0", Grid::uniform_sigma(&vp, 0, 0.1)),
        ("time 0 lies outside the horizon", Grid::uniform_log_snr(&vp, 5, 0.0)),
        ("steps must be at least 2, got 0", Grid::karras(&edm, 0, 0.002, 80.0, 7.0)),
        ("must lie between 0 and 1, got 2", Grid::karras(&edm, 5, 2.0, 1.0, 7.0)),
        ("got 200", Grid::karras(&edm, 5, 2.0, 200.0, 7.0)),
        ("noise level 1 of the grid has sigma/alpha = 1", Grid::new(vec![edm.level(1.0), edm.level(1.0)])),
        ("noise level 0 of the grid has sigma/alpha = 0", Grid::new(vec![Level::CLEAN, Level::CLEAN])),
        (
            "noise level 1 of the grid has sigma/alpha = 0",
            Grid::new(vec![edm.level(1.0), Level { alpha: f64::INFINITY, ..edm.level(0.5) }]),
        ),
    ] {
        let found = message(grid);
        assert!(found.contains(text), "{found:?} lacks {text:?}");
    }
    let ddpm = DdpmBetas::default();
    for (text, grid) in [
        ("steps must be at least 1, got 0", ddpm.grid(0, Spacing::Trailing, End::Clean)),
        ("betas must be at least 2000, got 1000", ddpm.grid(2_000, Spacing::Trailing, End::Clean)),
        ("time 1000 lies outside", ddpm.grid(1_000, Spacing::Leading { offset: 1 }, End::Clean)),
        ("levels must be at least 2, got 1", ddpm.grid(1, Spacing::Linspace, End::First)),
    ] {
        let found = message(grid);
        assert!(found.contains(text), "{found:?} lacks {text:?}");
    }
    assert!(ddpm.level(-0.5).is_err());
    assert!(ddpm.level(999.5).is_err());
    assert!(ddpm.level(f64::NAN).is_err());
}
