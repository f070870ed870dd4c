"""Trains one of the networks beside this file with PyTorch and prints what it achieved as one line of JSON.

Run by bench_peers.py: alone, by torchrun (DDP over gloo), or by mpirun with --hook (DDP whose sums go
through mpi4py). PyTorch gets what makes it fast: images in memory and normalised before the clock starts, batches
that are slices of them, fused optimizers, gradients as views of DDP's buckets, one static graph, one thread per rank,
ranks pinned.
"""

import argparse
import gzip
import json
import os
import sys
import time

# When the job was launched, on the clock of time.time().
START = float(os.environ.get("PEER_START", time.time()))

parser = argparse.ArgumentParser()
parser.add_argument("network", choices=["logreg", "mlp", "lenet", "cnn", "residual", "pointwise", "depthwise",
                                        "autoencoder", "deconvolution", "lstm", "gpt"])
parser.add_argument("--data", required=True, help="folder of Fashion-MNIST's .gz files")
parser.add_argument("--compile", action="store_true", help="torch.compile of network and loss")
parser.add_argument("--channels-last", action="store_true")
parser.add_argument("--hook", action="store_true", help="sum by MPI_Allreduce through mpi4py")
parser.add_argument("--seconds", type=float, default=1.0, help="of a timed block")
parser.add_argument("--blocks", type=int, default=3, help="timed blocks; their median counts")
options = parser.parse_args()


def launched(*names):
    return next((int(os.environ[name]) for name in names if name in os.environ), None)


