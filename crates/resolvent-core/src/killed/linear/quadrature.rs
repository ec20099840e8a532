//! Times and weights for integrals over the life of the process.

/// ∫_0^∞ f(t) dt ≈ Σ weight f(time): the trapezoidal rule in s, t = τ exp(s - e^-s), for an f that is smooth at 0 and falls
/// off exponentially (Takahasi and Mori 1974, Publ. RIMS 9:721). Below τ it descends to 0 within a few nodes, above it goes in
/// equal steps of log t, so that all time scales between τ and the end are resolved alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rule {
    /// τ, the time below which f hardly changes.
    pub(super) shortest: f64,
    /// The time beyond which f is negligible.
    pub(super) longest: f64,
    /// The step in s.
    pub(super) step: f64,
    /// s starts here.
    pub(super) from: f64,
}

impl Rule {
    /// The times with their weights, ascending.
    pub(super) fn nodes(self) -> impl Iterator<Item = (f64, f64)> {
        let end = (self.longest / self.shortest).ln().max(1.0);
        let count = ((end - self.from) / self.step).ceil() as i32;
        (0..=count).map(move |k| {
            let s = self.from + f64::from(k) * self.step;
            let time = self.shortest * f64::exp(s - f64::exp(-s));
            (time, self.step * time * (1.0 + f64::exp(-s)))
        })
    }

    /// One that is finer by half, and begins earlier and ends later.
    pub(super) fn refined(self) -> Self {
        Self { step: 0.5 * self.step, longest: 2.0 * self.longest, from: self.from - 0.25, ..self }
    }
}
