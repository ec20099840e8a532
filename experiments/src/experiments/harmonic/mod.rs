//! A law on circle and sphere that shares no symmetry with start, drift and rules, and how an end law is compared with it.

pub(super) mod end_law;
mod poisson;
pub(super) mod quadrature;
