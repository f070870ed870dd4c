"""Five steps of PyTorch's optimizers, as Swift: python golden_updates.py > GoldenUpdates.swift

Seven weights in float64; step t (from 1) sees the gradient  g_i = 0.8 w_i + 2 sin(1.3 t + 0.7 i)
at learning rate 0.05 / t. L1, which PyTorch's optimizers lack, is added to the gradient by hand,
and so is decoupled decay for rules other than Adam. LARS and LAMB, which PyTorch lacks too, are written
here as their papers' algorithms state them, one tensor after another.

`goldenLayers` is a network of two tensors for those two: 10,000 weights, which norms are summed of in
several blocks, and three biases, which take plain steps without decay. It holds every 999th weight, then
the biases.
"""
import math
import torch
from torch.optim import SGD, Adagrad, Adam, AdamW, RMSprop
from torch.nn.utils import clip_grad_norm_, clip_grad_value_

START = [0.5, -0.3, 0.8, 0.0, -1.2, 2.5, -0.01]


class Lars:
    """You, Gitman, Ginsburg 2017, algorithm 1; plain momentum for tensors that are spared."""

    def __init__(self, parameters, momentum, trust, decay=0.0, l2=0.0, spared=()):
        self.param_groups = [{"lr": 1.0}]
        self.parameters, self.spared = parameters, spared
        self.momentum, self.trust, self.decay, self.l2 = momentum, trust, decay, l2
        self.velocity = [torch.zeros_like(w) for w in parameters]

    @torch.no_grad()
    def step(self):
        rate = self.param_groups[0]["lr"]
        for index, w in enumerate(self.parameters):
            gradient = w.grad + self.l2 * w
            local, decay = 1.0, 0.0
            if index not in self.spared:
                decay = self.decay
                norm = torch.sqrt((w**2).sum())
                local = self.trust * norm / (torch.sqrt((gradient**2).sum()) + decay * norm)
            velocity = self.velocity[index]
            velocity.mul_(self.momentum).add_(rate * local * (gradient + decay * w))
            w -= velocity


class Lamb:
    """You et al. 2020, algorithm 2, with phi(z) = z; AdamW's step for tensors that are spared."""

    def __init__(self, parameters, betas, eps, decay=0.0, l2=0.0, spared=()):
        self.param_groups = [{"lr": 1.0}]
        self.parameters, self.spared = parameters, spared
        self.betas, self.eps, self.decay, self.l2, self.t = betas, eps, decay, l2, 0
        self.m = [torch.zeros_like(w) for w in parameters]
        self.v = [torch.zeros_like(w) for w in parameters]

    @torch.no_grad()
    def step(self):
        self.t += 1
        rate, (beta1, beta2) = self.param_groups[0]["lr"], self.betas
        for index, w in enumerate(self.parameters):
            gradient = w.grad + self.l2 * w
            self.m[index] = beta1 * self.m[index] + (1 - beta1) * gradient
            self.v[index] = beta2 * self.v[index] + (1 - beta2) * gradient**2
            mean = self.m[index] / (1 - beta1**self.t)
            square = self.v[index] / (1 - beta2**self.t)
            update, ratio = mean / (torch.sqrt(square) + self.eps), 1.0
            if index not in self.spared:
                update = update + self.decay * w
                ratio = torch.sqrt((w**2).sum()) / torch.sqrt((update**2).sum())
            w -= rate * ratio * update


def run_layers(make):
    """Weights and biases start at 0.1 cos(i) and -0.2 + 0.1 i; slopes as in `run`, i counted in each tensor."""
    weights = 0.1 * torch.cos(torch.arange(10_000, dtype=torch.float64))
    biases = -0.2 + 0.1 * torch.arange(3, dtype=torch.float64)
    tensors = [torch.nn.Parameter(weights), torch.nn.Parameter(biases)]
    optimizer = make(tensors)
    for t in range(1, 6):
        optimizer.param_groups[0]["lr"] = 0.05 / t
        for w in tensors:
            index = torch.arange(len(w), dtype=torch.float64)
            w.grad = 0.8 * w.detach() + 2 * torch.sin(1.3 * t + 0.7 * index)
        optimizer.step()
    return tensors[0].detach()[::999].tolist() + tensors[1].detach().tolist()


