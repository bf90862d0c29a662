#!/usr/bin/env python3
"""Writes the golden files of operations beyond those of the shared set, computed with PyTorch (2.15; safetensors, numpy).

    python tests/goldens.py tests/data/goldens

The format is that of tests/data/goldens/README.md: inputs exact in float32, what is expected in float64.
"""

import json
import pathlib
import sys

import numpy as np
import safetensors.numpy
import torch
import torch.nn.functional as F

rng = np.random.Generator(np.random.PCG64(7))


def normal(*shape, scale=1.0):
    return torch.tensor(rng.normal(size=shape) * scale, dtype=torch.float32)


def signs(*shape):
    return torch.tensor(rng.integers(0, 2, size=shape) * 2 - 1, dtype=torch.float32)


def labels(high, *shape, low=0):
    return torch.tensor(rng.integers(low, high, size=shape))


def evaluate(f, inputs, fixed, cotangent, dtype):
    given = {k: v.to(dtype, copy=True).requires_grad_(k not in fixed) if v.is_floating_point() else v for k, v in inputs.items()}
    out = f(**given)
    leaves = {k: v for k, v in given.items() if v.is_floating_point() and k not in fixed}
    grads = torch.autograd.grad(out, list(leaves.values()), cotangent.to(dtype))
    return out.detach(), dict(zip(leaves, (g.detach() for g in grads)))


def error(got, want):
    """The measure of the shared set's README."""
    top = max(float(w.abs().max()) for w in want)
    each = [float((g.double() - w).abs().max()) / max(float(w.abs().max()), 0.01, top / 100) for g, w in zip(got, want)]
    return max(each)


def case(folder, name, variant, f, inputs, fixed=(), result="loss", **config):
    probe = f(**{k: v.double() if v.is_floating_point() else v for k, v in inputs.items()})
    cotangent = normal(*probe.shape)
    out, grads = evaluate(f, inputs, fixed, cotangent, torch.float64)
    low, low_grads = evaluate(f, inputs, fixed, cotangent, torch.float32)
    tensors = {f"in.{k}": v.numpy() for k, v in inputs.items()}
    tensors |= {f"cot.{result}": cotangent.numpy(), f"out.{result}": out.numpy()}
    tensors |= {f"grad.{k}": g.numpy() for k, g in grads.items()}
    off = max(error([low], [out]), error(list(low_grads.values()), list(grads.values())))
    metadata = {
        "case": name, "variant": variant, "config": json.dumps(config), "f32_err": f"{off:.0e}",
        "seed": "7", "torch": torch.__version__,
    }
    tensors = {k: np.array(v, order="C") for k, v in tensors.items()}
    safetensors.numpy.save_file(tensors, folder / f"{name}--{variant}.safetensors", metadata)


def margins(folder):
    for how in ["none", "mean", "sum"]:
        for name, f, more in [
            ("hinge_embedding_loss", F.hinge_embedding_loss, {"margin": 0.7}),
            ("soft_margin_loss", F.soft_margin_loss, {}),
        ]:
            call = lambda x, target, f=f, more=more: f(x, target, reduction=how, **more)
            case(folder, name, how, call, {"x": normal(3, 4), "target": signs(3, 4)}, {"target"}, reduction=how, **more)
        call = lambda x, other, target: F.margin_ranking_loss(x, other, target, margin=0.3, reduction=how)
        given = {"x": normal(5), "other": normal(5), "target": signs(5)}
        case(folder, "margin_ranking_loss", how, call, given, {"target"}, margin=0.3, reduction=how)
        call = lambda x, other, target: F.cosine_embedding_loss(x, other, target, margin=0.2, reduction=how)
        given = {"x": normal(6, 3), "other": normal(6, 3), "target": signs(6)}
        case(folder, "cosine_embedding_loss", how, call, given, {"target"}, margin=0.2, reduction=how)
    for variant, swap, p, how in [("plain", False, 2.0, "none"), ("swap", True, 2.0, "mean"), ("cubic", False, 3.0, "sum")]:
        config = {"margin": 0.9, "p": p, "eps": 1e-6, "swap": swap, "reduction": how}
        call = lambda anchor, positive, negative: F.triplet_margin_loss(anchor, positive, negative, **config)
        case(folder, "triplet_margin_loss", variant, call, {k: normal(4, 3) for k in ["anchor", "positive", "negative"]}, **config)
    case(folder, "pairwise_distance", "p2", lambda x, y: F.pairwise_distance(x, y, 2.0, 1e-6), {"x": normal(2, 4, 3), "y": normal(2, 4, 3)}, p=2.0, eps=1e-6)


