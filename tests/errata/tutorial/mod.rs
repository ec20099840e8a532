//! The tutorial on generative modelling from the perspective of SDEs, one module to a group of its sections.

mod appendix;
mod calculus;
mod diffusion;
mod langevin;
mod reversal;
