//! The samplers, each on the grid that its users take.

use anyhow::Result;
use nalgebra::DMatrix;
use resolvent::core::horizon::{
    AdaptiveSde, Churn, LinearScheme, Multistep, PredictorCorrector, ProbabilityFlow, UniPc, Variance,
    annealed_langevin, ddim, ddpm, dpm_solver_pp_2m, dpm_solver_pp_2s, euler_ancestral, euler_maruyama, heun,
    reverse_diffusion, sde_dpm_solver_pp_2m, unipc,
};
use resolvent::core::marginal::Diffused;
use resolvent::core::reversal::ReverseSde;
use resolvent::core::schedule::{DdpmBetas, Edm, End, Grid, Schedule, Spacing, Ve, VpLinear, prior};
use resolvent::core::{Denoiser, Ensemble, HorizonSampler};

/// Where sampling ends under VP and VE before the denoising step (Song et al. 2021).
const END_VP: f64 = 1e-3;
const END_VE: f64 = 1e-5;
/// The share of the levels that churn raises by most, √2 - 1, is up to s_churn; this many evaluations get all of it.
const CHURN: f64 = 10.0;
/// Signal-to-noise ratio of the corrector, and particles that its step sizes are found with.
const SNR: f64 = 0.16;
const CALIBRATION: usize = 256;
/// Moves of annealed Langevin dynamics at a level, and their step in units of the variance there (Song and Ermon 2019 have 0.2
/// and many more moves at fewer levels).
const LANGEVIN: (usize, f64) = (2, 0.2);
/// No particle of an adaptive solver needs as many evaluations.
const CAP: usize = 20_000;

/// How much a sampler may do.
#[derive(Debug, Clone, Copy)]
pub(super) enum Effort {
    /// Evaluations of the denoiser at each particle, at most.
    Evaluations(usize),
    /// Relative and absolute tolerance of a step.
    Tolerance(f64),
}

/// A sampler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sampler {
    Ddim,
    DdimNoisy,
    Ddpm,
    Euler,
    Ancestral,
    Heun,
    HeunChurned,
    Multistep,
    Singlestep,
    SdeMultistep,
    UniPc,
    ReverseDiffusion,
    EulerMaruyama,
    PredictorCorrector,
    AnnealedLangevin,
    ProbabilityFlow,
    AdaptiveSde,
}

