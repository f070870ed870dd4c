#!/usr/bin/env python3
"""Writes networks.json: what PyTorch says about the networks beside this file.

    python golden_networks.py

Weights and inputs are formulas of the element's number, so that the test needs no weight files: element k
(in file order) of the p-th tensor by name is `0.3 sin(0.7 k + 1.3 p + 0.1)`, scales of norms and running
variances `1 + 0.2 sin(...)`; input k is `1.5 sin(0.37 k + 0.2)`, of tokens `k k mod vocabulary`; behind `masking` sample n of T steps
has zeros from step `(T + 3 n) mod (T + 1)`. With `ignore` every fourth class is that; sample n of `ctc` has `n mod (labels + 1)` labels,
the i-th `1 + (n + i / 2) mod (classes - 1)`, then -1. Where layers carry their states, the results are those of a second
window, whose k counts on, behind a first one that began with zeros. Of every result the file keeps the sum, the sum of squares and
the sum weighted by `cos(k)`, in float64; and, where PyTorch's own float32 is further off than 5e-6, by how much.
"""
import json
import math
import pathlib

import torch
import yaml
from pytorch_twin import input_parts, loss_options, run

# Words of each embedding, by name.
tables = {}
# Shapes of what the layers with names give.
flows = {}
PAIRWISE = {"triplet": 3, "hard_triplet": 3, "contrastive": 2, "info_nce": 3}
HERE = pathlib.Path(__file__).parent
SAMPLES = 6


def wave(count, shift, scale=0.3, step=0.7):
    return scale * torch.sin(step * torch.arange(count, dtype=torch.float64) + shift)


