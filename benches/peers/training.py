"""Times training steps of the networks of resolvent-learn in PyTorch, JAX (jit, CPU) and the library itself.

    python3 benches/peers/training.py torch|jax --case mlp784|mlp2|unet [--threads 1] [--seconds 5]
    python3 benches/peers/training.py ratios [--rounds 5] [--seconds 5] [--case ..] [--python PYTHON]

A step: forward, mean squared error, backward, AdamW (learning rate 1e-3, beta 0.9 and 0.999, epsilon 1e-8, weight decay 0.01) and
an exponential moving average of the parameters (0.999), in float32. Batches are consecutive rows of fixed random points x, the target
is x/2. The cases, with their batch sizes:

    mlp784   residual MLP 784-512-512-512-784 (width 512, depth 2)      512
    mlp2     residual MLP 2-128-128-128-2 (width 128, depth 2)          512
    unet     U-Net of 28 x 28 pixels, folded, channels 32 and 64, 2 blocks a resolution    64

One run prints one line of JSON; compilation and ten steps are not counted. The process is bound to as many cores as it has threads.
`ratios` runs the library (`cargo run --example training_speed`) and both peers in alternation, `--rounds` times, and prints the median of
the ratios library/peer of each round, with the smallest and the largest: above 1 the library is faster.
"""

from common import bind
from network_peers import CASES, POOL, jax_network, main, pool, timed, torch_network

RATE, BETA1, BETA2, EPSILON, DECAY, AVERAGE = 1e-3, 0.9, 0.999, 1e-8, 0.01, 0.999
BATCHES = {"mlp784": 512, "mlp2": 512, "unet": 64}


def torch_peer(case, batch, threads):
    import torch

    net = torch_network(case, threads)
    parameters = list(net.parameters())
    average = [p.detach().clone() for p in parameters]
    adam = torch.optim.AdamW(parameters, lr=RATE, betas=(BETA1, BETA2), eps=EPSILON, weight_decay=DECAY, fused=True)
    points = torch.from_numpy(pool(case, batch))

    def run(steps):
        for i in range(steps):
            x = points[i % POOL]
            loss = torch.nn.functional.mse_loss(net(x)[0], 0.5 * x)
            adam.zero_grad(set_to_none=True)
            loss.backward()
            adam.step()
            with torch.no_grad():
                torch._foreach_lerp_(average, parameters, 1 - AVERAGE)
        return loss.item()

    return torch.__version__, run


def jax_peer(case, batch, threads):
    p, net = jax_network(case)
    import jax
    import jax.numpy as jnp

    def step(state, x):
        i, p, m, v, average = state
        loss, g = jax.value_and_grad(lambda p: jnp.mean((net(p, x) - 0.5 * x) ** 2))(p)
        i = i + 1
        tree = jax.tree.map
        m = tree(lambda m, g: BETA1 * m + (1 - BETA1) * g, m, g)
        v = tree(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, v, g)
        c1, c2 = 1 - BETA1**i, 1 - BETA2**i
        p = tree(lambda p, m, v: p - RATE * (m / c1 / (jnp.sqrt(v / c2) + EPSILON) + DECAY * p), p, m, v)
        average = tree(lambda a, p: a + (1 - AVERAGE) * (p - a), average, p)
        return (i, p, m, v, average), loss

    step = jax.jit(step, donate_argnums=0)
    zeros = jax.tree.map(jnp.zeros_like, p)
    state = [(jnp.float32(0), p, zeros, jax.tree.map(jnp.copy, zeros), jax.tree.map(jnp.copy, p))]
    points = [jnp.asarray(x) for x in pool(case, batch)]

    def run(steps):
        for i in range(steps):
            state[0], loss = step(state[0], points[i % POOL])
        return float(loss)

    return jax.__version__, run


def measure(peer, name, threads, seconds):
    batch = BATCHES[name]
    bind(threads)
    version, run = {"torch": torch_peer, "jax": jax_peer}[peer](CASES[name], batch, threads)
    first = run(1)
    run(9)
    steps, elapsed = timed(run, seconds)
    last = run(1)
    assert last < first, (first, last)
    return {"peer": peer, "version": version, "case": name, "threads": threads, "batch": batch, "steps": steps,
            "samples_per_second": round(steps * batch / elapsed), "first_loss": first, "last_loss": last}


if __name__ == "__main__":
    main(__file__, __doc__, "training_speed", measure)
