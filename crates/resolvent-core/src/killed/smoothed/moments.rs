//! The law of the time behind the smoothed Green kernel, by quadrature.

use resolvent_special::quadrature::rule;

/// exp of this is nothing beside 1.
const NEGLIGIBLE: f64 = -46.0;
/// Panels of the rule on each side of the peak at least: over one the weights change by less than e^8, more slowly near the
/// peak, and the 10 points of the rule resolve that to rounding.
const PANELS: f64 = 8.0;
/// The widest panel: far out the weights fall like exp(-e^v).
const WIDEST: f64 = 1.0;

/// The weights exp(-κ (e^v - 1) - β e^{-v} - ν v) of v = log(1 + σ² t/h²) >= 0, with ν = d/2 - 1, κ = r h²/σ² and
/// β = ρ²/(2 h²): up to a factor, the integrand of G^h over v.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) nu: f64,
    pub(super) kappa: f64,
}

/// At one β: logarithms, and their first two derivatives with respect to β.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moments {
    /// log ∫ of the weights.
    pub(super) log_mass: [f64; 3],
    /// log E[e^v - 1].
    pub(super) log_time: [f64; 3],
}

/// The weights seen from their peak v_0 >= 0: exp φ(x), v = v_0 + x, φ(x) = -A (e^x - 1) - B (e^{-x} - 1) - ν x.
struct Peak {
    place: f64,
    forward: f64,
    backward: f64,
    nu: f64,
}

impl Peak {
    fn log_weight(&self, x: f64) -> f64 {
        -self.forward * x.exp_m1() - self.backward * (-x).exp_m1() - self.nu * x
    }

    /// How far from the peak a weight counts.
    fn scale(&self) -> f64 {
        let slope = self.forward - self.backward + self.nu;
        let curvature = self.forward + self.backward;
        // Where the weights rise to a peak the slope there is zero; next to the edge they fall with it.
        1.0 / slope.max(curvature.sqrt()).max(1.0)
    }

    /// The interval outside which weights are negligible.
    fn interval(&self) -> (f64, f64) {
        let reach = |direction: f64, power: f64| {
            let mut x = 4.0 * self.scale();
            while self.log_weight(direction * x) + power * x > NEGLIGIBLE {
                x *= 1.3;
            }
            x
        };
        let left = if self.place > 0.0 && self.log_weight(-self.place) < NEGLIGIBLE {
            reach(-1.0, 0.0).min(self.place)
        } else {
            self.place
        };
        // Far out the time grows like e^x, and its mean, where there is one, must not be cut off.
        let power = if self.forward > 0.0 || self.nu > 1.0 { 1.0 } else { 0.0 };
        (-left, reach(1.0, power))
    }
}

impl Times {
    pub(super) fn new(nu: f64, kappa: f64) -> Self {
        Self { nu, kappa }
    }

    fn peak(&self, beta: f64) -> Peak {
        let Self { nu, kappa } = *self;
        let root = (nu * nu + 4.0 * kappa * beta).sqrt();
        // Either form of the positive root of κ s² + ν s = β, whichever does not cancel.
        let variance = if nu >= 0.0 { 2.0 * beta / (nu + root) } else { (root - nu) / (2.0 * kappa) };
        let variance = if variance > 1.0 { variance } else { 1.0 };
        Peak { place: variance.ln(), forward: kappa * variance, backward: beta / variance, nu }
    }

    /// Whether the weights below v = 0, which the smoothing leaves out, would have added nothing.
    pub(super) fn is_whole(&self, beta: f64) -> bool {
        let peak = self.peak(beta);
        peak.place > 0.0 && peak.log_weight(-peak.place) < NEGLIGIBLE
    }

    pub(super) fn moments(&self, beta: f64) -> Moments {
        let peak = self.peak(beta);
        let (low, high) = peak.interval();
        // The peak is an end of both pieces, so that neither misses it.
        let integral = |f: &dyn Fn(f64) -> [f64; 3]| {
            let f = |x: f64| f(x).map(|value| value * peak.log_weight(x).exp());
            let (a, b) = (composite(&f, low, 0.0), composite(&f, 0.0, high));
            std::array::from_fn::<f64, 3, _>(|i| a[i] + b[i])
        };
        // t in units of h²/σ².
        let time = |x: f64| (peak.place + x).exp_m1();
        let [mass, back, times] = integral(&|x| [1.0, (-x).exp_m1(), time(x)]);
        let (back, times) = (back / mass, times / mass);
        // Central moments of X = -e^{-v}, by which the weights depend on β, in units of e^{-v_0}.
        let [variance, covariance, third] = integral(&|x| {
            let deviation = back - (-x).exp_m1();
            let square = deviation * deviation;
            [square, (time(x) - times) * deviation, (time(x) - times) * square]
        });
        let unit = (-peak.place).exp();
        let slope = covariance / mass * unit / times;
        Moments {
            log_mass: [
                mass.ln() - (peak.forward - self.kappa) - peak.backward - self.nu * peak.place,
                -unit * (1.0 + back),
                variance / mass * unit * unit,
            ],
            log_time: [times.ln(), slope, third / mass * unit * unit / times - slope * slope],
        }
    }
}

/// The rule on equal panels.
fn composite(f: &impl Fn(f64) -> [f64; 3], low: f64, high: f64) -> [f64; 3] {
    let panels = PANELS.max(((high - low) / WIDEST).ceil());
    let width = (high - low) / panels;
    let mut sum = [0.0; 3];
    for k in 0..panels as usize {
        let piece = rule(f, low + width * k as f64, low + width * (k + 1) as f64);
        sum.iter_mut().zip(piece).for_each(|(s, p)| *s += p);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Derivatives against central differences of the values.
    #[test]
    fn derivatives_are_those_of_the_values() {
        for (nu, kappa, beta) in
            [(-0.5, 0.3, 2.0), (0.0, 1e-3, 5.0), (0.5, 2.0, 0.1), (391.0, 0.01, 300.0), (391.0, 0.01, 420.0)]
        {
            let times = Times::new(nu, kappa);
            let h = 1e-4 * beta;
            let (low, here, high) = (times.moments(beta - h), times.moments(beta), times.moments(beta + h));
            for part in [|m: &Moments| m.log_mass, |m: &Moments| m.log_time] {
                let (low, here, high) = (part(&low), part(&here), part(&high));
                for order in [1, 2] {
                    let difference = (high[order - 1] - low[order - 1]) / (2.0 * h);
                    let error = (difference - here[order]).abs();
                    assert!(error <= 2e-6 * here[order].abs(), "{nu} {kappa} {beta}: {difference} {here:?}");
                }
            }
        }
    }
}
