"""Writes the golden tables of scheduler trajectories: cases.csv and trajectories.csv.

    python3 tests/schedulers/generate.py [--out DIR]         needs torch and diffusers (made with diffusers 0.42.1)

The stock schedulers of `diffusers` hold float32 tables; here they compute in float64, and their random draws are replaced
by known numbers, so that another implementation can follow them step by step to rounding.

Start:  x_j = (1.5 j - 3.2) times the scheduler's init_noise_sigma, j = 0..5.
Noise:  element j of draw k (k = 0, 1, .. within a case) is 1.2 sin(1 + 0.7 j + 1.3 k).
Model:  F(y, t) = y t/(t + 1), with t the timestep that the scheduler hands out (fractional where it is; t = ln(sigma)/4
        for EDM types) and y = c_in x. It predicts epsilon; under EDM preconditioning it is the raw network. For
        ScoreSdeVe alone the model is a score, F(x, sigma) = -x/(1 + sigma^2).
Betas:  linear 1e-4..0.02, 1000 training steps; alpha_bar_t = prod (1 - beta), sigma_ratio = sqrt((1 - alpha_bar)/alpha_bar).

cases.csv         case, scheduler, steps, input (c_in: `1`, `1/sqrt(sigma^2+1)`, `1/sqrt(sigma^2+sigma_data^2)`), draws (the
                  number of noise vectors used), parameters (`key=value` joined by `;`; all others have the default).
trajectories.csv  case, step, stage, timestep, alpha, sigma, alpha_next, sigma_next, x0..x5.
    Row `step` k is the state before step k; it lives at the level (alpha, sigma), x = alpha x_0 + sigma eps, and step k
    carries it to (alpha_next, sigma_next). The last row of a case is the result and has no timestep and no next level.
    DDIM takes alpha_bar of timestep - 1000//steps as the next level, which under linspace is not the level of the next row.
    stage is `state`, or: `predicted` (Heun: the Euler point, where the second derivative is taken; UniPC: the uncorrected
    point, where the model is evaluated; the corrected point follows as `state`; the last point is not corrected),
    `corrected` (ScoreSdeVe: after the Langevin corrector), `mean` (ScoreSde: the last step without its noise).
"""

import argparse
import csv
import importlib
import warnings
from pathlib import Path

import numpy as np
import scipy.stats  # noqa: F401  before np.float32 is replaced
import torch
import diffusers
from diffusers import schedulers
from diffusers.schedulers.deprecated.scheduling_sde_vp import ScoreSdeVpScheduler

HEADER = ("start x_j = (1.5 j - 3.2) init_noise_sigma; noise j of draw k = 1.2 sin(1 + 0.7 j + 1.3 k); "
          "model F(y, t) = y t/(t + 1)")
DIMENSION = 6
TRAINING = dict(num_train_timesteps=1000, beta_start=1e-4, beta_end=0.02, beta_schedule="linear")
VE_INPUT, EDM_INPUT = "1/sqrt(sigma^2+1)", "1/sqrt(sigma^2+sigma_data^2)"


class Noise:
    """Stands in for randn_tensor: the known numbers, counted."""

    def __init__(self):
        self.draws = 0

    def peek(self):
        j = torch.arange(DIMENSION, dtype=torch.float64)
        return 1.2 * torch.sin(1.0 + 0.7 * j + 1.3 * self.draws)[None]

    def __call__(self, *_, **__):
        values = self.peek()
        self.draws += 1
        return values


NOISE = Noise()


def use_float64():
    """Makes every scheduler compute in float64 and draw its noise from NOISE."""
    torch.float32, np.float32 = torch.float64, np.float64
    torch.set_default_dtype(torch.float64)
    names = ("ddim", "ddpm", "euler_discrete", "euler_ancestral_discrete", "edm_euler", "edm_dpmsolver_multistep",
             "dpmsolver_multistep", "dpmsolver_singlestep", "sde_ve")
    modules = [f"diffusers.schedulers.scheduling_{name}" for name in names]
    for name in modules + ["diffusers.schedulers.deprecated.scheduling_sde_vp"]:
        importlib.import_module(name).randn_tensor = NOISE


def model(y, t):
    return y * t / (t + 1)


