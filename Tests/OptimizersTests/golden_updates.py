"""Five steps of PyTorch's optimizers, as Swift: python golden_updates.py > GoldenUpdates.swift

Seven weights in float64; step t (from 1) sees the gradient  g_i = 0.8 w_i + 2 sin(1.3 t + 0.7 i)
at learning rate 0.05 / t. L1, which PyTorch's optimizers lack, is added to the gradient by hand,
and so is decoupled decay for rules other than Adam.
"""
import math
import torch
from torch.optim import SGD, Adagrad, Adam, AdamW, RMSprop
from torch.nn.utils import clip_grad_norm_, clip_grad_value_

START = [0.5, -0.3, 0.8, 0.0, -1.2, 2.5, -0.01]


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
}

print("// Made by golden_updates.py with PyTorch " + torch.__version__.split("+")[0] + ".\n")
print("let goldenUpdates: [String: [Double]] = [")
for name, weights in CASES.items():
    print(f'  "{name}": [')
    for value in weights:
        print(f"    {value!r},")
    print("  ],")
print("]")
