//! One trajectory of an ordinary differential equation by the embedded Runge-Kutta pair of order 5(4) of Dormand and
//! Prince (1980, J. Comput. Appl. Math. 6:19), with steps chosen by its error estimate.

use std::cell::RefCell;
use std::ops::ControlFlow;

use differential_equations::error::Error;
use differential_equations::methods::ExplicitRungeKutta;
use differential_equations::ode::{ODE, OrdinaryNumericalMethod};
use differential_equations::status::Status;
use differential_equations::tolerance::Tolerance;

use crate::error::{Result, at_least, positive};

/// Evaluations that choosing the first step takes.
const FIRST: usize = 3;
/// The most evaluations that one attempted step makes.
const PER_STEP: usize = 7;

/// How accurate a trajectory is to be, and what it may cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::horizon) struct Control {
    /// A step is accepted if the root mean square over the coordinates of error/(atol + rtol |y|) is at most 1.
    rtol: f64,
    atol: f64,
    /// Evaluations at most.
    cap: usize,
}

impl Default for Control {
    /// Tolerances 1e-5 (Song et al. 2021), 10,000 evaluations.
    fn default() -> Self {
        Self { rtol: 1e-5, atol: 1e-5, cap: 10_000 }
    }
}

impl Control {
    pub(super) fn with_tolerances(self, rtol: f64, atol: f64) -> Result<Self> {
        Ok(Self { rtol: positive("rtol", rtol)?, atol: positive("atol", atol)?, ..self })
    }

    pub(super) fn with_cap(self, evaluations: usize) -> Result<Self> {
        Ok(Self { cap: at_least("cap", FIRST + PER_STEP, evaluations)?, ..self })
    }

    /// `tolerance` for each of d coordinates, the last `copies` of which count as one in a mean square over all d.
    fn shared(tolerance: f64, d: usize, copies: usize) -> Tolerance<f64> {
        if copies < 2 {
            return tolerance.into();
        }
        let alone = tolerance * ((d - copies + 1) as f64 / d as f64).sqrt();
        let mut tolerances = vec![alone; d - copies];
        tolerances.resize(d, alone * (copies as f64).sqrt());
        tolerances.into()
    }
}

/// How a trajectory ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::horizon) enum End {
    /// At the time wanted.
    Reached,
    /// It needed more evaluations than allowed, or steps too short for the numbers of the machine.
    Exhausted,
    /// The velocity was no longer a number.
    Diverged,
    /// The velocity broke it off.
    Stopped,
}

/// Where a trajectory ended and what it took.
#[derive(Debug)]
pub(in crate::horizon) struct Trajectory {
    /// The last place that was accepted; finite.
    pub(in crate::horizon) place: Vec<f64>,
    pub(in crate::horizon) end: End,
    /// Evaluations of the velocity.
    pub(in crate::horizon) evaluations: usize,
    /// Accepted steps.
    pub(in crate::horizon) steps: usize,
}

/// Carries `start` along dy/dt = velocity from the first of `times` to the second, earlier or later. The last `copies` >= 0
/// coordinates count as one in the error of a step: there may be many of them without the others losing weight.
///
/// `velocity(step, t, y, out)` writes the velocity; `accepted(t, y)` is told of every accepted step.
pub(in crate::horizon) fn integrate(
    control: &Control,
    (from, to): (f64, f64),
    start: Vec<f64>,
    copies: usize,
    velocity: impl FnMut(usize, f64, &[f64], &mut [f64]) -> ControlFlow<()>,
    mut accepted: impl FnMut(f64, &[f64]),
) -> Trajectory {
    if from == to {
        return Trajectory { place: start, end: End::Reached, evaluations: 0, steps: 0 };
    }
    // The solver works in u from 0 to 1: it looks for the end with an absolute tolerance.
    let time = |u: f64| (from + (to - from) * u).clamp(from.min(to), from.max(to));
    let d = start.len();
    let system = System(RefCell::new(Account {
        velocity,
        time,
        length: to - from,
        at: (f64::NAN, vec![0.0; d], vec![0.0; d]),
        close: (1e-6 * control.rtol, 1e-6 * control.atol),
        evaluations: 0,
        steps: 0,
        finite: true,
        stopped: false,
    }));
    let shared = |tolerance| Control::shared(tolerance, d, copies);
    let (rtol, atol) = (shared(control.rtol), shared(control.atol));
    let mut solver = ExplicitRungeKutta::dopri5().rtol(rtol).atol(atol).max_steps(usize::MAX);
    let mut going = solver.init(&system, 0.0, 1.0, &start).is_ok();
    solver.set_status(Status::Solving);
    // A velocity that is no number where a step starts cannot become one; elsewhere a shorter step may avoid it.
    let lost = system.0.borrow().at.2.iter().any(|v| !v.is_finite());
    system.0.borrow_mut().finite = !lost;
    let end = loop {
        let remaining = 1.0 - solver.t();
        let account = system.0.borrow();
        if account.stopped {
            break End::Stopped;
        }
        if remaining <= 4.0 * f64::EPSILON {
            break End::Reached;
        }
        if lost || !going || account.evaluations + PER_STEP > control.cap {
            break if account.finite { End::Exhausted } else { End::Diverged };
        }
        drop(account);
        if solver.h() > remaining {
            solver.set_h(remaining);
        }
        let attempt = solver.step(&system);
        // The solver says once that the equation looks stiff to it, and has left everything as it was: the cap decides.
        if let Err(Error::Stiffness { .. }) = attempt {
            solver.set_status(Status::Solving);
            continue;
        }
        going = attempt.is_ok();
        let mut account = system.0.borrow_mut();
        if going && !account.stopped && !matches!(solver.status(), Status::RejectedStep) {
            account.steps += 1;
            account.finite = true;
            accepted(time(solver.t()), solver.y());
        }
    };
    let Account { evaluations, steps, .. } = system.0.into_inner();
    let place = if steps > 0 { solver.y().clone() } else { start };
    Trajectory { place, end, evaluations, steps }
}

/// The equation in u, and the accounts of it.
struct Account<V, T> {
    velocity: V,
    /// t(u).
    time: T,
    /// dt/du.
    length: f64,
    /// The last evaluation: u, place and dy/du.
    at: (f64, Vec<f64>, Vec<f64>),
    /// Places that differ by less, relatively and absolutely, are one.
    close: (f64, f64),
    evaluations: usize,
    steps: usize,
    /// Were all velocities finite since the last accepted step?
    finite: bool,
    stopped: bool,
}

struct System<V, T>(RefCell<Account<V, T>>);

impl<V, T> ODE<f64, Vec<f64>> for System<V, T>
where
    V: FnMut(usize, f64, &[f64], &mut [f64]) -> ControlFlow<()>,
    T: Fn(f64) -> f64,
{
    fn diff(&self, u: f64, y: &Vec<f64>, dydu: &mut Vec<f64>) {
        let account = &mut *self.0.borrow_mut();
        let (rtol, atol) = account.close;
        let (last, place, value) = &mut account.at;
        // The last stage of a step is the first of the next, up to rounding, but the solver asks for it again.
        let known = *last == u && place.iter().zip(y).all(|(a, b)| (a - b).abs() <= atol + rtol * b.abs());
        if !known && !account.stopped {
            let t = (account.time)(u);
            account.stopped = (account.velocity)(account.steps, t, y, value).is_break();
            value.iter_mut().for_each(|v| *v *= account.length);
            (*last, account.evaluations) = (u, account.evaluations + 1);
            place.copy_from_slice(y);
            account.finite &= value.iter().all(|v| v.is_finite());
        }
        dydu.copy_from_slice(value);
    }
}