def levels(scheduler, step, timestep, kind):
    """(alpha, sigma) of a step's start and end, in the variable in which the scheduler keeps its state."""
    if kind == "alpha_bar":
        if isinstance(scheduler, schedulers.DDPMScheduler):
            following = scheduler.previous_timestep(timestep)
        else:
            following = timestep - scheduler.config.num_train_timesteps // scheduler.num_inference_steps
        final = getattr(scheduler, "final_alpha_cumprod", torch.tensor(1.0))
        pair = scheduler.alphas_cumprod[timestep], scheduler.alphas_cumprod[following] if following >= 0 else final
        return [float(v) for bar in pair for v in (bar**0.5, (1 - bar) ** 0.5)]
    first = step if getattr(scheduler, "state_in_first_order", True) else step - 1
    ratios = [float(scheduler.sigmas[i]) for i in (first, first + 1)]
    if kind == "vp":
        return [v for s in ratios for v in ((1 + s * s) ** -0.5, s * (1 + s * s) ** -0.5)]
    return [v for s in ratios for v in (1.0, s)]


def start(scheduler):
    x = 1.5 * torch.arange(DIMENSION, dtype=torch.float64)[None] - 3.2
    return x * float(getattr(scheduler, "init_noise_sigma", 1.0))


def run(scheduler, steps, kind, x=None, denoised_at_churn=False, **step_options):
    """The plain sampling loop: scale the input, evaluate the model, step. Yields (step, stage, timestep, levels, x)."""
    scheduler.set_timesteps(steps)
    x = start(scheduler) if x is None else x
    assert steps == 1 or scheduler.timesteps[0] != scheduler.timesteps[1]
    unipc = isinstance(scheduler, schedulers.UniPCMultistepScheduler)
    heun = isinstance(scheduler, schedulers.HeunDiscreteScheduler)
    step, rows = 0, []
    for i, t in enumerate(scheduler.timesteps):
        level = levels(scheduler, i, t, kind)
        second = heun and not scheduler.state_in_first_order
        stage = "predicted" if second or (unipc and i > 0) else "state"
        rows.append((step, stage, float(t), level, x))
        output = model(scheduler.scale_model_input(x, t), t)
        options = dict(step_options)
        if denoised_at_churn:
            options["pred_original_sample"] = churned_denoised(scheduler, i, x, step_options["s_churn"])
        x = scheduler.step(output, t, x, **options).prev_sample
        if unipc and i > 0:
            rows.append((step, "state", float(t), level, scheduler.last_sample))
        step += not heun or scheduler.state_in_first_order
    rows.append((steps, "state", None, level[2:], x))
    return rows


def churned_denoised(scheduler, i, x, s_churn):
    """D(x_hat, sigma_hat): the denoiser at the churned point, where the stock loop evaluates the model before the churn."""
    sigma = scheduler.sigmas[i]
    gamma = min(s_churn / (len(scheduler.sigmas) - 1), 2**0.5 - 1)
    hat = sigma * (1 + gamma)
    x_hat = x + NOISE.peek() * (hat**2 - sigma**2) ** 0.5
    raw = model(scheduler.precondition_inputs(x_hat, hat), scheduler.precondition_noise(hat))
    return scheduler.precondition_outputs(x_hat, raw, hat)


def run_score_ve(scheduler, steps):
    """Predictor-corrector: one Langevin correction, then one reverse diffusion step, as the pipeline runs them."""
    scheduler.set_timesteps(steps)
    scheduler.set_sigmas(steps)
    x, rows = start(scheduler), []
    for i, t in enumerate(scheduler.timesteps):
        sigma, grid = scheduler.sigmas[i], scheduler.discrete_sigmas
        index = int(t * (steps - 1))
        level = [1.0, float(grid[index]), 1.0, float(grid[index - 1]) if index > 0 else 0.0]
        rows.append((i, "state", float(t), level, x))
        x = scheduler.step_correct(-x / (1 + sigma**2), x).prev_sample
        rows.append((i, "corrected", float(t), level, x))
        result = scheduler.step_pred(-x / (1 + sigma**2), t, x)
        x = result.prev_sample
    return rows + [(steps, "mean", None, level[2:], result.prev_sample_mean), (steps, "state", None, level[2:], x)]


def run_score_vp(scheduler, steps):
    scheduler.set_timesteps(steps)
    x, rows = start(scheduler), []
    low, high = scheduler.config.beta_min, scheduler.config.beta_max
    for i, t in enumerate(scheduler.timesteps):
        alpha = torch.exp(-0.25 * t**2 * (high - low) - 0.5 * t * low)
        level = [float(alpha), float((1 - alpha**2) ** 0.5), float("nan"), float("nan")]
        rows.append((i, "state", float(t), level, x))
        x, mean = scheduler.step_pred(model(x, t), x, t)
    return rows + [(steps, "mean", None, level[2:], mean), (steps, "state", None, level[2:], x)]


