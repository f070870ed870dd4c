#!/usr/bin/env python3
"""Writes zoo.json: what torchvision's networks say about the weights and images of formulas.

    python golden_zoo.py [--check NAME WEIGHTS.safetensors]

Element k of the p-th tensor by torchvision's name is a formula of `s = sin(0.7 k + 1.3 p + 0.1)`: weights of two and
more dimensions `s sqrt(4 / fan in)`, scales of norms and running variances `1 + 0.2 s`, the rest `0.1 s`; input k is
`1.5 sin(0.37 k + 0.2)` of images [2, 64, 64, 3], channels last. Kept are names and shapes of all tensors, and of
the output in use (no dropout, running statistics) sum, sum of squares and sum weighted by `cos(k)`, in float64.
With --check, loads a file that `ddp-train export` wrote into the network, strictly, instead.

Needs torch, torchvision, safetensors. Written with torchvision 0.29.2.
"""
import argparse
import json
import pathlib

import torch
import torchvision

HERE = pathlib.Path(__file__).parent
NAMES = {"alexnet": "alexnet", "vgg-16": "vgg16", "googlenet": "googlenet", "resnet-18": "resnet18",
         "resnet-50": "resnet50", "mobilenet-v2": "mobilenet_v2", "efficientnet-b0": "efficientnet_b0"}


def network(name):
    options = {"aux_logits": False, "init_weights": False} if name == "googlenet" else {}
    return torchvision.models.get_model(NAMES[name], weights=None, **options).double().eval()


def tensor(index, name, shape):
    count = torch.Size(shape).numel()
    s = torch.sin(0.7 * torch.arange(count, dtype=torch.float64) + 1.3 * index + 0.1)
    if len(shape) > 1:
        s = s * (4 / torch.Size(shape[1:]).numel()) ** 0.5
    elif name.endswith((".weight", ".running_var")):
        s = 1 + 0.2 * s
    else:
        s = 0.1 * s
    return s.reshape(shape)


def case(name):
    net = network(name)
    shapes = {k: list(v.shape) for k, v in net.state_dict().items() if not k.endswith("num_batches_tracked")}
    state = {k: tensor(i, k, shapes[k]) for i, k in enumerate(sorted(shapes))}
    missing, unexpected = net.load_state_dict(state, strict=False)
    assert not unexpected and all(k.endswith("num_batches_tracked") for k in missing)
    count = 2 * 64 * 64 * 3
    x = 1.5 * torch.sin(0.37 * torch.arange(count, dtype=torch.float64) + 0.2)
    x = x.reshape(2, 64, 64, 3).permute(0, 3, 1, 2)
    with torch.no_grad():
        y = net(x)
        single = net.float()(x.float()).double()
    print(f"{name}: output {y.norm():.4g}, float32 is off by {((single - y).norm() / y.norm()).item():.1e}")
    y = y.flatten()
    k = torch.cos(torch.arange(len(y), dtype=torch.float64))
    return {"network": name, "tensors": shapes, "output": [y.sum().item(), (y * y).sum().item(), (y * k).sum().item()]}


def check(name, path):
    from safetensors.torch import load_file
    missing, unexpected = network(name).load_state_dict(load_file(path), strict=False)
    print([k for k in missing if not k.endswith("num_batches_tracked")], unexpected)


ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("--check", nargs=2)
a = ap.parse_args()
if a.check:
    check(*a.check)
else:
    cases = [case(name) for name in NAMES]
    (HERE / "zoo.json").write_text(json.dumps(cases, separators=(",", ":")).replace('{"network"', '\n{"network"') + "\n")
    print(f"torchvision {torchvision.__version__}: {len(cases)} networks")
