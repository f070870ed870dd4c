#!/usr/bin/env python3
"""The same network in PyTorch: an independent truth for `ddp-train probe`.

    python pytorch_twin.py CONFIG.yaml --weights w.safetensors --inputs b.safetensors \
        [--evaluate] [--scalar float32] [--probe p.safetensors] [--output twin.safetensors]

Builds the model of CONFIG with torch.nn.functional from the tensors of w.safetensors, runs one forward
and backward pass on b.safetensors (`input`, `target`, and with `carry: true` the states before the window, `carried.*`), and, with --probe, prints the worst relative
difference (norm of the difference over norm of the truth) of every tensor that `ddp-train probe` wrote.
Needs torch, safetensors, pyyaml, numpy.
"""
import argparse
import math

import torch
import torch.nn.functional as F
import yaml


def option(value, main):
    """a layer's value as a mapping: `max_pool: 2` is `max_pool: {size: 2}`"""
    if value is None:
        return {}
    return dict(value) if isinstance(value, dict) else {main: value}


def pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)


def same_pads(extent, kernel, stride, dilation):
    out = -(-extent // stride)
    total = max(0, (out - 1) * stride + dilation * (kernel - 1) + 1 - extent)
    return total // 2, total - total // 2


def pads(o, x, kernel, stride, dilation=(1, 1)):
    """(top, bottom, left, right) of an NCHW tensor"""
    padding = o.get("padding", "valid")
    if padding == "valid":
        return 0, 0, 0, 0
    if padding == "same":
        t, b = same_pads(x.shape[2], kernel[0], stride[0], dilation[0])
        l, r = same_pads(x.shape[3], kernel[1], stride[1], dilation[1])
        return t, b, l, r
    p = pair(padding)
    return p[0], p[0], p[1], p[1]


class Twin:
    """Images travel as NCHW, everything else as rows. `lengths` are those of padded sequences."""

    def __init__(self, weights, training, carried=None):
        self.w, self.training, self.tables, self.lengths = weights, training, {}, None
        # States that a window starts from, and those that it leaves.
        self.carried, self.left = carried or {}, {}
        # Outputs of layers with names, and what makes them.
        self.flows, self.layers = {}, {}
        # Lengths of the outputs that have any.
        self.ends = {}

    def masking(self, x, v, p):
        value = option(v, "value").get("value", 0)
        counts = (x != value) if x.dim() == 2 else (x != value).any(2)
        self.lengths = (counts * torch.arange(1, x.shape[1] + 1)).amax(1)
        return x

    def counted(self, x):
        """1 for steps below the length, else 0; [N, T, 1]"""
        return (torch.arange(x.shape[1]) < self.lengths[:, None]).to(x.dtype)[:, :, None]

    def end(self, y):
        """of what has no steps any more"""
        self.lengths = None
        return y

    def chain(self, x, layers, path):
        for index, layer in enumerate(layers):
            kind, value = (layer, None) if isinstance(layer, str) else next(iter(layer.items()))
            o = value if isinstance(value, dict) else {}
            name = o.get("name", index)
            apply = getattr(self, kind)
            if "from" in o:
                x, self.lengths = self.flows[o["from"]], self.ends.get(o["from"])
            x = apply(x, value, f"{path}.{name}")
            if "name" in o:
                self.flows[name], self.ends[name] = x, self.lengths
                self.layers[name] = lambda y, apply=apply, value=value, p=f"{path}.{name}": apply(y, value, p)
        return x

    def join(self, x, v, p):
        o = v if isinstance(v, dict) else {"with": v}
        names = o["with"] if isinstance(o["with"], list) else [o["with"]]
        return self.joined([x] + [self.flows[n] for n in names], o.get("by", "concat"))

    def joined(self, ends, how):
        if how == "concat":
            return torch.cat(ends, 1 if ends[0].dim() == 4 else -1)
        y = ends[0]
        for e in ends[1:]:
            y = y + e if how == "add" else y * e
        return y

    def shared(self, x, v, p):
        flows = dict(self.flows)
        y = self.layers[option(v, "layer")["layer"]](x)
        self.flows = flows
        return y

    def stop_gradient(self, x, v, p):
        return x.detach()

    def select(self, x, v, p):
        return x[:, option(v, "index")["index"]]

    def channels(self, x, v, p):
        first = v.get("first", 0)
        return x.narrow(1 if x.dim() == 4 else -1, first, v["count"])

    def gaussian_sample(self, x, v, p):
        assert not self.training, "gaussian_sample draws its own numbers: compare with --evaluate"
        return x.chunk(2, -1)[0]

    def dense(self, x, v, p):
        o = option(v, "units")
        return F.linear(x, self.w[p + ".weight"], self.w.get(p + ".bias"))

    def conv2d(self, x, v, p):
        o = option(v, "filters")
        k, s, d = pair(o["kernel"]), pair(o.get("stride", 1)), pair(o.get("dilation", 1))
        t, b, l, r = pads(o, x, k, s, d)
        groups = o.get("groups", 1)
        groups = x.shape[1] if groups == "depthwise" else groups
        return F.conv2d(F.pad(x, (l, r, t, b)), self.w[p + ".weight"], self.w.get(p + ".bias"), s, 0, d, groups)

    def max_pool(self, x, v, p):
        o = option(v, "size")
        k = pair(o["size"])
        s = pair(o.get("stride", k))
        t, b, l, r = pads(o, x, k, s)
        return F.max_pool2d(F.pad(x, (l, r, t, b), value=-math.inf), k, s)

    def average_pool(self, x, v, p):
        o = option(v, "size")
        k = pair(o["size"])
        s = pair(o.get("stride", k))
        t, b, l, r = pads(o, x, k, s)
        y = F.avg_pool2d(F.pad(x, (l, r, t, b)), k, s)
        if o.get("count_padding", True):
            return y
        seen = F.avg_pool2d(F.pad(torch.ones_like(x), (l, r, t, b)), k, s)
        return y / seen

    def global_average_pool(self, x, v, p):
        if self.lengths is not None:
            return self.end((x * self.counted(x)).sum(1) / self.lengths.clamp(min=1)[:, None])
        return x.mean((2, 3)) if x.dim() == 4 else x.mean(1)

    def batch_norm(self, x, v, p):
        o = option(v, "momentum")
        mean, var = self.w[p + ".running_mean"].clone(), self.w[p + ".running_var"].clone()
        return F.batch_norm(x, mean, var, self.w[p + ".weight"], self.w[p + ".bias"], self.training,
                            o.get("momentum", 0.1), float(o.get("epsilon", 1e-5)))

    def layer_norm(self, x, v, p):
        o = option(v, "epsilon")
        image = x.dim() == 4
        y = x.permute(0, 2, 3, 1) if image else x
        y = F.layer_norm(y, y.shape[-1:], self.w[p + ".weight"], self.w[p + ".bias"], float(o.get("epsilon", 1e-5)))
        return y.permute(0, 3, 1, 2) if image else y

    def dropout(self, x, v, p):
        rate = option(v, "rate").get("rate", 0.5)
        assert not self.training or rate == 0, "dropout draws its own masks: compare with --evaluate"
        return x

    def flatten(self, x, v, p):
        if x.dim() == 4 and option(v, "order").get("order") == "channels_last":
            x = x.permute(0, 2, 3, 1)
        return x.flatten(1)

    def reshape(self, x, v, p):
        shape = v["shape"] if isinstance(v, dict) else v
        if x.dim() == 4:
            x = x.permute(0, 2, 3, 1)
        x = x.reshape(len(x), *shape)
        return x.permute(0, 3, 1, 2) if x.dim() == 4 else x

    def embedding(self, x, v, p):
        self.tables[v.get("name", p)] = self.w[p + ".weight"]
        return F.embedding(x.long(), self.w[p + ".weight"])

    def tied_dense(self, x, v, p):
        return F.linear(x, self.tables[option(v, "embedding")["embedding"]])

    def positions(self, x, v, p):
        if option(v, "kind").get("kind", "learned") == "learned":
            return x + self.w[p + ".weight"]
        t, i = torch.meshgrid(torch.arange(x.shape[1]).double(), torch.arange(x.shape[2]).double(), indexing="ij")
        angle = t / 10_000 ** (i // 2 * 2 / x.shape[2])
        return x + torch.where(i % 2 == 0, angle.sin(), angle.cos()).to(x.dtype)

    def recurrent(self, module, x, o, p):
        net = module(x.shape[2], o["units"], o.get("layers", 1), bias=o.get("bias", True), batch_first=True,
                     bidirectional=o.get("bidirectional", False)).to(x.dtype)
        weights = {k: self.w[f"{p}.{k}"] for k, _ in net.named_parameters()}
        if o.get("carry"):
            y, h = torch.func.functional_call(net, weights, (x, self.recall(x, o, p, module is torch.nn.LSTM)))
            self.keep(p, h if isinstance(h, tuple) else (h,))
        elif self.lengths is None:
            y, h = torch.func.functional_call(net, weights, (x,))
        else:
            packed = torch.nn.utils.rnn.pack_padded_sequence(
                x, self.lengths.clamp(min=1), batch_first=True, enforce_sorted=False)
            y, h = torch.func.functional_call(net, weights, (packed,))
            y, _ = torch.nn.utils.rnn.pad_packed_sequence(y, batch_first=True, total_length=x.shape[1])
            y = y * self.counted(y)
        if o.get("return", "sequence") == "sequence":
            return y
        h = h[0] if isinstance(h, tuple) else h
        h = torch.cat(list(h[-2:] if o.get("bidirectional") else h[-1:]), 1)
        return h if self.lengths is None else self.end(h * (self.lengths > 0)[:, None])

    def recall(self, x, o, p, has_cells):
        """what the window before left, [layers, N, H], through which no gradient goes"""
        zeros = x.new_zeros(len(x), o["units"])
        states = [torch.stack([self.carried.get(f"{p}.{letter}_l{i}", zeros) for i in range(o.get("layers", 1))])
                  for letter in ("hc" if has_cells else "h")]
        return tuple(states) if has_cells else states[0]

    def keep(self, p, states):
        for letter, state in zip("hc", states):
            self.left.update({f"{p}.{letter}_l{i}": s.detach() for i, s in enumerate(state)})

    def lstm(self, x, v, p):
        return self.recurrent(torch.nn.LSTM, x, option(v, "units"), p)

    def rnn(self, x, v, p):
        o = option(v, "units")
        kind = o.get("activation", "tanh")
        return self.recurrent(lambda *a, **k: torch.nn.RNN(*a, nonlinearity=kind, **k), x, o, p)

    def gru(self, x, v, p):
        o = option(v, "units")
        if o.get("reset", "after") == "after":
            return self.recurrent(torch.nn.GRU, x, o, p)
        assert self.lengths is None, "PyTorch packs no sequences for reset: before"
        wi, wh, bi, bh = (self.w[f"{p}.{n}_l0"] for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
        (whr, whz, whn), (bhr, bhz, bhn) = wh.chunk(3), bh.chunk(3)
        h, out = self.recall(x, o, p, False)[0], []
        for t in range(x.shape[1]):
            ir, iz, i = F.linear(x[:, t], wi, bi).chunk(3, 1)
            r, z = torch.sigmoid(ir + F.linear(h, whr, bhr)), torch.sigmoid(iz + F.linear(h, whz, bhz))
            n = torch.tanh(i + F.linear(r * h, whn, bhn))
            h = (1 - z) * n + z * h
            out.append(h)
        if o.get("carry"):
            self.keep(p, (h[None],))
        return torch.stack(out, 1)

    def attention(self, x, v, p):
        o = option(v, "heads")
        n, t, c = x.shape
        heads = o["heads"]
        if "memory" in o:
            return self.cross_attention(x, o, p)
        x = F.linear(x, self.w[p + ".in_proj_weight"], self.w.get(p + ".in_proj_bias"))
        q, k, v = x.view(n, t, 3, heads, c // heads).permute(2, 0, 3, 1, 4).unbind(0)
        if o.get("rotary_base"):
            half = c // heads // 2
            angle = torch.arange(t).double()[:, None] / o["rotary_base"] ** (torch.arange(half).double() / half)
            cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
            q, k = (torch.cat([e[..., :half] * cos - e[..., half:] * sin,
                               e[..., :half] * sin + e[..., half:] * cos], -1) for e in (q, k))
        if self.lengths is None:
            y = F.scaled_dot_product_attention(q, k, v, is_causal=o.get("causal", False))
            y = y.transpose(1, 2).reshape(n, t, c)
        else:
            # Each step sees itself, so that no row is empty; rows of padding are taken out afterwards.
            sees = (torch.arange(t) < self.lengths[:, None])[:, None, None, :].expand(n, 1, t, t)
            if o.get("causal", False):
                sees = sees & torch.ones(t, t, dtype=torch.bool).tril()
            y = F.scaled_dot_product_attention(q, k, v, attn_mask=sees | torch.eye(t, dtype=torch.bool))
            y = y.transpose(1, 2).reshape(n, t, c) * self.counted(x)
        return F.linear(y, self.w[p + ".out_proj.weight"], self.w.get(p + ".out_proj.bias"))

    def cross_attention(self, x, o, p):
        memory, lengths = self.flows[o["memory"]], self.ends.get(o["memory"])
        bias = o.get("bias", True)
        net = torch.nn.MultiheadAttention(
            x.shape[2], o["heads"], bias=bias, kdim=memory.shape[2], vdim=memory.shape[2], batch_first=True).to(x.dtype)
        q, (k, v) = self.w[p + ".q_proj_weight"], self.w[p + ".kv_proj_weight"].chunk(2)
        weights = {"out_proj.weight": self.w[p + ".out_proj.weight"]}
        if memory.shape[2] == x.shape[2]:
            weights["in_proj_weight"] = torch.cat([q, k, v])
        else:
            weights.update({"q_proj_weight": q, "k_proj_weight": k, "v_proj_weight": v})
        nothing = x.new_zeros(())
        if bias:
            weights["in_proj_bias"] = torch.cat([self.w[p + ".q_proj_bias"], self.w[p + ".kv_proj_bias"]])
            nothing = weights["out_proj.bias"] = self.w[p + ".out_proj.bias"]
        hidden = None
        if lengths is not None:
            # An empty memory is looked at all the same, so that no row is empty; its answers are taken out afterwards.
            hidden = torch.arange(memory.shape[1]) >= torch.where(lengths > 0, lengths, memory.shape[1])[:, None]
        y, _ = torch.func.functional_call(
            net, weights, (x, memory, memory), {"key_padding_mask": hidden, "need_weights": False})
        if lengths is not None:
            y = torch.where((lengths > 0)[:, None, None], y, nothing)
        return y if self.lengths is None else torch.where(self.counted(y) > 0, y, nothing)

    def rms_norm(self, x, v, p):
        return F.rms_norm(x, x.shape[-1:], self.w[p + ".weight"], float(option(v, "epsilon").get("epsilon", 1e-5)))

    def class_token(self, x, v, p):
        self.lengths = None if self.lengths is None else self.lengths + 1
        return torch.cat([self.w[p + ".weight"].expand(len(x), 1, -1), x], 1)

    def first_step(self, x, v, p):
        return self.end(x[:, 0])

    def last_step(self, x, v, p):
        if self.lengths is None:
            return x[:, -1]
        last = x[torch.arange(len(x)), (self.lengths - 1).clamp(min=0)]
        return self.end(last * (self.lengths > 0)[:, None])

    def conv1d(self, x, v, p):
        k, s, d = v["kernel"], v.get("stride", 1), v.get("dilation", 1)
        padding = v.get("padding", "valid")
        if padding == "same":
            pad = same_pads(x.shape[1], k, s, d)
        else:
            pad = {"valid": (0, 0), "causal": (d * (k - 1), 0)}.get(padding) or (padding, padding)
        x = x if self.lengths is None else x * self.counted(x)
        y = F.pad(x.transpose(1, 2), pad)
        y = F.conv1d(y, self.w[p + ".weight"], self.w.get(p + ".bias"), s, 0, d, v.get("groups", 1))
        return y.transpose(1, 2)

    def identity(self, x, v, p):
        return x

    def sigmoid(self, x, v, p):
        return torch.sigmoid(x)

    def tanh(self, x, v, p):
        return torch.tanh(x)

    def relu(self, x, v, p):
        return F.relu(x)

    def leaky_relu(self, x, v, p):
        return F.leaky_relu(x, option(v, "slope").get("slope", 0.01))

    def elu(self, x, v, p):
        return F.elu(x, option(v, "alpha").get("alpha", 1.0))

    def gelu(self, x, v, p):
        return F.gelu(x, approximate=option(v, "approximate").get("approximate", "none"))

    def silu(self, x, v, p):
        return F.silu(x)

    def relu6(self, x, v, p):
        return F.relu6(x)

    def hard_sigmoid(self, x, v, p):
        # F.hardsigmoid and F.hardswish multiply by 1/6 in float32, also in float64: off by 3e-8
        return F.relu6(x + 3) / 6

    def hard_swish(self, x, v, p):
        return x * F.relu6(x + 3) / 6

    def softplus(self, x, v, p):
        return F.softplus(x)

    def prelu(self, x, v, p):
        return F.prelu(x, self.w[p + ".weight"])

    def squeeze_excitation(self, x, v, p):
        o = option(v, "reduction")
        s = F.conv2d(x.mean((2, 3), keepdim=True), self.w[p + ".fc1.weight"], self.w[p + ".fc1.bias"])
        s = getattr(self, o.get("activation", "relu"))(s, None, p)
        s = F.conv2d(s, self.w[p + ".fc2.weight"], self.w[p + ".fc2.bias"])
        return x * getattr(self, o.get("gate", "sigmoid"))(s, None, p)

    def group_norm(self, x, v, p):
        o = option(v, "groups")
        return F.group_norm(x, o["groups"], self.w[p + ".weight"], self.w[p + ".bias"], float(o.get("epsilon", 1e-5)))

    def instance_norm(self, x, v, p):
        o = option(v, "epsilon")
        return F.instance_norm(x, weight=self.w.get(p + ".weight"), bias=self.w.get(p + ".bias"),
                               eps=float(o.get("epsilon", 1e-5)))

    def local_response_norm(self, x, v, p):
        o = option(v, "size")
        return F.local_response_norm(x, o["size"], o.get("alpha", 1e-4), o.get("beta", 0.75), o.get("k", 1.0))

    def conv_transpose2d(self, x, v, p):
        assert v.get("padding", 0) not in ("same",), "PyTorch has no padding: same here"
        padding = v.get("padding", 0)
        return F.conv_transpose2d(
            x, self.w[p + ".weight"], self.w.get(p + ".bias"), pair(v.get("stride", 1)),
            0 if padding == "valid" else pair(padding), pair(v.get("output_padding", 0)), v.get("groups", 1),
            pair(v.get("dilation", 1)))

    def upsample(self, x, v, p):
        o = option(v, "factor")
        mode = o.get("mode", "nearest")
        corners = {} if mode == "nearest" else {"align_corners": False}
        return F.interpolate(x, scale_factor=pair(o["factor"]), mode=mode, **corners)

    def adaptive_average_pool(self, x, v, p):
        return F.adaptive_avg_pool2d(x, pair(v["size"] if isinstance(v, dict) else v))

    def sequence(self, x, v, p):
        return self.chain(x, v["layers"] if isinstance(v, dict) else v, p)

    def stochastic_depth(self, x, v, p):
        return self.dropout(x, v, p)

    def spatial_dropout(self, x, v, p):
        return self.dropout(x, v, p)

    def softmax(self, x, v, p):
        return torch.softmax(x, 1 if x.dim() == 4 else -1)

    def residual(self, x, v, p):
        return self.chain(x, v["main"], p + ".main") + self.chain(x, v.get("shortcut") or [], p + ".shortcut")

    def parallel(self, x, v, p):
        ends = [self.chain(x, layers or [], f"{p}.branches.{i}") for i, layers in enumerate(v["branches"])]
        return self.joined(ends, v.get("join", "concat"))

    def repeat(self, x, v, p):
        for i in range(v["times"]):
            x = self.chain(x, v["layers"], f"{p}.{i}")
        return x


def rows(x):
    """channels last, positions as rows: [N, P, C]"""
    x = x.permute(0, 2, 3, 1) if x.dim() == 4 else x
    return x.flatten(1, -2) if x.dim() > 2 else x[:, None]


def auxiliary(o, flows, target):
    """one of auxiliary_losses"""
    z = flows[o["of"]]
    if "target" in o:
        target = flows[o["target"]].detach()
    kind = o["loss"] if isinstance(o["loss"], str) else None
    if kind == "kl_divergence":
        mean, log_variance = rows(z).chunk(2, -1)
        loss = ((mean**2 + log_variance.exp() - log_variance - 1) / 2).sum((1, 2)).mean()
    elif kind == "cosine":
        loss = (1 - F.cosine_similarity(rows(z), rows(target), -1)).mean()
    elif kind == "gram":
        a, b = rows(z), rows(target)
        n = a.shape[1] * a.shape[2]
        loss = ((a.mT @ a - b.mT @ b) ** 2).sum((1, 2)).mean() / (4 * n**2)
    else:
        loss = loss_of(o["loss"], z, target)
    return o.get("weight", 1.0) * loss


def pairwise(kind, o, z, target):
    distance = lambda a, b: ((a - b) ** 2).sum(-1)
    if kind == "triplet":
        a, p, n = z.unbind(1)
        return F.relu(distance(a, p) - distance(a, n) + o.get("margin", 0.2)).mean()
    if kind == "hard_triplet":
        d = distance(z[:, None], z[None])
        same = target[:, None] == target[None]
        others = ~torch.eye(len(z), dtype=torch.bool)
        far = torch.where(same & others, d, -math.inf).amax(1)
        near = torch.where(same, math.inf, d).amin(1)
        return F.relu(far - near + o.get("margin", 0.2)).mean()
    if kind == "contrastive":
        a, b = z.unbind(1)
        y = target.to(z.dtype)
        apart = F.relu(o.get("margin", 1.0) - distance(a, b).sqrt())
        return ((y * distance(a, b) + (1 - y) * apart**2) / 2).mean()
    a, b = F.normalize(z, dim=-1).unbind(1)
    return F.cross_entropy(a @ b.T / o.get("temperature", 0.1), torch.arange(len(z)))


def loss_options(v):
    """name and options"""
    if isinstance(v, str):
        return v, {}
    if "kind" in v:
        return v["kind"], v
    kind, o = next(iter(v.items()))
    return kind, o if isinstance(o, dict) else {"labels" if kind == "ctc" else "delta": o}


def mean_of_steps(losses, counts):
    """the mean over the samples of the means over their steps that count; [N, T] each"""
    return ((losses * counts).sum(1) / counts.sum(1).clamp(min=1)).mean()


def padded_loss(kind, o, z, target, lengths):
    n, t, c = z.shape
    lengths = torch.full((n,), t) if lengths is None else lengths
    if kind == "ctc":
        labels = (target >= 0).sum(1)
        losses = F.ctc_loss(
            z.log_softmax(2).transpose(0, 1), target.clamp(min=0).long(), lengths.clamp(min=1), labels,
            reduction="none", zero_infinity=True)
        return (losses * (lengths > 0)).mean()
    counts = torch.arange(t) < lengths[:, None]
    if kind == "softmax_cross_entropy":
        ignored = o.get("ignore", -100)
        counts = counts & (target != ignored)
        losses = F.cross_entropy(
            z.transpose(1, 2), target.long(), ignore_index=ignored, label_smoothing=o.get("label_smoothing", 0.0),
            reduction="none")
        assert not o.get("class_weights"), "not compared"
    else:
        assert kind == "sigmoid_cross_entropy", kind
        weights = torch.tensor(o["class_weights"], dtype=z.dtype) if o.get("class_weights") else None
        losses = F.binary_cross_entropy_with_logits(
            z, target.to(z.dtype).reshape(z.shape), pos_weight=weights, reduction="none").mean(2)
    return mean_of_steps(losses, counts.to(z.dtype))


def loss_of(v, z, target, lengths=None):
    kind, o = loss_options(v)
    if lengths is not None or "ignore" in o or kind == "ctc":
        return padded_loss(kind, o, z, target, lengths)
    if kind == "softmax_cross_entropy":
        if z.dim() == 3:
            z, target = z.flatten(0, 1), target.flatten()
        t = target.long() if target.dim() == 1 else target.to(z.dtype)
        losses = F.cross_entropy(z, t, label_smoothing=o.get("label_smoothing", 0.0), reduction="none")
        if o.get("class_weights"):
            losses = losses * torch.tensor(o["class_weights"], dtype=z.dtype)[t]
        return losses.mean()
    if kind in ("triplet", "hard_triplet", "contrastive", "info_nce"):
        return pairwise(kind, o, z, target)
    t = target.to(z.dtype).reshape(z.shape)
    if kind == "sigmoid_cross_entropy":
        weights = o.get("class_weights")
        weights = torch.tensor(weights, dtype=z.dtype) if weights else None
        return F.binary_cross_entropy_with_logits(z, t, pos_weight=weights)
    if kind == "mean_squared":
        return F.mse_loss(z, t)
    if kind == "mean_absolute":
        return F.l1_loss(z, t)
    if kind == "huber":
        return F.huber_loss(z, t, delta=o.get("delta", 1.0))
    raise ValueError(kind)


def input_parts(config):
    """shapes of the model's inputs by name"""
    shape = config["model"]["input"]
    if isinstance(shape, dict):
        return {name: s if isinstance(s, list) else [s] for name, s in shape.items()}
    return {"input": shape}


def run(config, weights, inputs, training, dtype):
    """the tensors that `ddp-train probe` writes"""
    weights = {k: v.to(dtype) for k, v in weights.items()}
    trained = {k: v.requires_grad_() for k, v in weights.items() if not k.split(".")[-1].startswith("running_")}
    parts = input_parts(config)
    first = next(iter(parts.values()))
    has_tokens = len(first) == 1 and any(
        isinstance(e, dict) and "embedding" in e for e in config["model"]["layers"][:2])
    x = inputs["input"].to(dtype).requires_grad_(not has_tokens)
    carried = {k.removeprefix("carried."): v.to(dtype) for k, v in inputs.items() if k.startswith("carried.")}
    twin = Twin(weights, training, carried)
    columns = x.flatten(1).split([math.prod(s) for s in parts.values()], 1)
    for (name, shape), part in zip(parts.items(), columns):
        y = part.reshape(len(x), *shape)
        twin.flows[name] = y.permute(0, 3, 1, 2) if len(shape) == 3 else y
    y = twin.flows[next(iter(parts))]
    y = twin.chain(y, config["model"]["layers"], "layers")
    y = y.permute(0, 2, 3, 1).flatten(1) if y.dim() == 4 else y
    loss = loss_of(config["loss"], y, inputs["target"], twin.lengths)
    for term in config.get("auxiliary_losses", []):
        loss = loss + auxiliary(term, twin.flows, inputs["target"])
    loss.backward()
    result = {"output": y.detach(), "loss": loss.detach().reshape(1)}
    if not has_tokens:
        result["gradient.input"] = x.grad
    result.update({f"gradient.{k}": v.grad for k, v in trained.items()})
    result.update({f"carried.{k}": v for k, v in twin.left.items()})
    return {k: v.contiguous() for k, v in result.items()}


def main():
    from safetensors.torch import load_file, save_file
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("config")
    ap.add_argument("--weights", required=True)
    ap.add_argument("--inputs", required=True)
    ap.add_argument("--evaluate", action="store_true")
    ap.add_argument("--scalar", default="float64", choices=["float32", "float64"])
    ap.add_argument("--probe")
    ap.add_argument("--output")
    a = ap.parse_args()
    with open(a.config) as f:
        config = yaml.safe_load(f)
    truth = run(config, load_file(a.weights), load_file(a.inputs), not a.evaluate, getattr(torch, a.scalar))
    if a.output:
        save_file(truth, a.output)
    if a.probe:
        ours = load_file(a.probe)
        worst = 0.0
        for name, t in truth.items():
            d = (ours[name].to(t.dtype).reshape(t.shape) - t).norm() / max(t.norm().item(), 1e-30)
            worst = max(worst, d.item())
            print(f"{d.item():10.2e}  {name}")
        print(f"{worst:10.2e}  worst of {len(truth)} tensors")


if __name__ == "__main__":
    main()