def cases():
    """(name, scheduler class, steps, level kind, input, scheduler parameters, step parameters)."""
    s = schedulers

    def ddim(name, steps=10, eta=0.0, use_clipped_model_output=False, clip_sample=False, **more):
        set_up = dict(TRAINING, clip_sample=clip_sample, clip_sample_range=1.0, set_alpha_to_one=True,
                      timestep_spacing="leading", steps_offset=0) | more
        step = dict(eta=eta, use_clipped_model_output=use_clipped_model_output)
        return name, s.DDIMScheduler, steps, "alpha_bar", "1", set_up, step

    yield ddim("ddim")
    yield ddim("ddim_clip", clip_sample=True)
    yield ddim("ddim_clip_epsilon", clip_sample=True, use_clipped_model_output=True)
    yield ddim("ddim_eta05", eta=0.5)
    yield ddim("ddim_eta1", eta=1.0)
    yield ddim("ddim_eta1_clip", eta=1.0, clip_sample=True, clip_sample_range=0.1)
    yield ddim("ddim_linspace", timestep_spacing="linspace")
    yield ddim("ddim_trailing", timestep_spacing="trailing")
    yield ddim("ddim_alpha0", set_alpha_to_one=False)
    yield ddim("ddim_7", steps=7)

    for variance in ("fixed_small", "fixed_large"):
        for clip in (False, True):
            set_up = dict(TRAINING, variance_type=variance, clip_sample=clip, clip_sample_range=0.1,
                          timestep_spacing="leading")
            yield f"ddpm_{variance}{'_clip' * clip}", s.DDPMScheduler, 10, "alpha_bar", "1", set_up, {}

    euler = dict(TRAINING, timestep_spacing="linspace", final_sigmas_type="zero", use_karras_sigmas=False)
    yield "euler", s.EulerDiscreteScheduler, 10, "ve", VE_INPUT, euler, {}
    leading, trailing = dict(timestep_spacing="leading"), dict(timestep_spacing="trailing")
    sigma_min = leading | dict(steps_offset=1, final_sigmas_type="sigma_min")  # without the offset the last step is empty
    for name, more in (("leading", leading), ("trailing", trailing), ("sigma_min", sigma_min),
                       ("karras", dict(use_karras_sigmas=True))):
        yield f"euler_{name}", s.EulerDiscreteScheduler, 10, "ve", VE_INPUT, euler | more, {}
    plain = dict(TRAINING, timestep_spacing="linspace")
    yield "euler_ancestral", s.EulerAncestralDiscreteScheduler, 10, "ve", VE_INPUT, plain, {}
    yield "heun", s.HeunDiscreteScheduler, 10, "ve", VE_INPUT, plain | dict(use_karras_sigmas=False), {}
    yield "heun_karras", s.HeunDiscreteScheduler, 10, "ve", VE_INPUT, plain | dict(use_karras_sigmas=True), {}

    edm = dict(sigma_min=0.002, sigma_max=80.0, sigma_data=0.5, rho=7.0, sigma_schedule="karras",
               final_sigmas_type="zero")
    low = dict(final_sigmas_type="sigma_min")
    churn = dict(s_churn=3.0, s_noise=1.0)
    yield "edm_euler", s.EDMEulerScheduler, 10, "ve", EDM_INPUT, edm, {}
    yield "edm_euler_sigma_min", s.EDMEulerScheduler, 10, "ve", EDM_INPUT, edm | low, {}
    yield "edm_euler_churn_stock", s.EDMEulerScheduler, 10, "ve", EDM_INPUT, edm, churn
    yield "edm_euler_churn", s.EDMEulerScheduler, 10, "ve", EDM_INPUT, edm, churn | dict(denoised_at_churn=True)
    ode = dict(solver_order=2, algorithm_type="dpmsolver++", solver_type="midpoint", lower_order_final=True)
    sde = dict(ode, algorithm_type="sde-dpmsolver++")
    for name, steps, more in (("2m", 10, ode), ("2m_20", 20, ode), ("2m_sigma_min", 10, ode | low), ("sde_2m", 10, sde)):
        yield f"edm_dpmpp_{name}", s.EDMDPMSolverMultistepScheduler, steps, "ve", EDM_INPUT, edm | more, {}

    base = dict(TRAINING, timestep_spacing="linspace", final_sigmas_type="zero", use_karras_sigmas=False)
    karras = dict(use_karras_sigmas=True)
    for name, steps, more in (("2m", 10, ode), ("2m_sigma_min", 10, ode | low), ("2m_20", 20, ode),
                              ("2m_20_sigma_min", 20, ode | low), ("2m_karras", 10, ode | karras),
                              ("2m_heun", 10, ode | dict(solver_type="heun")), ("2m_1", 1, ode), ("2m_2", 2, ode),
                              ("sde_2m", 10, sde), ("sde_2m_karras", 10, sde | karras), ("sde_2m_sigma_min", 10, sde | low)):
        yield f"dpmpp_{name}", s.DPMSolverMultistepScheduler, steps, "vp", "1", base | more, {}

    single = {k: v for k, v in base.items() if k != "timestep_spacing"}
    whole = ode | low | dict(lower_order_final=False)
    for name, steps, more in (("2s", 10, ode), ("2s_7", 7, ode), ("2s_karras", 10, ode | karras),
                              ("2s_sigma_min", 10, ode | low), ("2s_sigma_min_full", 10, whole)):
        yield f"dpmpp_{name}", s.DPMSolverSinglestepScheduler, steps, "vp", "1", single | more, {}

    uni = dict(base, solver_order=2, predict_x0=True, lower_order_final=True, disable_corrector=[])
    bh1, bh2 = dict(solver_type="bh1") | low, dict(solver_type="bh2")  # the stock bh1 ends in nan at sigma = 0
    for name, steps, more in (("bh2", 10, bh2), ("bh1_sigma_min", 10, bh1), ("bh2_sigma_min", 10, bh2 | low),
                              ("bh2_karras", 10, bh2 | karras), ("bh2_3", 3, bh2)):
        yield f"unipc_{name}", s.UniPCMultistepScheduler, steps, "vp", "1", uni | more, {}

    ve = dict(snr=0.15, sigma_min=0.01, sigma_max=50.0, sampling_eps=1e-5, correct_steps=1)
    yield "score_ve", s.ScoreSdeVeScheduler, 10, run_score_ve, "1", ve, {}
    vp = dict(beta_min=0.1, beta_max=20.0, sampling_eps=1e-3)
    yield "score_vp", ScoreSdeVpScheduler, 10, run_score_vp, "1", vp, {}


