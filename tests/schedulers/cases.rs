//! What each case of the tables is in this library.

use resolvent::core::horizon::{
    Churn, LinearScheme, Multistep, SecondOrder, Stage, UniPc, UniPcVariant, Variance, ddim, ddpm,
    dpm_solver_pp_2m, dpm_solver_pp_2s_on_grid, euler, euler_ancestral, euler_churned, euler_maruyama, heun,
    sde_dpm_solver_pp_2m, unipc,
};
use resolvent::core::schedule::{DdpmBetas, Edm, End, Grid, Level, Schedule, Spacing, Timestep, VpLinear};

use crate::table::{Point, clip};

/// One coordinate where a model is evaluated.
#[derive(Clone, Copy)]
pub(crate) struct Evaluation {
    pub(crate) level: Level,
    pub(crate) x: f64,
    /// Its place before the churn.
    pub(crate) before: f64,
}

/// A case of the tables.
pub(crate) struct Case {
    pub(crate) scheme: LinearScheme,
    pub(crate) clip: Option<f64>,
    /// The denoised point.
    pub(crate) model: Box<dyn Fn(Evaluation) -> f64 + Sync>,
    /// From step to step.
    pub(crate) levels: Vec<Level>,
    /// Is the end of a step the beginning of the next?
    pub(crate) contiguous: bool,
    pub(crate) timestep: fn(&Level) -> f64,
    /// `init_noise_sigma`.
    scale: f64,
}

/// The model of all tables.
fn network(y: f64, t: f64) -> f64 {
    y * t / (t + 1.0)
}

/// D of the model under the preconditioning of EDM with σ_data = 0.5, t = log(σ)/4.
pub(crate) fn edm_denoised(sigma: f64, x: f64) -> f64 {
    let data: f64 = 0.5;
    let total = sigma.hypot(data);
    (data / total).powi(2) * x + sigma * data / total * network(x / total, 0.25 * sigma.ln())
}

/// The model predicts the noise of x.
fn noise_model(e: Evaluation) -> f64 {
    (e.x - e.level.sigma * network(e.x, e.level.time)) / e.level.alpha
}

/// The model predicts the noise of x, and is shown x/√(σ² + 1).
fn scaled_noise_model(e: Evaluation) -> f64 {
    e.x - e.level.sigma * network(e.x / e.level.sigma.hypot(1.0), e.level.time)
}

fn edm_model(e: Evaluation) -> f64 {
    edm_denoised(e.level.sigma, e.x)
}

/// The schemes of single steps one after the other.
fn chain(schemes: &[LinearScheme]) -> LinearScheme {
    let stages = schemes.iter().enumerate();
    let stages = stages.flat_map(|(step, s)| s.stages().iter().map(move |stage| Stage { step, ..*stage }));
    LinearScheme::new(*schemes[0].start(), stages.collect()).unwrap()
}

