"""Writes the networks that tests/import.rs reads, with what PyTorch computes with them.

    python3 crates/resolvent-learn/tests/data/generate.py          # needs torch and safetensors

For each: NAME.safetensors (or .pt), the state dict, and NAME.values.safetensors with points, features, field and heads.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "python"))
from networks import ResidualMlp, UNet  # noqa: E402

# Each with how many inputs and features it has.
NETWORKS = {
    "mlp.safetensors": (5, 4, ResidualMlp(width=16, depth=2, inputs=5, outputs=3, features=4, heads=1)),
    "unet.safetensors": (32, 0, UNet(side=4, folded=False, channels=[3, 5], blocks=2, inputs=32, outputs=16)),
    "unet-folded.pt": (
        128,
        4,
        UNet(side=8, folded=True, channels=[3, 5], blocks=1, inputs=128, outputs=64, features=4, heads=2),
    ),
}


@torch.no_grad()
def main():
    torch.manual_seed(1)
    for file, (inputs, features, net) in NETWORKS.items():
        for parameter in net.parameters():  # none zero, as the last layers are before training
            parameter.normal_(std=1 / max(1, parameter[0].numel()) ** 0.5)
        state = {name: value.clone() for name, value in net.state_dict().items()}
        points, features = torch.randn(3, inputs), torch.randn(3, features)
        field, heads = net.double()(points.double(), features.double())
        heads = torch.zeros(3, 0) if heads is None else heads
        values = {"points": points, "features": features, "field": field, "heads": heads}
        save_file({k: v.float().contiguous() for k, v in values.items()}, HERE / f"{Path(file).stem}.values.safetensors")
        if file.endswith(".pt"):
            torch.save(state, HERE / file)
        else:
            save_file(state, HERE / file)


if __name__ == "__main__":
    main()
