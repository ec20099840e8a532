//! The linear schemes, one family per file: from a grid to a table of coefficients.
//!
//! Names that denote the same table share it: in the variable x/α [`euler`] is [`ddim`] with η = 0, which the flows
//! of higher order fall back on, [`euler_ancestral`] is [`ddim`] with η, and the ancestral samplers of Song et al.
//! 2021 are [`ddpm`].

mod annealed_langevin;
mod ddim;
mod ddpm;
mod dpm_solver_multistep;
mod dpm_solver_singlestep;
mod euler;
mod euler_maruyama;
mod heun;
mod interval;
mod reverse_diffusion;
mod unipc;

pub use annealed_langevin::annealed_langevin;
pub use ddim::ddim;
pub use ddpm::{Variance, ddpm};
pub use dpm_solver_multistep::{Multistep, SecondOrder, dpm_solver_pp_2m, sde_dpm_solver_pp_2m};
pub use dpm_solver_singlestep::{dpm_solver_pp_2s, dpm_solver_pp_2s_on_grid};
pub use euler::{Churn, euler, euler_ancestral, euler_churned};
pub use euler_maruyama::euler_maruyama;
pub use heun::heun;
pub use reverse_diffusion::reverse_diffusion;
pub use unipc::{UniPc, UniPcVariant, unipc};