def show(value):
    return "" if value is None or value != value else f"{value:.17g}"


def dummy_sample():
    """The (4, 3, 8, 8) sample of the conformance figures: arange(768)/768 as (3, 8, 8, 4), last axis moved to the front."""
    return (torch.arange(768, dtype=torch.float64) / 768).reshape(3, 8, 8, 4).permute(3, 0, 1, 2)


def conformance():
    """Sum and mean of |x| after 10 steps from the dummy sample: DDIM 172.0067, 0.223967; EDM-Euler 34.1855."""
    ddim = schedulers.DDIMScheduler(**TRAINING, clip_sample=True)
    x = run(ddim, 10, "alpha_bar", x=dummy_sample() * ddim.init_noise_sigma)[-1][-1].abs()
    edm = schedulers.EDMEulerScheduler(sigma_min=0.002, sigma_max=80.0, num_train_timesteps=1000)
    y = run(edm, 10, "ve", x=dummy_sample() * edm.init_noise_sigma)[-1][-1].abs()
    return [("DDIM", float(x.sum()), float(x.mean())), ("EDM-Euler", float(y.sum()), float(y.mean()))]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent, help="folder of the two tables")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", FutureWarning)
    use_float64()
    table, trajectories = [], []
    for name, kind, steps, how, c_in, set_up, step in cases():
        NOISE.draws = 0
        scheduler = kind(**set_up)
        rows = how(scheduler, steps) if callable(how) else run(scheduler, steps, how, **step)
        parameters = ";".join(f"{k}={v}" for k, v in (set_up | step).items() if k != "disable_corrector")
        table.append([name, kind.__name__, steps, c_in, NOISE.draws, parameters])
        for index, stage, timestep, level, x in rows:
            assert x.dtype == torch.float64 and bool(torch.isfinite(x).all()), (name, index)
            values = [timestep] + list(level) + [None] * (4 - len(level)) + x[0].tolist()
            trajectories.append([name, index, stage] + [show(v) for v in values])
    arguments.out.mkdir(parents=True, exist_ok=True)
    coordinates = [f"x{j}" for j in range(DIMENSION)]
    levels_columns = ["timestep", "alpha", "sigma", "alpha_next", "sigma_next"]
    files = {
        "cases.csv": (["case", "scheduler", "steps", "input", "draws", "parameters"], table),
        "trajectories.csv": (["case", "step", "stage"] + levels_columns + coordinates, trajectories),
    }
    for name, (columns, rows) in files.items():
        with open(arguments.out / name, "w", newline="") as file:
            file.write(f"# diffusers {diffusers.__version__} in float64; {HEADER}\n")
            csv.writer(file, lineterminator="\n").writerows([columns] + rows)
    print(f"{len(table)} cases, {len(trajectories)} rows in {arguments.out}")
    for name, total, mean in conformance():
        print(f"{name}: sum {total:.10g}, mean {mean:.10g}")


if __name__ == "__main__":
    main()