rank = launched("RANK", "OMPI_COMM_WORLD_RANK") or 0
ranks = launched("WORLD_SIZE", "OMPI_COMM_WORLD_SIZE") or 1
os.environ.update(RANK=str(rank), WORLD_SIZE=str(ranks), OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
os.environ.setdefault("MASTER_PORT", "29541")
os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
cores = sorted(os.sched_getaffinity(0))
if 1 < ranks <= len(cores):
    os.sched_setaffinity(0, {cores[rank]})

import numpy
import torch
import torch.distributed as distributed
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(1)

def sgd(rate, momentum=0.0):
    return lambda p: torch.optim.SGD(p, lr=rate, momentum=momentum, fused=True)


def adam(rate):
    return lambda p: torch.optim.Adam(p, lr=rate, fused=True)


def adamw(parameters):
    """Weights decay, scales of norms do not."""
    groups = [{"params": [p for p in parameters if p.dim() >= 2], "weight_decay": 0.1},
              {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=0.001, betas=(0.9, 0.95), fused=True)


# By network: batch per rank, optimizer.
SETTINGS = {
    "logreg": (128, sgd(0.1)), "mlp": (128, adam(0.001)), "lenet": (64, sgd(0.02, 0.9)), "cnn": (64, adam(0.001)),
    "residual": (64, sgd(0.1, 0.9)), "pointwise": (64, adam(0.001)), "depthwise": (64, adam(0.001)),
    "autoencoder": (128, adam(0.001)), "deconvolution": (64, adam(0.001)),
    "lstm": (32, adam(0.002)), "gpt": (16, adamw),
}
# By network of characters: length of a window.
WINDOWS = {"lstm": 64, "gpt": 128}
CHARACTERS = 65


def convolved(inputs, outputs, kernel=3, stride=1, groups=1, bias=True):
    return [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=bias),
            nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


class Residual(nn.Module):
    """relu(main(x) + shortcut(x)): two 3x3 convolutions with batch norm; the first one may stride."""

    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        second = convolved(outputs, outputs, bias=False)[:-1]
        self.main = nn.Sequential(*convolved(inputs, outputs, 3, stride, bias=False), *second)
        self.shortcut = nn.Sequential(*(
            convolved(inputs, outputs, 1, stride, bias=False)[:-1] if stride > 1 else []))

    def forward(self, x):
        return nn.functional.relu(self.main(x) + self.shortcut(x))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(CHARACTERS, 128)
        self.lstm = nn.LSTM(128, 256, 2, batch_first=True)
        self.head = nn.Linear(256, CHARACTERS)

    def forward(self, tokens):
        return self.head(self.lstm(self.embedding(tokens))[0])


class Block(nn.Module):
    """A pre-norm Transformer block without biases; attention by PyTorch's fused kernel."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.queries_keys_values = nn.Linear(width, 3 * width, bias=False)
        self.output = nn.Linear(width, width, bias=False)
        self.up, self.down = nn.Linear(width, 4 * width, bias=False), nn.Linear(4 * width, width, bias=False)

    def forward(self, x):
        samples, length, width = x.shape
        split = self.queries_keys_values(self.norms[0](x)).view(samples, length, 3, self.heads, width // self.heads)
        heads = nn.functional.scaled_dot_product_attention(*split.permute(2, 0, 3, 1, 4), is_causal=True)
        x = x + self.output(heads.transpose(1, 2).reshape(samples, length, width))
        return x + self.down(nn.functional.gelu(self.up(self.norms[1](x))))


class Transformer(nn.Module):
    def __init__(self, length, width=128, heads=4, blocks=4):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(CHARACTERS, width), nn.Embedding(length, width)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(blocks)), nn.LayerNorm(width))
        nn.init.normal_(self.tokens.weight, std=0.02)

    def forward(self, tokens):
        x = self.blocks(self.tokens(tokens) + self.positions.weight)
        return nn.functional.linear(x, self.tokens.weight)


def layers(network):
    if network == "logreg":
        return [nn.Linear(784, 10)]
    if network == "mlp":
        return [nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 10)]
    if network == "lenet":
        return [
            nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.AvgPool2d(2),
            nn.Conv2d(6, 16, 5), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(),
            nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
        ]
    if network == "residual":
        return [
            *convolved(1, 16, bias=False), Residual(16, 16), Residual(16, 32, 2), Residual(32, 64, 2),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10),
        ]
    if network == "pointwise":
        deep = [layer for _ in range(6) for layer in convolved(128, 128, 1)]
        return [*convolved(1, 128, 3, 2), *deep, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10)]
    if network == "depthwise":
        pairs = [(32, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2)]
        separable = [layer for inputs, outputs, stride in pairs for layer in (
            *convolved(inputs, inputs, 3, stride, inputs, False), *convolved(inputs, outputs, 1, bias=False))]
        return [*convolved(1, 32, bias=False), *separable, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, 10)]
    if network == "autoencoder":
        widths = [784, 512, 256, 64, 256, 512, 784]
        dense = [layer for sides in zip(widths, widths[1:]) for layer in (nn.Linear(*sides), nn.ReLU())]
        return dense[:-1]
    if network == "deconvolution":
        return [
            nn.Conv2d(1, 32, 3, 2, 1), nn.ReLU(), nn.Conv2d(32, 64, 3, 2, 1), nn.ReLU(),
            nn.ConvTranspose2d(64, 32, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(32, 1, 4, 2, 1),
        ]
    if network == "lstm":
        return [Recurrent()]
    if network == "gpt":
        return [Transformer(WINDOWS["gpt"])]
    return [
        *convolved(1, 32), *convolved(32, 32), nn.MaxPool2d(2),
        *convolved(32, 64), *convolved(64, 64), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(3136, 128), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Linear(128, 10),
    ]


class Loss(nn.Module):
    """Network and loss as one module, so that compiler and DDP see both."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, inputs, targets):
        outputs = self.network(inputs)
        if targets is inputs:
            return nn.functional.mse_loss(outputs, inputs)
        return nn.functional.cross_entropy(outputs.flatten(0, -2), targets.flatten())


def idx(name, header):
    with gzip.open(os.path.join(options.data, name)) as file:
        return numpy.frombuffer(file.read(), numpy.uint8, offset=header)


def windows(size, length, count):
    """Random characters and, as targets, the ones behind them."""
    generator = torch.Generator().manual_seed(100 + rank)
    text = torch.randint(CHARACTERS, (count, size, length + 1), generator=generator)
    return [(batch[:, :-1].contiguous(), batch[:, 1:].contiguous()) for batch in text]


def batches(size, network, count=64):
    """Up to `count` batches of this rank's share of the data, ready in memory."""
    if network in WINDOWS:
        return windows(size, WINDOWS[network], count)
    labels = idx("train-labels-idx1-ubyte.gz", 8)
    images = idx("train-images-idx3-ubyte.gz", 16).reshape(len(labels), 784)
    mine = slice(rank, rank + ranks * size * count, ranks)
    x = torch.from_numpy(images[mine].astype(numpy.float32))
    x = (x - x.mean()) / x.std()
    y = torch.from_numpy(labels[mine].astype(numpy.int64))
    if network not in ("logreg", "mlp", "autoencoder"):
        x = x.reshape(-1, 1, 28, 28)
        if options.channels_last:
            x = x.contiguous(memory_format=torch.channels_last)
    if network in ("autoencoder", "deconvolution"):
        return [(batch, batch) for batch in x.split(size)]
    return list(zip(x.split(size), y.split(size)))


def parallel(module):
    """DDP; statistics of batch norm stay with their rank, which is the fastest choice."""
    module = nn.parallel.DistributedDataParallel(
        # A compiled module is cut at the buckets, which a static graph does not allow.
        module, gradient_as_bucket_view=True, static_graph=not options.compile, **quiet_buffers())
    if options.hook:
        from mpi4py import MPI

        def sum_by_mpi(world, bucket):
            buffer = bucket.buffer()
            world.Allreduce(MPI.IN_PLACE, buffer.numpy())
            done = torch.futures.Future()
            done.set_result(buffer.div_(ranks))
            return done

        module.register_comm_hook(MPI.COMM_WORLD, sum_by_mpi)
    return module


def quiet_buffers():
    """The switch for broadcasts of buffers, which newer releases call by another name."""
    names = nn.parallel.DistributedDataParallel.__init__.__code__.co_varnames
    new = "forward_sync_buffers"
    return {new if new in names else "broadcast_buffers": False}


def agreed(value):
    """The largest of all ranks."""
    if ranks == 1:
        return value
    tensor = torch.tensor([value], dtype=torch.float64)
    distributed.all_reduce(tensor, op=distributed.ReduceOp.MAX)
    return tensor.item()


def main():
    if ranks > 1:
        distributed.init_process_group("gloo", rank=rank, world_size=ranks)
    size, make_optimizer = SETTINGS[options.network]
    network = nn.Sequential(*layers(options.network))
    if options.channels_last:
        network = network.to(memory_format=torch.channels_last)
    module = Loss(network)
    if ranks > 1:
        module = parallel(module)
    optimizer = make_optimizer(list(module.parameters()))
    if options.compile:
        module = torch.compile(module)
    data = batches(size, options.network)

    def run(steps):
        for step in range(steps):
            loss = module(*data[step % len(data)])
            loss.backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        return loss

    def seconds(steps):
        if ranks > 1:
            distributed.barrier()
        start = time.perf_counter()
        run(steps)
        return agreed(time.perf_counter() - start)

    loss = run(1).item()
    started = agreed(time.time() - START)
    seconds(10)
    steps = 10
    while (elapsed := seconds(steps)) < options.seconds / 4:
        steps *= 2
    steps = max(1, int(steps * options.seconds / elapsed))
    times = sorted(seconds(steps) for _ in range(options.blocks))
    if rank == 0:
        rate = size * ranks * steps / times[len(times) // 2]
        print("PEER " + json.dumps({
            "samples_per_second": rate, "start_seconds": started, "first_loss": loss,
            "torch": torch.__version__}), flush=True)
    agreed(0.0)
    sys.stdout.flush()
    if options.hook:
        from mpi4py import MPI
        # mpirun takes a rank that leaves without this for a failure.
        MPI.Finalize()
    # Tearing gloo down aborts now and then, when all is said.
    os._exit(0)


main()