impl Sampler {
    pub(super) const ALL: [Self; 17] = [
        Self::Ddim,
        Self::DdimNoisy,
        Self::Ddpm,
        Self::Euler,
        Self::Ancestral,
        Self::Heun,
        Self::HeunChurned,
        Self::Multistep,
        Self::Singlestep,
        Self::SdeMultistep,
        Self::UniPc,
        Self::ReverseDiffusion,
        Self::EulerMaruyama,
        Self::PredictorCorrector,
        Self::AnnealedLangevin,
        Self::ProbabilityFlow,
        Self::AdaptiveSde,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ddim => "DDIM, η = 0",
            Self::DdimNoisy => "DDIM, η = 1",
            Self::Ddpm => "DDPM, large variance",
            Self::Euler => "Euler",
            Self::Ancestral => "Euler ancestral",
            Self::Heun => "Heun",
            Self::HeunChurned => "Heun, churned",
            Self::Multistep => "DPM-Solver++ 2M",
            Self::Singlestep => "DPM-Solver++ 2S",
            Self::SdeMultistep => "SDE-DPM-Solver++ 2M",
            Self::UniPc => "UniPC 2",
            Self::ReverseDiffusion => "reverse diffusion",
            Self::EulerMaruyama => "Euler-Maruyama",
            Self::PredictorCorrector => "predictor-corrector",
            Self::AnnealedLangevin => "annealed Langevin",
            Self::ProbabilityFlow => "probability flow, adaptive",
            Self::AdaptiveSde => "reverse SDE, adaptive",
        }
    }

    /// Where the levels come from.
    pub(super) fn grid(self) -> &'static str {
        match self {
            Self::Ddim | Self::DdimNoisy | Self::Ddpm => "DDPM betas",
            Self::ReverseDiffusion | Self::PredictorCorrector | Self::AnnealedLangevin => "VE",
            Self::EulerMaruyama | Self::ProbabilityFlow | Self::AdaptiveSde => "VP",
            _ => "Karras",
        }
    }

    /// In a step of a deterministic solver of second order to a noisy level.
    pub(super) fn evaluations_per_step(self) -> usize {
        if matches!(self, Self::Heun | Self::Singlestep) { 2 } else { 1 }
    }

    /// A deterministic solver of second order on any grid of EDM.
    pub(super) fn second_order(self, grid: &Grid) -> Result<LinearScheme> {
        Ok(match self {
            Self::Heun => heun(grid, Churn::NONE)?,
            Self::Multistep => dpm_solver_pp_2m(grid, Multistep::default())?,
            Self::Singlestep => dpm_solver_pp_2s(&Edm::default(), grid)?,
            Self::UniPc => unipc(grid, UniPc::default())?,
            _ => unreachable!("not a deterministic solver of second order"),
        })
    }

    /// Draws `n` samples.
    pub(super) fn run(
        self,
        denoiser: &dyn Denoiser,
        effort: Effort,
        n: usize,
        seed: u64,
    ) -> Result<Ensemble> {
        match effort {
            Effort::Evaluations(budget) => self.budgeted(denoiser, budget, n, seed),
            Effort::Tolerance(tolerance) => self.adaptive(denoiser, tolerance, n, seed),
        }
    }

    fn budgeted(self, denoiser: &dyn Denoiser, budget: usize, n: usize, seed: u64) -> Result<Ensemble> {
        let (edm, ve, vp) = (Edm::default(), Ve::default(), VpLinear::default());
        // Two evaluations a step but for the last.
        let pairs = budget.div_ceil(2);
        let betas = || DdpmBetas::linear(1e-4, 0.02, 1000)?.grid(budget, Spacing::Trailing, End::Clean);
        let noisy = |schedule: &dyn Schedule, steps: usize, end| Grid::uniform_time(schedule, steps, end);
        let table = match self {
            Self::Ddim => ddim(&betas()?, 0.0)?,
            Self::DdimNoisy => ddim(&betas()?, 1.0)?,
            Self::Ddpm => ddpm(&betas()?, Variance::Large)?,
            Self::Euler => ddim(&edm.karras(budget)?, 0.0)?,
            Self::Ancestral => euler_ancestral(&edm.karras(budget)?, 1.0)?,
            Self::Heun | Self::Singlestep => self.second_order(&edm.karras(pairs)?)?,
            Self::Multistep | Self::UniPc => self.second_order(&edm.karras(budget)?)?,
            Self::HeunChurned => heun(&edm.karras(pairs)?, Churn::everywhere(CHURN))?,
            Self::SdeMultistep => sde_dpm_solver_pp_2m(&edm.karras(budget)?, Multistep::default())?,
            Self::ReverseDiffusion => reverse_diffusion(&noisy(&ve, budget - 1, END_VE)?)?.final_denoise(),
            Self::EulerMaruyama => euler_maruyama(&vp, &noisy(&vp, budget - 1, END_VP)?)?.final_denoise(),
            Self::AnnealedLangevin => {
                let (moves, rate) = LANGEVIN;
                // So many levels, the lowest of deviation σ_min.
                let grid = noisy(&ve, (budget - 1) / moves - 1, 0.0)?;
                let lowest = ve.level(0.0).ratio();
                annealed_langevin(&grid, rate * lowest * lowest, moves)?.final_denoise()
            }
            Self::PredictorCorrector => {
                let predictor = reverse_diffusion(&noisy(&ve, (budget - 1) / 2, END_VE)?)?;
                let starts = |count, seed| prior(&ve, denoiser.dim(), count, seed);
                let method = PredictorCorrector::new(&predictor, denoiser)?
                    .snr(SNR)?
                    .final_denoise()
                    .calibrated(&starts(CALIBRATION, !seed), !seed)?;
                return Ok(HorizonSampler::new(&method).run(&starts(n, seed), seed)?);
            }
            Self::ProbabilityFlow | Self::AdaptiveSde => unreachable!("it chooses its steps itself"),
        };
        let schedule: &dyn Schedule = match self.grid() {
            "Karras" => &edm,
            "VE" => &ve,
            _ => &vp,
        };
        linear(&table, denoiser, &prior(schedule, denoiser.dim(), n, seed), seed)
    }

    fn adaptive(self, denoiser: &dyn Denoiser, tolerance: f64, n: usize, seed: u64) -> Result<Ensemble> {
        let vp = VpLinear::default();
        let (dim, score) = (denoiser.dim(), Diffused { schedule: &vp, denoiser });
        let starts = prior(&vp, dim, n, seed);
        let mut ensemble = if self == Self::ProbabilityFlow {
            let flow = ProbabilityFlow::from_noise(&vp, &score, END_VP)?;
            HorizonSampler::new(&flow.tolerances(tolerance, tolerance)?.cap(CAP)?).run(&starts, seed)?
        } else {
            let reverse = ReverseSde { diffusion: &vp, score: &score, horizon: vp.horizon() };
            let span = (0.0, vp.horizon() - END_VP);
            let method = AdaptiveSde::new(&reverse, dim, span, tolerance, tolerance)?.cap(CAP)?;
            HorizonSampler::new(&method).run(&starts, seed)?
        };
        // The denoising step that the others have in their tables.
        let noisy = ensemble.points.clone();
        denoiser.denoise(&vp.level(END_VP), noisy.as_slice(), ensemble.points.as_mut_slice());
        ensemble.evaluations.iter_mut().for_each(|count| *count += 1);
        Ok(ensemble)
    }
}

fn linear(
    table: &LinearScheme,
    denoiser: &dyn Denoiser,
    starts: &DMatrix<f64>,
    seed: u64,
) -> Result<Ensemble> {
    Ok(HorizonSampler::new(&table.with(denoiser)).run(starts, seed)?)
}
