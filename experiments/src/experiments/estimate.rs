//! Estimates in what units of a sweep leave behind: `#[serde(with = "StoredEstimate")]` on a field.

use resolvent::metrics::Estimate;
use serde::{Deserialize, Serialize};

/// An [`Estimate`] on the disk.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Estimate", deny_unknown_fields)]
pub(super) struct StoredEstimate {
    value: f64,
    standard_error: f64,
}
