//! The samplers of the deterministic horizon on the grids of their papers, at a given number of evaluations.

use anyhow::{Result, bail, ensure};
use nalgebra::DMatrix;
use resolvent::core::horizon::{Churn, LinearScheme, Multistep, ddim, dpm_solver_pp_2m, heun};
use resolvent::core::marginal::student_prior;
use resolvent::core::schedule::{Edm, Grid, Schedule, Ve, VpLinear, prior};
use resolvent::core::{Denoiser, Ensemble, HorizonSampler};

/// Where sampling ends under VP and VE before the denoising step (Song et al. 2021).
const END_VP: f64 = 1e-3;
const END_VE: f64 = 1e-5;
/// s_churn of the stochastic sampler at every level (Karras et al. 2022 have 10 to 80, found for each network).
const CHURN: f64 = 10.0;
/// D of PFGM++, in the range that its paper finds best for images (Xu et al. 2023).
pub(in crate::experiments) const AUGMENTED: f64 = 128.0;

/// A sampler of the deterministic horizon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::experiments) enum Deterministic {
    VpDdim,
    VpMultistep,
    VpAncestral,
    VeAncestral,
    VeHeun,
    EdmEuler,
    EdmHeun,
    EdmChurned,
    Pfgm,
}

impl Deterministic {
    /// Where a denoiser under Student-t noise is known, all of them; the last is for that alone.
    pub(in crate::experiments) const ALL: [Self; 8] = [
        Self::VpDdim,
        Self::VpMultistep,
        Self::VpAncestral,
        Self::VeAncestral,
        Self::VeHeun,
        Self::EdmHeun,
        Self::EdmChurned,
        Self::Pfgm,
    ];

    /// The name in tables.
    pub(in crate::experiments) fn name(self) -> &'static str {
        match self {
            Self::VpDdim => "VP, DDIM",
            Self::VpMultistep => "VP, DPM-Solver++ 2M",
            Self::VpAncestral => "VP, ancestral",
            Self::VeAncestral => "VE, ancestral",
            Self::VeHeun => "VE, probability flow by Heun",
            Self::EdmEuler => "EDM, Euler (DDIM)",
            Self::EdmHeun => "EDM, Heun",
            Self::EdmChurned => "EDM, Heun, stochastic",
            Self::Pfgm => "PFGM++, Heun",
        }
    }

    /// The name of a unit.
    pub(in crate::experiments) fn stem(self) -> &'static str {
        match self {
            Self::VpDdim => "vp-ddim",
            Self::VpMultistep => "vp-2m",
            Self::VpAncestral => "vp-ancestral",
            Self::VeAncestral => "ve-ancestral",
            Self::VeHeun => "ve-heun",
            Self::EdmEuler => "edm-euler",
            Self::EdmHeun => "edm-heun",
            Self::EdmChurned => "edm-churned",
            Self::Pfgm => "pfgm",
        }
    }

    /// The coefficients, for `budget` evaluations of a particle at most.
    pub(in crate::experiments) fn scheme(self, budget: usize) -> Result<LinearScheme> {
        ensure!(budget >= 5, "a budget of {budget} evaluations: at least 5");
        let (vp, ve, edm) = (VpLinear::default(), Ve::default(), Edm::default());
        // The denoising step at the end of VP and VE takes one, Heun's method two a step.
        let (single, double) = (budget - 1, (budget - 1) / 2);
        let even = |schedule: &dyn Schedule, steps, end| Grid::uniform_time(schedule, steps, end);
        Ok(match self {
            Self::VpDdim => ddim(&even(&vp, single, END_VP)?, 0.0)?.final_denoise(),
            Self::VpMultistep => {
                dpm_solver_pp_2m(&Grid::uniform_log_snr(&vp, single, END_VP)?, Multistep::default())?
                    .final_denoise()
            }
            Self::VpAncestral => ddim(&even(&vp, single, END_VP)?, 1.0)?.final_denoise(),
            Self::VeAncestral => ddim(&even(&ve, single, END_VE)?, 1.0)?.final_denoise(),
            Self::VeHeun => heun(&even(&ve, double, END_VE)?, Churn::NONE)?.final_denoise(),
            Self::EdmEuler | Self::EdmHeun | Self::EdmChurned | Self::Pfgm => {
                return self.karras(edm.horizon(), budget);
            }
        })
    }

    /// For EDM and PFGM++ the same from another σ_max.
    pub(in crate::experiments) fn karras(self, sigma_max: f64, budget: usize) -> Result<LinearScheme> {
        let edm = Edm::new(sigma_max)?;
        // Two evaluations a step, but for one to the clean level.
        let double = budget.div_ceil(2);
        Ok(match self {
            Self::EdmEuler => ddim(&edm.karras(budget)?, 0.0)?,
            Self::EdmChurned => heun(&edm.karras(double)?, Churn::everywhere(CHURN))?,
            Self::EdmHeun | Self::Pfgm => heun(&edm.karras(double)?, Churn::NONE)?,
            _ => bail!("{} has no σ_max of its own", self.name()),
        })
    }

    /// `n` draws (d x n) of the law from which it starts.
    pub(in crate::experiments) fn starts(self, dim: usize, n: usize, seed: u64) -> Result<DMatrix<f64>> {
        let edm = Edm::default();
        let schedule: &dyn Schedule = match self {
            Self::VpDdim | Self::VpMultistep | Self::VpAncestral => &VpLinear::default(),
            Self::VeAncestral | Self::VeHeun => &Ve::default(),
            Self::EdmEuler | Self::EdmHeun | Self::EdmChurned => &edm,
            Self::Pfgm => return Ok(student_prior(dim, AUGMENTED, edm.horizon(), n, seed)?),
        };
        Ok(prior(schedule, dim, n, seed))
    }

    /// Runs it from `starts` with the denoiser that belongs to its noise.
    pub(in crate::experiments) fn run(
        self,
        denoiser: &dyn Denoiser,
        budget: usize,
        starts: &DMatrix<f64>,
        batch: Option<usize>,
        seed: u64,
    ) -> Result<Ensemble> {
        let scheme = self.scheme(budget)?;
        let method = scheme.with(denoiser);
        let sampler = HorizonSampler::new(&method);
        Ok(match batch {
            Some(batch) => sampler.batch(batch).run(starts, seed)?,
            None => sampler.run(starts, seed)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use resolvent::core::EmpiricalMeasure;

    /// One atom is where every sampler ends, at no more than the budget and at most two evaluations below it.
    #[test]
    fn budgets_are_kept() {
        let measure = EmpiricalMeasure::new(DMatrix::from_element(2, 1, 0.3)).unwrap();
        for method in Deterministic::ALL.into_iter().chain([Deterministic::EdmEuler]) {
            for budget in [5, 20, 50, 99, 100] {
                let starts = method.starts(2, 3, 1).unwrap();
                let ensemble = method.run(&measure, budget, &starts, None, 1).unwrap();
                let most = ensemble.evaluations.iter().max().copied().unwrap();
                assert!(most <= budget && most + 2 >= budget, "{}: {most} of {budget}", method.name());
                assert!(ensemble.points.iter().all(|x| (x - 0.3).abs() < 1e-9), "{}", method.name());
            }
        }
    }
}
