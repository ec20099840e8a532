"""Reads a state dict and points, and writes the state dict back and what the network computes.

    python3 round_trip.py FOLDER

FOLDER has net.safetensors and points.safetensors; net.pt and values.safetensors are written there. The network is the U-Net of the
test that calls this.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

sys.path.insert(0, str(Path(__file__).parents[2] / "python"))
from networks import UNet  # noqa: E402

folder = Path(sys.argv[1])
net = UNet(side=8, folded=True, channels=[4, 6], blocks=2, inputs=64, outputs=64, features=3, heads=1)
net.load_state_dict(load_file(folder / "net.safetensors"), strict=True)
given = load_file(folder / "points.safetensors")
with torch.no_grad():
    field, heads = net(given["points"], given["features"])
torch.save(net.state_dict(), folder / "net.pt")
save_file({"field": field.contiguous(), "heads": heads.contiguous()}, folder / "values.safetensors")