def shapes(layers, x, path, found):
    """names and shapes of all tensors, by running shapes through the layers"""
    for index, layer in enumerate(layers or []):
        kind, v = (layer, None) if isinstance(layer, str) else next(iter(layer.items()))
        o = v if isinstance(v, dict) else {}
        p = f"{path}.{o.get('name', index)}"
        x = flows[o["from"]] if "from" in o else x
        if kind == "dense":
            units = o.get("units", v)
            found[p + ".weight"] = (units, x[-1])
            if o.get("bias", True):
                found[p + ".bias"] = (units,)
            x = (*x[:-1], units)
        elif kind == "conv2d":
            k = o["kernel"]
            k = (k, k) if isinstance(k, int) else tuple(k)
            groups = x[2] if o.get("groups") == "depthwise" else o.get("groups", 1)
            found[p + ".weight"] = (o["filters"], x[2] // groups, *k)
            if o.get("bias", True):
                found[p + ".bias"] = (o["filters"],)
            x = window(x, k, o, o["filters"])
        elif kind in ("max_pool", "average_pool"):
            k = o.get("size", v)
            k = (k, k) if isinstance(k, int) else tuple(k)
            x = window(x, k, {"stride": o.get("stride", k), "padding": o.get("padding", "valid")}, x[2])
        elif kind == "conv_transpose2d":
            k, s, d, pad, more = (
                (e, e) if isinstance(e, int) else tuple(e)
                for e in (o["kernel"], o.get("stride", 1), o.get("dilation", 1), o.get("padding", 0),
                          o.get("output_padding", 0)))
            found[p + ".weight"] = (x[2], o["filters"] // o.get("groups", 1), *k)
            if o.get("bias", True):
                found[p + ".bias"] = (o["filters"],)
            x = tuple((x[i] - 1) * s[i] - 2 * pad[i] + d[i] * (k[i] - 1) + more[i] + 1 for i in (0, 1)) + (o["filters"],)
        elif kind == "squeeze_excitation":
            n = o.get("channels", x[2] // (o.get("reduction", 16) if o else v or 16))
            found.update({p + ".fc1.weight": (n, x[2], 1, 1), p + ".fc1.bias": (n,)})
            found.update({p + ".fc2.weight": (x[2], n, 1, 1), p + ".fc2.bias": (x[2],)})
        elif kind == "upsample":
            f = o.get("factor", v)
            f = (f, f) if isinstance(f, int) else tuple(f)
            x = (x[0] * f[0], x[1] * f[1], x[2])
        elif kind == "adaptive_average_pool":
            f = o.get("size", v)
            x = (*((f, f) if isinstance(f, int) else f), x[2])
        elif kind == "prelu":
            found[p + ".weight"] = (1 if o.get("shared") else x[-1],)
        elif kind == "sequence":
            x = shapes(o.get("layers", v), x, p, found)
        elif kind in ("batch_norm", "layer_norm", "group_norm") or (kind == "instance_norm" and o.get("affine")):
            names = ["weight", "bias"] + (["running_mean", "running_var"] if kind == "batch_norm" else [])
            found.update({f"{p}.{n}": (x[-1],) for n in names})
        elif kind == "embedding":
            found[p + ".weight"] = (o["vocabulary"], o["units"])
            tables[o.get("name", p)] = o["vocabulary"]
            x = (*x, o["units"])
        elif kind == "tied_dense":
            x = (*x[:-1], tables[v])
        elif kind == "positions":
            if v != "sinusoidal":
                found[p + ".weight"] = x
        elif kind in ("rnn", "lstm", "gru"):
            units, gates = o.get("units", v), {"rnn": 1, "lstm": 4, "gru": 3}[kind]
            ways = ["", "_reverse"] if o.get("bidirectional") else [""]
            inputs = x[1]
            for i in range(o.get("layers", 1)):
                for way in ways:
                    found[f"{p}.weight_ih_l{i}{way}"] = (gates * units, inputs)
                    found[f"{p}.weight_hh_l{i}{way}"] = (gates * units, units)
                    if o.get("bias", True):
                        found[f"{p}.bias_ih_l{i}{way}"] = found[f"{p}.bias_hh_l{i}{way}"] = (gates * units,)
                inputs = units * len(ways)
            x = (inputs,) if o.get("return") == "last" else (x[0], inputs)
        elif kind == "attention":
            c = x[1]
            inputs = {"in_proj": (3 * c, c)}
            if "memory" in o:
                inputs = {"q_proj": (c, c), "kv_proj": (2 * c, flows[o["memory"]][1])}
            found[p + ".out_proj.weight"] = (c, c)
            found.update({f"{p}.{n}_weight": s for n, s in inputs.items()})
            if o.get("bias", True):
                found[p + ".out_proj.bias"] = (c,)
                found.update({f"{p}.{n}_bias": s[:1] for n, s in inputs.items()})
        elif kind == "rms_norm":
            found[p + ".weight"] = (x[-1],)
        elif kind == "class_token":
            found[p + ".weight"] = (x[1],)
            x = (x[0] + 1, x[1])
        elif kind == "masking":
            pass
        elif kind in ("first_step", "last_step"):
            x = (x[1],)
        elif kind == "conv1d":
            found[p + ".weight"] = (o["filters"], x[1] // o.get("groups", 1), o["kernel"])
            if o.get("bias", True):
                found[p + ".bias"] = (o["filters"],)
            s, d, reach = o.get("stride", 1), o.get("dilation", 1), o.get("dilation", 1) * (o["kernel"] - 1)
            pad = o.get("padding", "valid")
            if pad == "same":
                steps = -(-x[0] // s)
            else:
                total = {"valid": 0, "causal": reach}.get(pad) if isinstance(pad, str) else 2 * pad
                steps = (x[0] + total - reach - 1) // s + 1
            x = (steps, o["filters"])
        elif kind == "global_average_pool":
            x = (x[-1],)
        elif kind == "flatten":
            n = 1
            for e in x:
                n *= e
            x = (n,)
        elif kind == "reshape":
            x = tuple(v)
        elif kind == "residual":
            shapes(v.get("shortcut"), x, p + ".shortcut", found)
            x = shapes(v["main"], x, p + ".main", found)
        elif kind == "parallel":
            ends = [shapes(b, x, f"{p}.branches.{i}", found) for i, b in enumerate(v["branches"])]
            c = sum(e[-1] for e in ends) if v.get("join", "concat") == "concat" else ends[0][-1]
            x = (*ends[0][:-1], c)
        elif kind == "repeat":
            for i in range(v["times"]):
                x = shapes(v["layers"], x, f"{p}.{i}", found)
        elif kind == "select":
            x = x[1:]
        elif kind == "channels":
            x = (*x[:-1], o["count"])
        elif kind == "shared":
            x = flows[o.get("layer", v)]
        elif kind == "join":
            names = o.get("with", v)
            ends = [x] + [flows[n] for n in ([names] if isinstance(names, str) else names)]
            x = (*x[:-1], sum(e[-1] for e in ends)) if o.get("by", "concat") == "concat" else x
        if "name" in o:
            flows[o["name"]] = x
    return x


def window(x, k, o, channels):
    s, d, pad = o.get("stride", 1), o.get("dilation", 1), o.get("padding", "valid")
    s, d = ((e, e) if isinstance(e, int) else tuple(e) for e in (s, d))
    if pad == "same":
        return (-(-x[0] // s[0]), -(-x[1] // s[1]), channels)
    p = (0, 0) if pad == "valid" else (pad, pad) if isinstance(pad, int) else tuple(pad)
    return tuple((x[i] + 2 * p[i] - d[i] * (k[i] - 1) - 1) // s[i] + 1 for i in (0, 1)) + (channels,)


def tensors(found):
    result = {}
    for index, name in enumerate(sorted(found)):
        shape = found[name]
        count = 1
        for e in shape:
            count *= e
        value = wave(count, 1.3 * index + 0.1)
        is_norm = name.rsplit(".", 1)[0] + ".running_mean" in found or name.endswith("running_var")
        layer_norm = len(shape) == 1 and name.endswith(".weight")
        if name.endswith("running_var") or (name.endswith(".weight") and (is_norm or layer_norm)):
            value = 1 + value / 1.5
        result[name] = value.reshape(shape)
    return result


def copies(tensors):
    """leaves of their own, because a run wants gradients of them"""
    return {k: v.detach().clone() for k, v in tensors.items()}


def digest(t):
    t = t.flatten().double()
    k = torch.cos(torch.arange(len(t), dtype=torch.float64))
    return [t.sum().item(), (t * t).sum().item(), (t * k).sum().item()]


def case(path, training):
    config = yaml.safe_load(path.read_text())
    found = {}
    parts = input_parts(config)
    flows.update({name: tuple(shape) for name, shape in parts.items()})
    first_shape = next(iter(parts.values()))
    shape = first_shape if len(parts) == 1 else [sum(math.prod(s) for s in parts.values())]
    output = shapes(config["model"]["layers"], tuple(first_shape), "layers", found)
    weights = tensors(found)
    count = SAMPLES
    for e in shape:
        count *= e
    masking, first = ([None] + config["model"]["layers"])[:2]
    if first == "masking" or isinstance(first, dict) and "masking" in first:
        masking, first = config["model"]["layers"][:2]
    vocabulary = first["embedding"]["vocabulary"] if isinstance(first, dict) and "embedding" in first else None
    inputs = {"input": wave(count, 0.2, 1.5, 0.37).reshape(SAMPLES, *shape)}
    if vocabulary:
        k = torch.arange(count)
        inputs["input"] = (k * k % vocabulary).double().reshape(SAMPLES, *shape)
    if masking:
        for n in range(SAMPLES):
            inputs["input"][n, (shape[0] + 3 * n) % (shape[0] + 1):] = 0
    windows = 2 if any(isinstance(o, dict) and o.get("carry") for e in config["model"]["layers"]
                       if isinstance(e, dict) for o in e.values()) else 1
    kind, options = loss_options(config["loss"])
    answers = output[0] if len(output) == 2 else 1
    if kind == "softmax_cross_entropy":
        k = torch.arange(SAMPLES * answers)
        inputs["target"] = (7 * k + 3) % output[-1]
        if "ignore" in options:
            inputs["target"][k % 4 == 1] = options["ignore"]
        if answers > 1 and (masking or "ignore" in options):
            inputs["target"] = inputs["target"].reshape(SAMPLES, answers)
    elif kind == "ctc":
        answers = options["labels"]
        n, i = torch.meshgrid(torch.arange(SAMPLES), torch.arange(answers), indexing="ij")
        inputs["target"] = torch.where(i < n % (answers + 1), 1 + (n + i // 2) % (output[-1] - 1), -1)
    elif kind in PAIRWISE:
        output, kind, answers = (PAIRWISE[kind],), "classes", 1
        inputs["target"] = (7 * torch.arange(SAMPLES) + 3) % output[0]
    elif kind == "sigmoid_cross_entropy":
        inputs["target"] = (wave(SAMPLES * answers * output[-1], 0.5) > 0).double().reshape(SAMPLES, -1)
    else:
        inputs["target"] = wave(SAMPLES * output[0], 0.5, 1.0).reshape(SAMPLES, -1)
    if windows == 2:
        left = run(config, copies(weights), copies(inputs), training, torch.float64)
        inputs.update({k: v for k, v in left.items() if k.startswith("carried.")})
        k = torch.arange(count, 2 * count)
        inputs["input"] = (k * k % vocabulary).double().reshape(SAMPLES, *shape)
    result = run(config, copies(weights), copies(inputs), training, torch.float64)
    single = run(config, copies(weights), copies(inputs), training, torch.float32)
    errors = {k: ((single[k].double() - v).norm() / v.norm()).item() for k, v in result.items()}
    return {
        "network": path.stem, "training": training, "samples": SAMPLES, "outputs": output[-1],
        "answers": answers, "vocabulary": vocabulary, "padded": bool(masking), "ignored": options.get("ignore"), "windows": windows,
        "target": kind, "tensors": {k: list(v) for k, v in found.items()},
        "digests": {k: digest(v) for k, v in result.items()},
        "float32": {k: e for k, e in errors.items() if e > 5e-6},
    }


cases = [case(p, t) for p in sorted((HERE / "networks").glob("*.yaml")) for t in (True, False)]
(HERE / "networks.json").write_text(json.dumps(cases, indent=1) + "\n")
print(f"torch {torch.__version__}: {len(cases)} cases")
