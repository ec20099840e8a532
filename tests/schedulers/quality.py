"""Sliced Wasserstein distance of Heun and DPM-Solver++ 2M, here and in diffusers, on a planar swiss roll with the ideal denoiser.

    cargo build --release && python3 tests/schedulers/quality.py [--resolvent target/release/resolvent]
                                                              [--samples 2000] [--seeds 10]
                                                              needs torch and diffusers; run it outside of a busy machine

The data are POINTS points of a swiss roll, scaled to deviation 0.5; `resolvent sample --model edm` starts from draws of its
own and writes them, and diffusers starts from the same. Both run in float64 on the Karras grid, sigma 80..0.002, rho 7, with
a last step to 0, and take the ideal denoiser D(x, sigma) = sum_i w_i y_i, w_i proportional to exp(-|x - y_i|^2/(2 sigma^2)),
without preconditioning. Heun is HeunDiscreteScheduler with this grid put in place of its own; n nodes cost 2n - 1
evaluations, so 10, 20, 50 are met from below (9, 19, 49). DPM-Solver++ 2M is EDMDPMSolverMultistepScheduler with as many
nodes as evaluations and its defaults.

Prints, for each solver and number of evaluations, the distance of the samples to the data over 200 directions (mean over seeds
and its standard error), the ratio of the two, and the largest difference of two samples from one start. The floor is the
distance of as many draws from the data. The exit status is 1 if a ratio is further than 0.1 from 1.
"""

import argparse
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import torch
from diffusers import EDMDPMSolverMultistepScheduler, HeunDiscreteScheduler

from generate import use_float64

ROOT = Path(__file__).resolve().parents[2]
POINTS = 1000
BUDGETS = (10, 20, 50)
SIGMA_MIN, SIGMA_MAX, RHO = 0.002, 80.0, 7.0


class Denoiser:
    """The ideal denoiser of a data set; counts its evaluations."""

    def __init__(self, data):
        self.data, self.half_squares, self.evaluations = data, 0.5 * (data**2).sum(1), 0

    def __call__(self, x, sigma):
        self.evaluations += 1
        return torch.softmax((x @ self.data.T - self.half_squares) / sigma**2, dim=1) @ self.data


def solver(nodes):
    scheduler = EDMDPMSolverMultistepScheduler(sigma_min=SIGMA_MIN, sigma_max=SIGMA_MAX, rho=RHO)
    scheduler.precondition_outputs = lambda sample, denoised, sigma: denoised
    scheduler.set_timesteps(nodes)
    return scheduler


def heun(nodes):
    grid = solver(nodes).sigmas
    scheduler = HeunDiscreteScheduler(prediction_type="sample")
    scheduler.set_timesteps(nodes)
    scheduler.sigmas = torch.cat([grid[:1], grid[1:-1].repeat_interleave(2), grid[-1:]])
    scheduler.timesteps = 0.25 * torch.log(scheduler.sigmas[:-1])
    return scheduler


def sample(scheduler, denoiser, x):
    for sigma, t in zip(scheduler.sigmas.clone(), scheduler.timesteps):
        x = scheduler.step(denoiser(x, sigma), t, x).prev_sample
    return x


def swiss_roll():
    """The spiral t (cos t, sin t), t from 1.5 pi to 4.5 pi, at equal distances along it, centred, deviation 0.5."""
    t = np.linspace(1.5 * np.pi, 4.5 * np.pi, 200_001)
    length = 0.5 * (t * np.hypot(t, 1) + np.arcsinh(t))
    t = np.interp(np.linspace(length[0], length[-1], POINTS), length, t)
    points = np.stack([t * np.cos(t), t * np.sin(t)], axis=1)
    points -= points.mean(0)
    return 0.5 * points / points.std()


def sliced_wasserstein(samples, data, directions):
    """Mean over directions of the 1-Wasserstein distance; the samples are a multiple of the data in number."""
    repeats = len(samples) // len(data)
    own = np.sort(samples @ directions.T, axis=0)
    exact = np.sort(np.repeat(data @ directions.T, repeats, axis=0), axis=0)
    return np.abs(own - exact).mean()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resolvent", default=ROOT / "target" / "release" / "resolvent")
    parser.add_argument("--samples", type=int, default=2 * POINTS)
    parser.add_argument("--seeds", type=int, default=10)
    arguments = parser.parse_args()
    if arguments.samples % POINTS:
        parser.error(f"--samples {arguments.samples}: a multiple of {POINTS}")
    use_float64()
    data = swiss_roll()
    angles = np.linspace(0, np.pi, 200, endpoint=False)
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    generator = np.random.default_rng(0)
    draws = [data[generator.integers(POINTS, size=arguments.samples)] for _ in range(arguments.seeds)]
    floor = [sliced_wasserstein(x, data, directions) for x in draws]
    print(f"floor {np.mean(floor):.5f}")
    off = False
    print("solver evaluations resolvent error diffusers error ratio difference")
    with tempfile.TemporaryDirectory() as folder:
        file, out = Path(folder) / "data.npy", Path(folder) / "out.npz"
        np.save(file, data)
        for budget in BUDGETS:
            for name, build, nodes in (("heun", heun, (budget + 1) // 2), ("dpm++2m", solver, budget)):
                own, theirs, difference = [], [], 0.0
                for seed in range(arguments.seeds):
                    subprocess.run([arguments.resolvent, "sample", "--data", file, "--model", "edm", "--step", name,
                                    "--steps", str(nodes), "--n", str(arguments.samples), "--seed", str(seed), "--out", out],
                                   check=True, stdout=subprocess.DEVNULL)
                    result, denoiser = np.load(out), Denoiser(torch.from_numpy(data))
                    samples = sample(build(nodes), denoiser, torch.from_numpy(result["starts"])).numpy()
                    assert (result["evaluations"] == denoiser.evaluations).all()
                    own.append(sliced_wasserstein(result["samples"], data, directions))
                    theirs.append(sliced_wasserstein(samples, data, directions))
                    difference = max(difference, np.abs(result["samples"] - samples).max())
                error = [np.std(x, ddof=1) / len(x) ** 0.5 for x in (own, theirs)]
                print(f"{name} {denoiser.evaluations} {np.mean(own):.5f} {error[0]:.5f} {np.mean(theirs):.5f} {error[1]:.5f} "
                      f"{np.mean(own) / np.mean(theirs):.4f} {difference:.1e}")
                off |= abs(np.mean(own) / np.mean(theirs) - 1) > 0.1
    raise SystemExit(int(off))


if __name__ == "__main__":
    main()
