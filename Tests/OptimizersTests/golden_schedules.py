"""Learning rates of PyTorch's schedulers, as Swift: python golden_schedules.py > GoldenSchedules.swift

20 steps at base rate 0.1, 4 steps to an epoch.
"""
import torch
from torch.optim import SGD
from torch.optim import lr_scheduler as lr

BASE, STEPS = 0.1, 20


def rates(make, base=BASE, steps=STEPS):
    optimizer = SGD([torch.nn.Parameter(torch.zeros(1))], lr=base)
    scheduler = make(optimizer)
    values = []
    for _ in range(steps):
        values.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return values


def warmed(make_shape, warmup):
    """LinearLR from 1 / warmup to 1 in the first steps, then the shape over the rest."""
    def make(optimizer):
        rise = lr.LinearLR(optimizer, 1 / warmup, 1.0, warmup - 1)
        return lr.SequentialLR(optimizer, [rise, make_shape(optimizer)], [warmup])
    return make


CASES = {
    "constant": lambda o: lr.LambdaLR(o, lambda s: 1.0),
    "step": lambda o: lr.StepLR(o, step_size=8, gamma=0.3),
    "exponential": lambda o: lr.ExponentialLR(o, 0.5 ** (1 / 4)),
    "inverseTime": lambda o: lr.LambdaLR(o, lambda s: 1 / (1 + 0.7 * (s // 4))),
    "polynomial": lambda o: lr.PolynomialLR(o, total_iters=STEPS, power=2.0),
    "cosine": lambda o: lr.CosineAnnealingLR(o, T_max=STEPS),
    "cosineToFinal": lambda o: lr.CosineAnnealingLR(o, T_max=STEPS, eta_min=0.2 * BASE),
    "oneCycle": lambda o: lr.OneCycleLR(
        o, max_lr=BASE, total_steps=STEPS, pct_start=0.3, div_factor=25, final_div_factor=4),
    "oneCycleOddRise": lambda o: lr.OneCycleLR(
        o, max_lr=BASE, total_steps=STEPS, pct_start=0.37, div_factor=10, final_div_factor=1e4),
    "cosineAfterWarmup": warmed(lambda o: lr.CosineAnnealingLR(o, T_max=STEPS - 5), 5),
    "polynomialAfterWarmup": warmed(
        lambda o: lr.PolynomialLR(o, total_iters=STEPS - 5, power=1.0), 5),
}

print("// Made by golden_schedules.py with PyTorch " + torch.__version__.split("+")[0] + ".\n")
print("let goldenSchedules: [String: [Double]] = [")
for name, make in CASES.items():
    print(f'  "{name}": [')
    for value in rates(make):
        print(f"    {value!r},")
    print("  ],")
print("]")