def run(make, clip_norm=None, clip_value=None, l1=0.0, decay=0.0):
    w = torch.nn.Parameter(torch.tensor(START, dtype=torch.float64))
    optimizer = make([w])
    for t in range(1, 6):
        rate = 0.05 / t
        for group in optimizer.param_groups:
            group["lr"] = rate
        wave = torch.tensor(
            [2 * math.sin(1.3 * t + 0.7 * i) for i in range(len(START))], dtype=torch.float64)
        w.grad = 0.8 * w.detach() + wave
        if clip_norm is not None:
            clip_grad_norm_([w], clip_norm)
        if clip_value is not None:
            clip_grad_value_([w], clip_value)
        with torch.no_grad():
            w.grad += l1 * torch.sign(w)
            w *= 1 - rate * decay
        optimizer.step()
    return w.detach().tolist()


def no_fuss(kind, **options):
    return lambda ps: kind(ps, lr=1.0, foreach=False, **options)


def lars(**options):
    return lambda ps: Lars(ps, momentum=0.9, trust=0.3, **options)


def lamb(**options):
    return lambda ps: Lamb(ps, betas=(0.8, 0.95), eps=1e-2, **options)


CASES = {
    "sgd": run(no_fuss(SGD)),
    "sgd l2": run(no_fuss(SGD, weight_decay=0.3)),
    "sgd l1": run(no_fuss(SGD), l1=0.4),
    "sgd decay": run(no_fuss(SGD), decay=0.6),
    "sgd clip norm": run(no_fuss(SGD), clip_norm=1.5),
    "sgd clip value": run(no_fuss(SGD), clip_value=0.9),
    "sgd clip norm l2": run(no_fuss(SGD, weight_decay=0.3), clip_norm=1.5),
    "momentum": run(no_fuss(SGD, momentum=0.9)),
    "momentum l2": run(no_fuss(SGD, momentum=0.9, weight_decay=0.3)),
    "momentum decay": run(no_fuss(SGD, momentum=0.9), decay=0.6),
    "nesterov": run(no_fuss(SGD, momentum=0.8, nesterov=True)),
    "nesterov l2": run(no_fuss(SGD, momentum=0.8, nesterov=True, weight_decay=0.3)),
    "rmsprop": run(no_fuss(RMSprop, alpha=0.9, eps=1e-3)),
    "rmsprop l2": run(no_fuss(RMSprop, alpha=0.9, eps=1e-3, weight_decay=0.3)),
    "adagrad": run(no_fuss(Adagrad, eps=1e-2)),
    "adagrad l2": run(no_fuss(Adagrad, eps=1e-2, weight_decay=0.3)),
    "adam": run(no_fuss(Adam, betas=(0.8, 0.95), eps=1e-2)),
    "adam l2": run(no_fuss(Adam, betas=(0.8, 0.95), eps=1e-2, weight_decay=0.3)),
    "adam clip norm": run(no_fuss(Adam, betas=(0.8, 0.95), eps=1e-2), clip_norm=1.5),
    "adamw": run(no_fuss(AdamW, betas=(0.8, 0.95), eps=1e-2, weight_decay=0.6)),
    "lars": run(lars()),
    "lars l2": run(lars(l2=0.3)),
    "lars decay": run(lars(decay=0.6)),
    "lars clip norm": run(lars(decay=0.6), clip_norm=1.5),
    "lars clip value": run(lars(decay=0.6), clip_value=0.9),
    "lamb": run(lamb()),
    "lamb l2": run(lamb(l2=0.3)),
    "lamb decay": run(lamb(decay=0.6)),
    "lamb clip norm": run(lamb(decay=0.6), clip_norm=1.5),
}

LAYERS = {
    "lars": run_layers(lars(decay=0.6, spared=(1,))),
    "lars all": run_layers(lars(decay=0.6)),
    "lamb": run_layers(lamb(decay=0.6, spared=(1,))),
    "lamb all": run_layers(lamb(decay=0.6)),
}

print("// Made by golden_updates.py with PyTorch " + torch.__version__.split("+")[0] + ".\n")
for title, cases in [("goldenUpdates", CASES), ("goldenLayers", LAYERS)]:
    print(f"let {title}: [String: [Double]] = [")
    for name, weights in cases.items():
        print(f'  "{name}": [')
        for value in weights:
            print(f"    {value!r},")
        print("  ],")
    print("]" if title == "goldenLayers" else "]\n")
