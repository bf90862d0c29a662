"""Times the nets of the zoo in PyTorch: python times.py [--threads N] [NET ...], with torch and numpy.

A line each: what a call takes in evaluation and a training step, as ../../table has them, whose --peers calls this.
"""

import argparse
import json
import statistics
import time

import torch

from pytorch import IMAGES, NETS, arguments, fill, loss, training


def median(call):
    """Milliseconds: the median of three behind a first one, or of as many as half a second has."""
    call()
    times, begin = [], time.perf_counter()
    while len(times) < 3 or time.perf_counter() - begin < 0.5:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e3


def timed(name, make):
    net = fill(make()).float()
    one, some = arguments(name, 1), arguments(name, IMAGES)
    with torch.inference_mode():
        call = median(lambda: net(*one))
    optimizer = torch.optim.SGD(training(net).parameters(), 1e-6)

    def step():
        optimizer.zero_grad()
        loss(net, some).backward()
        optimizer.step()

    return {"net": name, "peer": "pytorch", "call_ms": call, "step_ms": median(step)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("nets", nargs="*")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for name in options.nets or NETS:
        print(json.dumps(timed(name, NETS[name][0])), flush=True)


if __name__ == "__main__":
    main()
