//! What is learned, against the exact answer in low dimension.

mod field;
mod occupation;
mod oracle;
mod places;
mod proposals;
mod ratio;
mod regression;
mod score_matching;
mod support;
mod told;
