#!/usr/bin/env python3
"""ddp-train beside PyTorch DDP on the same networks, cores and batches per rank, in one sitting.

Each round runs ours and then every variant of PyTorch, so that all meet the same machine; medians of the rounds count.
Needs Python's standard library; PyTorch lives in a virtual environment that is made at the first run.
"""

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
NETWORKS = {"logreg": 128, "mlp": 128, "lenet": 64, "cnn": 64, "residual": 64, "pointwise": 64, "depthwise": 64,
            "autoencoder": 128, "deconvolution": 64, "lstm": 32, "gpt": 16}  # batch per rank
WITH_CHANNELS = {"lenet", "cnn", "residual", "pointwise", "depthwise", "deconvolution"}
WINDOWS = {"lstm": 64, "gpt": 128}  # characters of a sample
SAMPLES = {name: 6400 if name in WINDOWS else 60000 for name in NETWORKS}
PACKAGES = ["torch", "numpy", "mpi4py", "safetensors"]
JEMALLOC = ["/usr/lib/x86_64-linux-gnu/libjemalloc.so.2", "/usr/lib/aarch64-linux-gnu/libjemalloc.so.2",
            "/usr/lib64/libjemalloc.so.2"]


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--ranks", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0, help="of a timed block; a run has three")
    parser.add_argument("--shards", type=int, help="micro-shards of ours (default: one per rank, as DDP has)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="an override for ours")
    parser.add_argument("--all-variants", action="store_true",
                        help="PyTorch also without channels-last and without jemalloc")
    parser.add_argument("--program", default=str(REPOSITORY / ".build/release/ddp-train"))
    parser.add_argument("--environment", default=os.environ.get("DDP_PEERS"), metavar="FOLDER",
                        help="an existing virtual environment with " + ", ".join(PACKAGES) + " (or DDP_PEERS)")
    parser.add_argument("--data", default="/usr/share/datasets/fashion-mnist")
    parser.add_argument("--json", help="write all figures to this file")
    return parser.parse_args()


def virtual_environment(given):
    """The folder of the environment, made and filled where that has not been done."""
    folder = Path(given) if given else REPOSITORY / ".build/peers"
    python = folder / "bin/python"
    if given and not python.exists():
        sys.exit(f"{folder}: there is no bin/python\n  expected: a virtual environment with {', '.join(PACKAGES)}\n"
                 "  to fix:   leave --environment and DDP_PEERS out, and one is made")
    if not (folder / "complete").exists() and not given:
        print(f"installing {', '.join(PACKAGES)} into {folder}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
        (folder / "complete").touch()
    return folder


def run(command, environment, on_line=lambda line: None):
    """Runs a job; gives its lines and the most memory that one of its processes had, in bytes."""
    with tempfile.TemporaryFile("w+") as errors:
        job = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True, cwd="/")
        lines = []
        for line in job.stdout:
            on_line(line)
            lines.append(line)
        # The largest of the process and all below it that were waited for.
        _, status, usage = os.wait4(job.pid, 0)
        job.returncode = os.waitstatus_to_exitcode(status)
        if job.returncode != 0:
            errors.seek(0)
            sys.exit(f"{' '.join(map(str, command))}\nended with code {job.returncode}\n"
                     + "".join(lines[-5:]) + errors.read()[-3000:])
    return lines, usage.ru_maxrss * 1024


class Ours:
    name = "ours"

    def __init__(self, options):
        self.options = options
        self.step_seconds = {}

    def measure(self, network, ranks):
        """One job; the first of a kind also finds out how many steps take long enough."""
        key = network, ranks
        if key not in self.step_seconds:
            self.step_seconds[key] = NETWORKS[network] * ranks / self.job(network, ranks, 1)["samples_per_second"]
        return self.job(network, ranks, 3 * self.options.seconds / self.step_seconds[key])

    def job(self, network, ranks, steps):
        batch = NETWORKS[network] * ranks
        # The log has twenty lines per epoch; the first covers the start.
        interval = max(1, -(-SAMPLES[network] // batch) // 20)
        steps = interval * max(4, round(steps / interval))
        with tempfile.TemporaryDirectory() as folder:
            command = [self.options.program, HERE / f"networks/{network}.yaml", f"output.folder={folder}/run",
                       f"training.batch={batch}", f"training.shards={self.options.shards or ranks}",
                       f"training.max_steps={steps}", "training.epochs=1000", "--progress", "lines",
                       *random_text(network, folder), *self.options.set]
            if ranks > 1:
                command = [REPOSITORY / "launch/ranks", str(ranks), *command]
            first_step = []
            start = time.monotonic()

            def note(line):
                if "  step 1/" in line and not first_step:
                    first_step.append(time.monotonic() - start)

            _, memory = run(command, dict(os.environ), note)
            log = [json.loads(line) for line in Path(folder, "run/metrics.jsonl").read_text().splitlines()]
        rates = [line["samples_per_second"] for line in log if line["kind"] == "step"]
        return {"samples_per_second": statistics.median(rates[1:]), "start_seconds": first_step[0],
                "peak_bytes": memory}


def random_text(network, folder):
    """The override that names a text of 65 characters in random order, for a network that reads one."""
    if network not in WINDOWS:
        return []
    # 64 windows each for dev and test, as the network's file says.
    length = (SAMPLES[network] + 128) * WINDOWS[network] + 1
    characters = "".join(map(chr, range(48, 48 + 65)))
    path = Path(folder, "random.txt")
    path.write_text("".join(random.Random(1).choices(characters, k=length)))
    return [f"data.train={path}"]


class PyTorch:
    def __init__(self, options, folder, compiled, channels_last, hook, jemalloc):
        self.options, self.folder, self.hook, self.jemalloc = options, folder, hook, jemalloc
        self.flags = ["--compile"] * compiled + ["--channels-last"] * channels_last + ["--hook"] * hook
        words = ["compile" if compiled else "eager", "channels-last" * channels_last, "jemalloc" * bool(jemalloc),
                 "mpi hook" * hook]
        self.name = " + ".join(word for word in words if word)

    def measure(self, network, ranks):
        script = [HERE / "torch_peer.py", network, "--data", self.options.data, "--seconds",
                  str(self.options.seconds), *self.flags]
        python = self.folder / "bin/python"
        environment = dict(os.environ)
        if self.hook:
            command = [REPOSITORY / "launch/ranks", str(ranks), python, *script]
        elif ranks > 1:
            command = [python, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={ranks}", *script]
        else:
            command = [python, *script]
        if self.jemalloc:
            environment["LD_PRELOAD"] = self.jemalloc
        environment["PEER_START"] = repr(time.time())
        lines, memory = run(command, environment)
        result = next((json.loads(line[5:]) for line in lines if line.startswith("PEER ")), None)
        if result is None:
            sys.exit(f"{self.name} on {network}: PyTorch printed no result\n" + "".join(lines[-20:]))
        return result | {"peak_bytes": memory}


def variants(options, folder, network, ranks):
    jemalloc = next((path for path in JEMALLOC if os.path.exists(path)), None)
    has_channels = network in WITH_CHANNELS
    layouts = [True, False] if has_channels and options.all_variants else [has_channels]
    allocators = [jemalloc, None] if jemalloc and options.all_variants else [jemalloc]
    hooks = [False, True] if ranks > 1 else [False]
    return [PyTorch(options, folder, compiled, layout, hook, allocator)
            for hook in hooks for allocator in allocators for layout in layouts for compiled in (False, True)]


def median(results, key):
    return statistics.median(result[key] for result in results)


def best(peers):
    """The fastest variant and its results."""
    return max(peers, key=lambda peer: median(peer[1], "samples_per_second"))


def compare(options, folder, network, ranks):
    """All rounds of one network; gives the figures of one line of the table."""
    contestants = [Ours(options), *variants(options, folder, network, ranks)]
    results = [[] for _ in contestants]
    for _ in range(options.rounds):
        for contestant, found in zip(contestants, results):
            found.append(contestant.measure(network, ranks))
    ours, peers = results[0], list(zip(contestants[1:], results[1:]))
    rate = median(ours, "samples_per_second")
    standard = best([peer for peer in peers if not peer[0].hook])
    fastest = best(peers)
    return {
        "network": network, "ranks": ranks, "samples_per_second": rate,
        "standard": standard[0].name, "standard_ratio": rate / median(standard[1], "samples_per_second"),
        "best": fastest[0].name, "best_ratio": rate / median(fastest[1], "samples_per_second"),
        "peak_bytes": median(ours, "peak_bytes"), "standard_peak_bytes": median(standard[1], "peak_bytes"),
        "start_seconds": median(ours, "start_seconds"),
        "standard_start_seconds": median(standard[1], "start_seconds"),
        "variants": {peer.name: median(found, "samples_per_second") for peer, found in peers},
        "rounds": {peer.name: found for peer, found in zip(contestants, results)},
    }


def table(lines):
    rows = [["network", "ranks", "samples/s", "x DDP", "x best", "MB/rank", "DDP's", "start s", "DDP's",
             "best DDP", "best of all"]]
    for line in lines:
        rows.append([
            line["network"], str(line["ranks"]), f"{line['samples_per_second']:,.0f}",
            f"{line['standard_ratio']:.2f}", f"{line['best_ratio']:.2f}", f"{line['peak_bytes'] / 1e6:.0f}",
            f"{line['standard_peak_bytes'] / 1e6:.0f}", f"{line['start_seconds']:.2f}",
            f"{line['standard_start_seconds']:.2f}", line["standard"], line["best"]])
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join("  ".join(
        cell.ljust(width) if index in (0, 9, 10) else cell.rjust(width)
        for index, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in rows)


def main():
    options = parse()
    options.program = str(Path(options.program).resolve())
    if not os.path.exists(options.program):
        sys.exit(f"{options.program}: there is no such program\n  to fix:   make build")
    folder = virtual_environment(options.environment)
    if shutil.which("mpirun") is None:
        sys.exit("mpirun is not on the search path\n  to fix:   make setup")
    lines = []
    for ranks in options.ranks:
        for network in options.networks:
            lines.append(compare(options, folder, network, ranks))
            print(table(lines[-1:]).splitlines()[-1], flush=True)
    print("\nours / PyTorch's, medians of", options.rounds, "rounds, one thread per rank")
    print(table(lines))
    if options.json:
        Path(options.json).write_text(json.dumps(lines, indent=1) + "\n")


if __name__ == "__main__":
    main()
