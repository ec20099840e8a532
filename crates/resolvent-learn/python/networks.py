"""The networks of resolvent-learn as PyTorch modules: the same names, shapes, initial law and values.

    net = UNet(side=28, folded=True, channels=[32, 64], blocks=2, inputs=784, outputs=784, features=0, heads=1)
    field, heads = net(points)                      # [n, outputs], [n, heads]
    safetensors.torch.save_file(net.state_dict(), "net.safetensors")      # or torch.save(net.state_dict(), "net.pt")

Such a file is read by `resolvent_learn::import::read`, and `resolvent_learn::import::write` writes one that
`net.load_state_dict` takes. `inputs`, `outputs`, `features` and `heads` are those of `Sizes`; `features` and `heads` may be 0.
Points come and fields go as rows of numbers; an image is a row in the order [row, column, channel].
"""

import torch
from torch import nn
from torch.nn import functional as F


def normal(layer, fan_in, gain=1.0):
    """Weights N(0, gain^2 / fan_in), no bias."""
    nn.init.normal_(layer.weight, std=gain / fan_in**0.5)
    nn.init.zeros_(layer.bias)
    return layer


def zero(layer):
    """Weights and bias zero."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def linear(inputs, outputs):
    return normal(nn.Linear(inputs, outputs), inputs)


class ResidualMlp(nn.Module):
    """x <- W_in x, then `depth` times x <- x + W silu(x + E e), then W_out silu(x); e are the features."""

    class Block(nn.Module):
        def __init__(self, width, features):
            super().__init__()
            self.embedding = linear(features, width) if features else None
            self.linear = linear(width, width)

        def forward(self, x, features):
            h = x if self.embedding is None else x + self.embedding(features)
            return x + self.linear(F.silu(h))

    def __init__(self, width, depth, inputs, outputs, features=0, heads=0):
        super().__init__()
        self.input = linear(inputs, width)
        self.blocks = nn.ModuleList([self.Block(width, features) for _ in range(depth)])
        self.output = zero(nn.Linear(width, outputs))
        self.heads = zero(nn.Linear(width, heads)) if heads else None

    def forward(self, points, features=None):
        x = self.input(points)
        for block in self.blocks:
            x = block(x, features)
        h = F.silu(x)
        return self.output(h), None if self.heads is None else self.heads(h)


def fold(x):
    """Half the side: the four pixels of every 2 x 2 square, in the order of rows, become one of four times the channels."""
    n, c, rows, columns = x.shape
    x = x.reshape(n, c, rows // 2, 2, columns // 2, 2)
    return x.permute(0, 3, 5, 1, 2, 4).reshape(n, 4 * c, rows // 2, columns // 2)


def unfold(x):
    """The inverse of fold."""
    n, c, rows, columns = x.shape
    x = x.reshape(n, 2, 2, c // 4, rows, columns)
    return x.permute(0, 3, 4, 1, 5, 2).reshape(n, c // 4, 2 * rows, 2 * columns)


class PixelLinear(nn.Linear):
    """A linear map in every pixel."""

    def forward(self, x):
        return F.conv2d(x, self.weight[:, :, None, None], self.bias)


class Level(nn.Module):
    """A change of resolution, where there is one, and residual blocks x <- x + K_2 silu(K_1 silu(x) + E e)."""

    class Block(nn.Module):
        def __init__(self, channels, embedding):
            super().__init__()
            self.first = normal(nn.Conv2d(channels, channels, 3, padding=1), 9 * channels, 2**0.5)
            self.embedding = linear(embedding, channels) if embedding else None
            self.second = zero(nn.Conv2d(channels, channels, 3, padding=1))

        def forward(self, x, e):
            h = self.first(F.silu(x))
            if self.embedding is not None:
                h = h + self.embedding(e)[:, :, None, None]
            return x + self.second(F.silu(h))

    def __init__(self, channels, blocks, embedding, change=None):
        super().__init__()
        self.change = normal(PixelLinear(*change), change[0]) if change else None
        self.blocks = blocks
        for block in range(blocks):
            self.add_module(str(block), self.Block(channels, embedding))

    def forward(self, x, e):
        for block in range(self.blocks):
            x = self.get_submodule(str(block))(x, e)
        return x


class UNet(nn.Module):
    """Images in, images out: down the resolutions, up again, adding what was there on the way down."""

    def __init__(self, side, folded, channels, blocks, inputs, outputs, features=0, heads=0):
        super().__init__()
        self.side, self.folded = side, folded
        square = 4 if folded else 1
        ins, outs = square * inputs // side**2, square * outputs // side**2
        embedding = 4 * channels[0] if features else 0
        self.input = normal(nn.Conv2d(ins, channels[0], 3, padding=1), 9 * ins)
        self.embedding = linear(features, embedding) if features else None
        finer = zip([None, *channels], channels)
        self.down = nn.ModuleList(
            [Level(c, blocks, embedding, (4 * before, c) if before else None) for before, c in finer]
        )
        self.heads = zero(nn.Linear(channels[-1], heads)) if heads else None
        coarser = zip(channels, [*channels[1:], None])
        self.up = nn.ModuleList(
            [Level(c, blocks, embedding, (below, 4 * c) if below else None) for c, below in coarser]
        )
        self.output = zero(nn.Conv2d(channels[0], outs, 3, padding=1))

    def forward(self, points, features=None):
        x = points.reshape(len(points), self.side, self.side, -1).permute(0, 3, 1, 2)
        if self.folded:
            x = fold(x)
        x = self.input(x)
        e = None if self.embedding is None else F.silu(self.embedding(features))
        passed = []
        for level in self.down:
            if level.change is not None:
                x = level.change(fold(x))
            x = level(x, e)
            passed.append(x)
        heads = None if self.heads is None else self.heads(F.silu(x).mean((2, 3)))
        for level, there in zip(reversed(self.up), reversed(passed)):
            if level.change is not None:
                x = unfold(level.change(x)) + there
            x = level(x, e)
        field = self.output(F.silu(x))
        if self.folded:
            field = unfold(field)
        return field.permute(0, 2, 3, 1).flatten(1), heads