def classes(folder):
    for variant, how, weighted in [("mean", "mean", False), ("none", "none", True)]:
        given = {"x": normal(4, 3), "target": labels(2, 4, 3).float()}
        given |= {"weight": normal(3).abs()} if weighted else {}
        call = lambda x, target, weight=None: F.multilabel_soft_margin_loss(x, target, weight, reduction=how)
        case(folder, "multilabel_soft_margin_loss", variant, call, given, {"weight", "target"}, reduction=how)
        given = {"x": normal(5, 4), "labels": labels(4, 5)} | ({"weight": normal(4).abs()} if weighted else {})
        p = 2 if weighted else 1
        call = lambda x, labels, weight=None: F.multi_margin_loss(x, labels, p=p, margin=0.8, weight=weight, reduction=how)
        case(folder, "multi_margin_loss", variant, call, given, {"weight"}, p=float(p), margin=0.8, reduction=how)
        rows = torch.tensor([[2, 0, -1, 3], [1, -1, 0, 0], [-1, 2, 1, 0], [3, 1, 0, 2], [0, 0, -1, 1]])
        call = lambda x, classes: F.multilabel_margin_loss(x, classes, reduction=how)
        case(folder, "multilabel_margin_loss", variant, call, {"x": normal(5, 4), "classes": rows}, reduction=how)
    call = lambda x, labels: F.multi_margin_loss(x, labels)
    case(folder, "multi_margin_loss", "row", call, {"x": normal(6), "labels": torch.tensor(2)}, p=1.0, margin=1.0, reduction="mean")


def likelihoods(folder):
    counts = labels(6, 3, 4).float()
    for variant, log, full, how in [("log", True, False, "mean"), ("full", True, True, "none"), ("rate", False, True, "sum")]:
        x = normal(3, 4) if log else normal(3, 4).abs() + 0.1
        config = {"log_input": log, "full": full, "eps": 1e-8, "reduction": how}
        call = lambda x, target: F.poisson_nll_loss(x, target, **config)
        case(folder, "poisson_nll_loss", variant, call, {"x": x, "target": counts}, {"target"}, **config)
    for variant, full, eps, how in [("mean", False, 1e-6, "mean"), ("floor", True, 0.5, "none")]:
        given = {"x": normal(3, 4), "target": normal(3, 4), "variance": normal(3, 4).abs() + 0.05}
        call = lambda x, target, variance: F.gaussian_nll_loss(x, target, variance, full=full, eps=eps, reduction=how)
        case(folder, "gaussian_nll_loss", variant, call, given, full=full, eps=eps, reduction=how)


def ctc(folder):
    steps, batch, kinds, most = 9, 4, 5, 4
    for variant, blank, how, tight in [("mean", 0, "mean", False), ("none", 2, "none", False), ("sum", 4, "sum", False), ("short", 0, "none", True)]:
        targets = labels(kinds - 1, batch, most)
        targets = targets + (targets >= blank)
        targets[0, 1] = targets[0, 0]
        times, lengths = torch.tensor([9, 8, 7, 9]), torch.tensor([4, 3, 0, 1])
        if tight:
            times = torch.tensor([3, 8, 2, 1])
        call = lambda x, targets, times, lengths: F.ctc_loss(
            x.log_softmax(-1), targets, times, lengths, blank, how, zero_infinity=tight
        )
        given = {"x": normal(steps, batch, kinds), "targets": targets, "times": times, "lengths": lengths}
        case(folder, "ctc_loss", variant, call, given, blank=blank, zero_infinity=tight, reduction=how)


def places(folder):
    for variant, shape, dim, count in [("rows", (5, 3), 0, 7), ("inner", (2, 4, 3), 1, 6), ("line", (6,), 0, 9)]:
        source = tuple(count if i == dim else n for i, n in enumerate(shape))
        given = {"x": normal(*shape), "index": labels(shape[dim], count), "source": normal(*source)}
        case(folder, "index_add", variant, lambda x, index, source: x.index_add(dim, index, source), given, result="y", dim=dim)
    for variant, shape, dim in [("rows", (4, 5), 1), ("columns", (3, 2, 4), 0), ("line", (7,), -1)]:
        case(folder, "normalize", variant, lambda x: F.normalize(x, dim=dim), {"x": normal(*shape)}, result="y", dim=dim)


def scalars(folder):
    for variant, shape in [("matrix", (5, 7)), ("rank4", (2, 3, 1, 4))]:
        given = {"x": torch.tensor(rng.uniform(-1.4, 1.4, size=shape), dtype=torch.float32)}
        case(folder, "unary_tan", variant, torch.tan, given, result="y")


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    for write in [margins, classes, likelihoods, ctc, places, scalars]:
        write(folder)
