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
parser.add_argument("network", choices=["logreg", "mlp", "lenet", "cnn"])
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

# By network: batch per rank, optimizer.
SETTINGS = {
    "logreg": (128, lambda p: torch.optim.SGD(p, lr=0.1, fused=True)),
    "mlp": (128, lambda p: torch.optim.Adam(p, lr=0.001, fused=True)),
    "lenet": (64, lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.9, fused=True)),
    "cnn": (64, lambda p: torch.optim.Adam(p, lr=0.001, fused=True)),
}


def convolved(inputs, outputs):
    return [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


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

    def forward(self, images, labels):
        return nn.functional.cross_entropy(self.network(images), labels)


def idx(name, header):
    with gzip.open(os.path.join(options.data, name)) as file:
        return numpy.frombuffer(file.read(), numpy.uint8, offset=header)


def batches(size, has_channels, count=64):
    """Up to `count` batches of this rank's share of the images, ready in memory."""
    labels = idx("train-labels-idx1-ubyte.gz", 8)
    images = idx("train-images-idx3-ubyte.gz", 16).reshape(len(labels), 784)
    mine = slice(rank, rank + ranks * size * count, ranks)
    x = torch.from_numpy(images[mine].astype(numpy.float32))
    x = (x - x.mean()) / x.std()
    y = torch.from_numpy(labels[mine].astype(numpy.int64))
    if has_channels:
        x = x.reshape(-1, 1, 28, 28)
        if options.channels_last:
            x = x.contiguous(memory_format=torch.channels_last)
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
    data = batches(size, has_channels=options.network in ("lenet", "cnn"))

    def run(steps):
        for step in range(steps):
            images, labels = data[step % len(data)]
            loss = module(images, labels)
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
    # Tearing gloo down aborts now and then, when all is said.
    os._exit(0)


main()
