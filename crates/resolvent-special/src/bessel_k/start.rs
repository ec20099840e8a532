/// K at the two lowest orders of a ladder, mu in [-1/2, 1/2] and mu + 1, with a common factor e^scale taken out:
/// K_mu = e^scale k0, z K_{mu+1} = e^scale k1. At mu = -1/2 this is all there is: K_{-1/2} = sqrt(pi/(2z)) e^{-z} = K_{1/2}.
#[derive(Clone, Copy)]
pub(super) struct Start {
    pub(super) scale: f64,
    pub(super) k0: f64,
    pub(super) k1: f64,
    /// z (K_{mu+1}/K_mu - 1).
    pub(super) excess: f64,
}