impl Case {
    /// Case `name`; none for what is not a linear scheme.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let (family, _) = name.split_once('_').unwrap_or((name, ""));
        Some(match family {
            "ddim" | "ddpm" => Self::discrete(name),
            "euler" | "heun" => Self::scaled(name),
            "edm" => Self::edm(name),
            "dpmpp" | "unipc" => Self::log_snr(name),
            _ if name == "score_vp" => Self::score_vp(),
            _ => return None,
        })
    }

    /// x_j of the first row.
    pub(crate) fn start(&self) -> Point {
        std::array::from_fn(|j| (1.5 * j as f64 - 3.2) * self.scale)
    }

    fn new(grid: &Grid, scheme: LinearScheme, model: fn(Evaluation) -> f64) -> Self {
        Self {
            scheme,
            clip: None,
            model: Box::new(model),
            levels: grid.levels().to_vec(),
            contiguous: true,
            timestep: |level| level.time,
            scale: 1.0,
        }
    }

    /// DDIM and DDPM in x, with the network given x.
    fn discrete(name: &str) -> Self {
        let betas = DdpmBetas::default();
        let leading = Spacing::Leading { offset: 0 };
        let (steps, spacing, end) = match name {
            "ddim_7" => (7, leading, End::Clean),
            "ddim_alpha0" => (10, leading, End::First),
            "ddim_linspace" => (10, Spacing::Linspace, End::Clean),
            "ddim_trailing" => (10, Spacing::Trailing, End::Clean),
            _ => (10, leading, End::Clean),
        };
        let grid = betas.grid(steps, spacing, end).unwrap();
        let scheme = match name {
            "ddim" | "ddim_clip" | "ddim_7" | "ddim_alpha0" | "ddim_trailing" => ddim(&grid, 0.0),
            "ddim_clip_epsilon" => ddim(&grid, 0.0).map(LinearScheme::with_clipped_noise),
            "ddim_eta05" => ddim(&grid, 0.5),
            "ddim_eta1" | "ddim_eta1_clip" => ddim(&grid, 1.0),
            "ddim_linspace" => Ok(Self::ddim_down_by_100(&betas, &grid)),
            "ddpm_fixed_small" | "ddpm_fixed_small_clip" => ddpm(&grid, Variance::Small),
            "ddpm_fixed_large" | "ddpm_fixed_large_clip" => ddpm(&grid, Variance::Large),
            _ => panic!("unknown case {name}"),
        };
        Self {
            clip: clip(name),
            contiguous: name != "ddim_linspace",
            ..Self::new(&grid, scheme.unwrap(), noise_model)
        }
    }

    /// `diffusers` lets every step of DDIM end 100 timesteps below its start, wherever the next begins.
    fn ddim_down_by_100(betas: &DdpmBetas, grid: &Grid) -> LinearScheme {
        let starts = &grid.levels()[..grid.steps()];
        let step = |from: &Level| {
            let to = betas.level(from.time - 100.0).unwrap_or(Level::CLEAN);
            ddim(&Grid::new(vec![*from, to]).unwrap(), 0.0).unwrap()
        };
        chain(&starts.iter().map(step).collect::<Vec<_>>())
    }

    /// Euler and Heun in x/α, with the network given x.
    fn scaled(name: &str) -> Self {
        let betas = DdpmBetas::default();
        let (spacing, end) = match name {
            "euler_leading" => (Spacing::Leading { offset: 0 }, End::Clean),
            "euler_trailing" => (Spacing::Trailing, End::Clean),
            "euler_sigma_min" => (Spacing::Leading { offset: 1 }, End::First),
            _ => (Spacing::LinspaceFractional, End::Clean),
        };
        let grid = if name.ends_with("karras") {
            betas.karras(10, betas.sigma_range(), 7.0, Timestep::Interpolated, end)
        } else {
            betas.grid(10, spacing, end)
        };
        let grid = grid.unwrap().unscaled();
        let scheme = match name {
            "euler_ancestral" => euler_ancestral(&grid, 1.0),
            _ if name.starts_with("heun") => heun(&grid, Churn::NONE),
            _ => euler(&grid),
        };
        let sigma = grid.start().sigma;
        let scale = if matches!(spacing, Spacing::Leading { .. }) { sigma.hypot(1.0) } else { sigma };
        Self { scale, ..Self::new(&grid, scheme.unwrap(), scaled_noise_model) }
    }

    /// The schedule and preconditioning of EDM.
    fn edm(name: &str) -> Self {
        let steps = if name.ends_with("20") { 20 } else { 10 };
        let mut levels = Edm::default().karras(steps).unwrap().levels().to_vec();
        if name.ends_with("sigma_min") {
            levels.pop();
        }
        let grid = Grid::new(levels).unwrap();
        let scheme = match name {
            "edm_euler" | "edm_euler_sigma_min" => euler(&grid),
            "edm_euler_churn" | "edm_euler_churn_stock" => euler_churned(&grid, Churn::everywhere(3.0)),
            "edm_dpmpp_2m" | "edm_dpmpp_2m_20" => dpm_solver_pp_2m(&grid, Multistep::default()),
            // The last step of the scheduler, of first order on this short grid, is one that goes nowhere.
            "edm_dpmpp_2m_sigma_min" => {
                dpm_solver_pp_2m(&grid, Multistep { lower_order_final: false, ..Multistep::default() })
            }
            "edm_dpmpp_sde_2m" => sde_dpm_solver_pp_2m(&grid, Multistep::default()),
            _ => panic!("unknown case {name}"),
        };
        let scale = grid.start().sigma.hypot(1.0);
        let timestep = |level: &Level| 0.25 * level.sigma.ln();
        let mut case = Self { scale, timestep, ..Self::new(&grid, scheme.unwrap(), edm_model) };
        if name == "edm_euler_churn_stock" {
            // The stock loop asks the network before the churn and takes its answer for one after it.
            case.model = Box::new(|e: Evaluation| {
                let raised = e.level.sigma;
                let sigma = raised / 1.3;
                let (data, total) = (0.5_f64, raised.hypot(0.5));
                let answer = network(e.before / sigma.hypot(data), 0.25 * sigma.ln());
                (data / total).powi(2) * e.x + raised * data / total * answer
            });
        }
        case
    }

    /// The DPM-Solver++ family and UniPC in x, with the network given x.
    fn log_snr(name: &str) -> Self {
        let betas = DdpmBetas::default();
        let steps = match name {
            "dpmpp_2m_1" => 1,
            "dpmpp_2m_2" => 2,
            "unipc_bh2_3" => 3,
            "dpmpp_2s_7" => 7,
            _ if name.contains("_20") => 20,
            _ => 10,
        };
        let end = if name.contains("sigma_min") { End::First } else { End::Clean };
        let grid = if name.ends_with("karras") {
            betas.karras(steps, betas.sigma_range(), 7.0, Timestep::Rounded, end)
        } else {
            betas.grid(steps, Spacing::LinspaceAboveZero, end)
        };
        let grid = grid.unwrap();
        let options = Multistep::default();
        let scheme = match name {
            "dpmpp_2m_heun" => {
                dpm_solver_pp_2m(&grid, Multistep { second_order: SecondOrder::Heun, ..options })
            }
            "dpmpp_2s_sigma_min_full" => dpm_solver_pp_2s_on_grid(&grid, false),
            _ if name.starts_with("dpmpp_2m") => dpm_solver_pp_2m(&grid, options),
            _ if name.starts_with("dpmpp_sde_2m") => sde_dpm_solver_pp_2m(&grid, options),
            _ if name.starts_with("dpmpp_2s") => dpm_solver_pp_2s_on_grid(&grid, true),
            _ if name.starts_with("unipc_bh1") => {
                unipc(&grid, UniPc { variant: UniPcVariant::Bh1, ..UniPc::default() })
            }
            _ if name.starts_with("unipc_bh2") => unipc(&grid, UniPc::default()),
            _ => panic!("unknown case {name}"),
        };
        Self::new(&grid, scheme.unwrap(), noise_model)
    }

    /// Euler-Maruyama as the old pipeline of `diffusers` runs it: steps of 1/n from times 1 to 1e-3 that lie closer.
    fn score_vp() -> Self {
        let (schedule, n) = (VpLinear::default(), 10);
        let times = (0..n).map(|i| 1.0 + i as f64 * (1e-3 - 1.0) / (n - 1) as f64);
        let levels: Vec<Level> = times.map(|t| schedule.level(t)).collect();
        let step = |from: &Level| {
            let to = Level { time: from.time - 1.0 / n as f64, ..Level::CLEAN };
            euler_maruyama(&schedule, &Grid::new(vec![*from, to]).unwrap()).unwrap()
        };
        let scheme = chain(&levels.iter().map(step).collect::<Vec<_>>());
        let grid = Grid::new(levels).unwrap();
        Self { contiguous: false, ..Self::new(&grid, scheme, noise_model) }
    }
}
