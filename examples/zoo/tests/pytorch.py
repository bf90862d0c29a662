"""Writes PyTorch's numbers for the nets of the zoo: python pytorch.py [NET ...], with torch and numpy.

The weights are those of ../src/fill.rs, a hash of a tensor's name and of an element's place. Nets are run in evaluation and in f64;
of a result the file has every stride-th number, about a thousand, its norm and its shape. Of the training step of ../../table it
has the loss and the norms of the gradients of eight weights, in f32, as convolutions of volumes in f64 need too much memory.
"""

import json
import math
import struct
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

HERE = Path(__file__).parent


# The fill.


def hashed(name, n):
    start = 0x811C9DC5
    for byte in name.encode():
        start = ((start ^ byte) * 0x01000193) & 0xFFFFFFFF
    x = np.arange(n, dtype=np.uint32) * np.uint32(0x9E3779B1) + np.uint32(start)
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    x = (x ^ (x >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return (x ^ (x >> np.uint32(16))) >> np.uint32(8)


def filled(name, shape, middle, reach):
    unit = hashed(name, math.prod(shape)).astype(np.float32) / np.float32(8388608) - np.float32(1)
    x = np.float32(middle) + np.float32(reach) * unit
    return torch.from_numpy(x.reshape(shape)).double()


def weights(name, shape):
    last = name.rsplit(".", 1)[-1]
    if len(shape) > 1:
        return filled(name, shape, 0, math.sqrt(6 / math.prod(shape[1:])))
    if last == "running_var":
        return filled(name, shape, 1, 0.5)
    return filled(name, shape, *((0.75, 0.25) if last == "weight" else (0, 0.1)))


def image(name, *shape):
    return filled(name, shape, 0, math.sqrt(3))


def tokens(below, *shape):
    return torch.from_numpy(hashed("ids", math.prod(shape)).astype(np.int64) % below).reshape(shape)


def fill(net):
    net = net.double().eval()
    with torch.no_grad():
        for name, tensor in net.state_dict().items():
            if tensor.is_floating_point():
                tensor.copy_(weights(name, tuple(tensor.shape)))
    return net


# The nets, under torchvision's names.


def tree(**modules):
    """Modules under names with dots, written with two underscores."""
    root = nn.Module()
    for path, module in modules.items():
        node, *parts = root, *path.split("__")
        for part in parts[:-1]:
            if not hasattr(node, part):
                node.add_module(part, nn.Module())
            node = getattr(node, part)
        node.add_module(parts[-1], module)
    return root


def numbered(**modules):
    """A Sequential whose modules have the numbers given: _3=… is number 3."""
    out = nn.Sequential()
    for name, module in modules.items():
        out.add_module(name[1:], module)
    return out


class Classifier(nn.Module):
    def __init__(self, features, classifier):
        super().__init__()
        self.features, self.classifier = features, classifier

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


def alexnet():
    features = nn.Sequential(
        nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(64, 192, 5, 1, 2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(192, 384, 3, 1, 1), nn.ReLU(),
        nn.Conv2d(384, 256, 3, 1, 1), nn.ReLU(),
        nn.Conv2d(256, 256, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(3, 2),
    )  # fmt: skip
    dense = (nn.Dropout(), nn.Linear(9216, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU())
    return Classifier(features, nn.Sequential(*dense, nn.Linear(4096, 1000)))


def vgg16():
    layers, before = [], 3
    for channels in [64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0]:
        if channels:
            layers += [nn.Conv2d(before, channels, 3, 1, 1), nn.ReLU()]
            before = channels
        else:
            layers += [nn.MaxPool2d(2)]
    dense = [nn.Linear(25088, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout()]
    return Classifier(nn.Sequential(*layers), nn.Sequential(*dense, nn.Linear(4096, 1000)))


def conv(i, o, k, s=1, p=0, g=1):
    return nn.Conv2d(i, o, k, s, p, groups=g, bias=False)


class Residual(nn.Module):
    def __init__(self, i, convs, s):
        super().__init__()
        self.depth, o = len(convs), convs[-1].out_channels
        for n, c in enumerate(convs, 1):
            setattr(self, f"conv{n}", c)
            setattr(self, f"bn{n}", nn.BatchNorm2d(c.out_channels))
        if s > 1 or i != o:
            self.downsample = nn.Sequential(conv(i, o, 1, s), nn.BatchNorm2d(o))

    def forward(self, x):
        y = x
        for n in range(1, self.depth + 1):
            y = getattr(self, f"bn{n}")(getattr(self, f"conv{n}")(y))
            y = y.relu() if n < self.depth else y
        return (y + (self.downsample(x) if hasattr(self, "downsample") else x)).relu()


class ResNet(nn.Module):
    def __init__(self, blocks, make, wide):
        super().__init__()
        self.conv1, self.bn1 = conv(3, 64, 7, 2, 3), nn.BatchNorm2d(64)
        i = 64
        for stage, count in enumerate(blocks):
            c, layers = 64 << stage, []
            for n in range(count):
                s = 2 if stage and not n else 1
                layers.append(Residual(i, make(i, c, s), s))
                i = c * wide
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layers))
        self.fc = nn.Linear(i, 1000)

    def forward(self, x):
        x = nn.functional.max_pool2d(self.bn1(self.conv1(x)).relu(), 3, 2, 1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


def resnet18():
    return ResNet([2, 2, 2, 2], lambda i, c, s: [conv(i, c, 3, s, 1), conv(c, c, 3, 1, 1)], 1)


def resnet50():
    return ResNet(
        [3, 4, 6, 3], lambda i, c, s: [conv(i, c, 1), conv(c, c, 3, s, 1), conv(c, 4 * c, 1)], 4
    )


def conv_relu6(i, o, k, s=1, g=1):
    return nn.Sequential(conv(i, o, k, s, k // 2, g), nn.BatchNorm2d(o), nn.ReLU6())


class Inverted(nn.Module):
    def __init__(self, i, o, s, t):
        super().__init__()
        self.add, h = s == 1 and i == o, i * t
        layers = [conv_relu6(i, h, 1)] if t > 1 else []
        self.conv = nn.Sequential(*layers, conv_relu6(h, h, 3, s, h), conv(h, o, 1), nn.BatchNorm2d(o))

    def forward(self, x):
        return x + self.conv(x) if self.add else self.conv(x)


class Mean(nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


def mobilenet_v2():
    layers, i = [conv_relu6(3, 32, 3, 2)], 32
    stages = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
    for t, o, count, s in stages:
        for n in range(count):
            layers.append(Inverted(i, o, 1 if n else s, t))
            i = o
    layers += [conv_relu6(320, 1280, 1)]
    net = Classifier(nn.Sequential(*layers), nn.Sequential(nn.Dropout(), nn.Linear(1280, 1000)))
    net.features.add_module("mean", Mean())
    return net


# NASNet-A mobile, as pretrainedmodels has it.


def bn(c):
    return nn.BatchNorm2d(c, eps=1e-3)


class Branch(nn.Module):
    """`late`: zeros above and to the left, and without the first row and column of what comes out."""

    def __init__(self, i, o, k, s=1, late=False):
        super().__init__()
        sep = lambda i, o, s: tree(depthwise_conv2d=conv(i, i, k, s, k // 2, i), pointwise_conv2d=conv(i, o, 1))
        self.separable_1, self.bn_sep_1, self.separable_2, self.bn_sep_2 = sep(i, o, s), bn(o), sep(o, o, 1), bn(o)
        self.late = late

    def forward(self, x):
        sep = lambda s, x: s.pointwise_conv2d(s.depthwise_conv2d(x))
        if self.late:
            x = sep(self.separable_1, nn.functional.pad(x.relu(), (1, 0, 1, 0)))[:, :, 1:, 1:]
        else:
            x = sep(self.separable_1, x.relu())
        return self.bn_sep_2(sep(self.separable_2, self.bn_sep_1(x).relu()))


def pool(kind, x, s, late=False):
    if late:
        x = nn.functional.pad(x, (1, 0, 1, 0))
    if kind == "max":
        x = nn.functional.max_pool2d(x, 3, s, 1)
    else:
        x = nn.functional.avg_pool2d(x, 3, s, 1, count_include_pad=False)
    return x[:, :, 1:, 1:] if late else x


def squeeze(i, o):
    return tree(conv=conv(i, o, 1), bn=bn(o))


def shrink(i, o):
    return dict(path_1__conv=conv(i, o // 2, 1), path_2__conv=conv(i, o // 2, 1), final_path_bn=bn(o))


def half_size(cell, x):
    x = x.relu()
    odd = nn.functional.pad(x, (0, 1, 0, 1))[:, :, 1:, 1:]
    both = [cell.path_1.conv(x[:, :, ::2, ::2]), cell.path_2.conv(odd[:, :, ::2, ::2])]
    return cell.final_path_bn(torch.cat(both, 1))


def squeezed(s, x):
    return s.bn(s.conv(x.relu()))


def normal(before, i, c, first=False):
    left = shrink(before, c) if first else dict(conv_prev_1x1=squeeze(before, c))
    return tree(
        **left, conv_1x1=squeeze(i, c), comb_iter_0_left=Branch(c, c, 5), comb_iter_0_right=Branch(c, c, 3),
        comb_iter_1_left=Branch(c, c, 5), comb_iter_1_right=Branch(c, c, 3), comb_iter_4_left=Branch(c, c, 3),
    )  # fmt: skip


def run_normal(cell, x, before):
    l = squeezed(cell.conv_prev_1x1, before) if hasattr(cell, "conv_prev_1x1") else half_size(cell, before)
    r = squeezed(cell.conv_1x1, x)
    near = lambda x: pool("mean", x, 1)
    return torch.cat([
        l, cell.comb_iter_0_left(r) + cell.comb_iter_0_right(l), cell.comb_iter_1_left(l) + cell.comb_iter_1_right(l),
        near(r) + l, near(l) + near(l), cell.comb_iter_4_left(r) + r,
    ], 1)  # fmt: skip


def halving(i, c, late=True, **more):
    return tree(
        **more, comb_iter_0_left=Branch(c, c, 5, 2, late), comb_iter_0_right=Branch(i, c, 7, 2, late),
        comb_iter_1_right=Branch(i, c, 7, 2, late), comb_iter_2_right=Branch(i, c, 5, 2, late),
        comb_iter_4_left=Branch(c, c, 3, 1, late),
    )  # fmt: skip


def run_halving(cell, pooled, other, late=True):
    c0 = cell.comb_iter_0_left(pooled) + cell.comb_iter_0_right(other)
    c1 = pool("max", pooled, 2, late) + cell.comb_iter_1_right(other)
    c2 = pool("mean", pooled, 2, late) + cell.comb_iter_2_right(other)
    c4 = cell.comb_iter_4_left(c0) + pool("max", pooled, 2, late)
    return torch.cat([c1, c2, pool("mean", c0, 1) + c1, c4], 1)


class NasNet(nn.Module):
    def __init__(self):
        super().__init__()
        reduction = lambda i, c: halving(c, c, conv_prev_1x1=squeeze(i, c), conv_1x1=squeeze(i, c))
        parts = dict(
            conv0=tree(conv=conv(3, 32, 3, 2), bn=bn(32)),
            cell_stem_0=halving(32, 11, False, conv_1x1=squeeze(32, 11)),
            cell_stem_1=halving(22, 22, conv_1x1=squeeze(44, 22), **shrink(32, 22)),
            cell_0=normal(44, 88, 44, True), cell_1=normal(88, 264, 44),
            cell_2=normal(264, 264, 44), cell_3=normal(264, 264, 44), reduction_cell_0=reduction(264, 88),
            cell_6=normal(264, 352, 88, True), cell_7=normal(352, 528, 88),
            cell_8=normal(528, 528, 88), cell_9=normal(528, 528, 88), reduction_cell_1=reduction(528, 176),
            cell_12=normal(528, 704, 176, True), cell_13=normal(704, 1056, 176),
            cell_14=normal(1056, 1056, 176), cell_15=normal(1056, 1056, 176), last_linear=nn.Linear(1056, 1000),
        )  # fmt: skip
        for name, part in parts.items():
            self.add_module(name, part)

    def forward(self, x):
        start = self.conv0.bn(self.conv0.conv(x))
        before = run_halving(self.cell_stem_0, squeezed(self.cell_stem_0.conv_1x1, start), start, False)
        x = run_halving(self.cell_stem_1, squeezed(self.cell_stem_1.conv_1x1, before), half_size(self.cell_stem_1, start))
        for cells, after in [((0, 1, 2, 3), 0), ((6, 7, 8, 9), 1), ((12, 13, 14, 15), None)]:
            for cell in cells:
                x, before = run_normal(getattr(self, f"cell_{cell}"), x, before), x
            if after is not None:
                cell = getattr(self, f"reduction_cell_{after}")
                half = run_halving(cell, squeezed(cell.conv_1x1, x), squeezed(cell.conv_prev_1x1, before))
                x, before = half, x
        return self.last_linear(x.relu().mean((2, 3)))


def nasnet_mobile():
    return NasNet()


# Transformers, under Hugging Face's names.


def by_heads(x, heads):
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def attend(q, k, v, heads, **how):
    q, k, v = (by_heads(x, heads) for x in (q, k, v))
    return nn.functional.scaled_dot_product_attention(q, k, v, **how).transpose(1, 2).flatten(2)


class Bert(nn.Module):
    def __init__(self, words, places, d, ff, layers):
        super().__init__()
        self.embeddings = tree(
            word_embeddings=nn.Embedding(words, d), position_embeddings=nn.Embedding(places, d),
            token_type_embeddings=nn.Embedding(2, d), LayerNorm=nn.LayerNorm(d, 1e-12),
        )  # fmt: skip
        layer = lambda: tree(
            attention__self__query=nn.Linear(d, d), attention__self__key=nn.Linear(d, d),
            attention__self__value=nn.Linear(d, d), attention__output__dense=nn.Linear(d, d),
            attention__output__LayerNorm=nn.LayerNorm(d, 1e-12), intermediate__dense=nn.Linear(d, ff),
            output__dense=nn.Linear(ff, d), output__LayerNorm=nn.LayerNorm(d, 1e-12),
        )  # fmt: skip
        self.encoder = tree(layer=nn.ModuleList(layer() for _ in range(layers)))
        self.pooler = tree(dense=nn.Linear(d, d))

    def forward(self, ids, keep, heads=12):
        e = self.embeddings
        words = e.word_embeddings(ids) + e.token_type_embeddings.weight[0]
        x = e.LayerNorm(words + e.position_embeddings.weight[: ids.shape[1]])
        for layer in self.encoder.layer:
            own = getattr(layer.attention, "self")
            y = attend(own.query(x), own.key(x), own.value(x), heads, attn_mask=keep[:, None, None, :] > 0)
            x = layer.attention.output.LayerNorm(layer.attention.output.dense(y) + x)
            y = nn.functional.gelu(layer.intermediate.dense(x))
            x = layer.output.LayerNorm(layer.output.dense(y) + x)
        return x


def minilm():
    return Bert(30522, 512, 384, 1536, 6)


def sentences(net):
    keep = torch.ones(2, 13, dtype=torch.float64)
    keep[1, 9:] = 0
    hidden = net(tokens(30522, 2, 13), keep)
    mean = (hidden * keep[:, :, None]).sum(1) / keep.sum(1, keepdim=True)
    return {
        "hidden": hidden,
        "pooled": net.pooler.dense(hidden[:, 0]).tanh(),
        "embedded": nn.functional.normalize(mean),
    }


class Conv1D(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.empty(i, o)), nn.Parameter(torch.empty(o))

    def forward(self, x):
        return x @ self.weight + self.bias


class Gpt2(nn.Module):
    def __init__(self, words, places, d, layers):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(words, d), nn.Embedding(places, d)
        block = lambda: tree(
            ln_1=nn.LayerNorm(d), attn__c_attn=Conv1D(d, 3 * d), attn__c_proj=Conv1D(d, d),
            ln_2=nn.LayerNorm(d), mlp__c_fc=Conv1D(d, 4 * d), mlp__c_proj=Conv1D(4 * d, d),
        )  # fmt: skip
        self.h, self.ln_f = nn.ModuleList(block() for _ in range(layers)), nn.LayerNorm(d)

    def forward(self, ids, heads=12):
        x = self.wte(ids) + self.wpe.weight[: ids.shape[1]]
        for b in self.h:
            q, k, v = b.attn.c_attn(b.ln_1(x)).chunk(3, -1)
            x = x + b.attn.c_proj(attend(q, k, v, heads, is_causal=True))
            x = x + b.mlp.c_proj(nn.functional.gelu(b.mlp.c_fc(b.ln_2(x)), approximate="tanh"))
        return self.ln_f(x) @ self.wte.weight.T


def gpt2():
    return Gpt2(50257, 1024, 768, 12)


# Attention of linear complexity, under the names of linformer and performer-pytorch.


class Linear(nn.Module):
    """Six layers of 512 dims and 8 heads; `seen` says what a layer's attention makes of queries, keys and values."""

    def __init__(self, seen, more=dict, feed="fn"):
        super().__init__()
        self.seen, self.feed, layers, (d, ff) = seen, feed.replace("__", "."), [], (512, 2048)
        for _ in range(6):
            own = tree(to_q=nn.Linear(d, d, bias=False), to_k=nn.Linear(d, d, bias=False), to_v=nn.Linear(d, d, bias=False),
                       to_out=nn.Linear(d, d), **more())  # fmt: skip
            layers.append(nn.ModuleList([
                tree(norm=nn.LayerNorm(d), fn=own),
                tree(norm=nn.LayerNorm(d), **{f"{feed}__w1": nn.Linear(d, ff), f"{feed}__w2": nn.Linear(ff, d)}),
            ]))  # fmt: skip
        self.net = tree(layers=nn.ModuleList(layers))

    def forward(self, x):
        for attention, dense in self.net.layers:
            own, h = attention.fn, attention.norm(x)
            x = x + own.to_out(self.seen(own, own.to_q(h), own.to_k(h), own.to_v(h)).transpose(1, 2).flatten(2))
            fn = dense.get_submodule(self.feed)
            x = x + fn.w2(nn.functional.gelu(fn.w1(dense.norm(x))))
        return x


def transformer():
    def seen(own, q, k, v):
        q, k, v = (by_heads(x, 8) for x in (q, k, v))
        return nn.functional.scaled_dot_product_attention(q, k, v)

    return Linear(seen)


def linformer():
    def seen(own, q, k, v):
        k, v = (torch.einsum("bnd,nk->bkd", x, p[: x.shape[1]]) for x, p in [(k, own.proj_k), (v, own.proj_v)])
        q, k, v = (by_heads(x, 8) for x in (q, k, v))
        return (torch.einsum("bhnd,bhkd->bhnk", q, k) / 8).softmax(-1) @ v

    net = Linear(seen)
    for attention, _ in net.net.layers:
        attention.fn.proj_k, attention.fn.proj_v = (nn.Parameter(torch.empty(4096, 256)) for _ in range(2))
    return net


def performer():
    def features(x, directions, queries):
        x = x * 64**-0.25
        along = torch.einsum("...id,jd->...ij", x, directions)
        half = (x**2).sum(-1, keepdim=True) / 2
        largest = along.amax(-1 if queries else (-1, -2), keepdim=True)
        return len(directions) ** -0.5 * ((along - half - largest).exp() + 1e-4)

    def seen(own, q, k, v):
        q, k, v = (by_heads(x, 8) for x in (q, k, v))
        w = own.fast_attention.projection_matrix
        q, k = features(q, w, True), features(k, w, False)
        return torch.einsum("...de,...nd,...n->...ne", k.transpose(-1, -2) @ v, q, 1 / (q @ k.sum(-2)[..., None])[..., 0])

    net = Linear(seen, lambda: {"fast_attention": nn.Module()}, "fn__fn")
    for attention, _ in net.net.layers:
        attention.fn.fast_attention.register_buffer("projection_matrix", torch.empty(266, 64))
    return net


# YOLOv5s, under ultralytics' names.


class ConvSilu(nn.Module):
    def __init__(self, i, o, k, s=1, p=0):
        super().__init__()
        self.conv, self.bn = conv(i, o, k, s, p), nn.BatchNorm2d(o, eps=1e-3)

    def forward(self, x):
        return nn.functional.silu(self.bn(self.conv(x)))


class YoloBottleneck(nn.Module):
    def __init__(self, c, add):
        super().__init__()
        self.cv1, self.cv2, self.add = ConvSilu(c, c, 1), ConvSilu(c, c, 3, 1, 1), add

    def forward(self, x):
        y = self.cv2(self.cv1(x))
        return x + y if self.add else y


class C3(nn.Module):
    def __init__(self, i, o, depth, add=True):
        super().__init__()
        c = o // 2
        self.cv1, self.cv2, self.cv3 = ConvSilu(i, c, 1), ConvSilu(i, c, 1), ConvSilu(2 * c, o, 1)
        self.m = nn.Sequential(*[YoloBottleneck(c, add) for _ in range(depth)])

    def forward(self, x):
        return self.cv3(torch.cat([self.m(self.cv1(x)), self.cv2(x)], 1))


class Sppf(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.cv1, self.cv2, self.pool = ConvSilu(i, i // 2, 1), ConvSilu(2 * i, o, 1), nn.MaxPool2d(5, 1, 2)

    def forward(self, x):
        parts = [self.cv1(x)]
        for _ in range(3):
            parts.append(self.pool(parts[-1]))
        return self.cv2(torch.cat(parts, 1))


class Detect(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.m = nn.ModuleList(nn.Conv2d(c, 255, 1) for c in channels)
        self.register_buffer("anchors", torch.empty(3, 3, 2))

    def forward(self, outs):
        heads = [m(x) for m, x in zip(self.m, outs)]
        boxes = []
        for i, head in enumerate(heads):
            n, _, h, w = head.shape
            p, step = head.reshape(n, 3, 85, h, w).permute(0, 1, 3, 4, 2).sigmoid(), 8 << i
            y, x = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
            centre = (p[..., :2] * 2 - 0.5 + torch.stack([x, y], -1)) * step
            size = (p[..., 2:4] * 2) ** 2 * (self.anchors[i] * step)[None, :, None, None]
            boxes.append(torch.cat([centre, size, p[..., 4:]], -1).reshape(n, -1, 85))
        return heads, torch.cat(boxes, 1)


class Yolo(nn.Module):
    def __init__(self):
        super().__init__()
        up, cat = nn.Upsample(scale_factor=2), nn.Identity
        self.model = nn.ModuleList([
            ConvSilu(3, 32, 6, 2, 2), ConvSilu(32, 64, 3, 2, 1), C3(64, 64, 1), ConvSilu(64, 128, 3, 2, 1),
            C3(128, 128, 2), ConvSilu(128, 256, 3, 2, 1), C3(256, 256, 3), ConvSilu(256, 512, 3, 2, 1),
            C3(512, 512, 1), Sppf(512, 512),
            ConvSilu(512, 256, 1), up, cat(), C3(512, 256, 1, False),
            ConvSilu(256, 128, 1), up, cat(), C3(256, 128, 1, False),
            ConvSilu(128, 128, 3, 2, 1), cat(), C3(256, 256, 1, False),
            ConvSilu(256, 256, 3, 2, 1), cat(), C3(512, 512, 1, False), Detect([128, 256, 512]),
        ])  # fmt: skip
        self.joined = {12: 6, 16: 4, 19: 14, 22: 10}

    def forward(self, x):
        kept = []
        for i, layer in enumerate(self.model[:24]):
            x = torch.cat([x, kept[self.joined[i]]], 1) if i in self.joined else layer(x)
            kept.append(x)
        return self.model[24]([kept[17], kept[20], kept[23]])


def yolov5s():
    return Yolo()


def found(net):
    (fine, middle, coarse), boxes = net(image("image", 1, 3, 640, 640))
    return {"fine": fine, "middle": middle, "coarse": coarse, "boxes": boxes}


# The 3D U-Net of its paper.


def double(i, c, o):
    both = (nn.Conv3d(i, c, 3, 1, 1), nn.BatchNorm3d(c), nn.ReLU())
    return nn.Sequential(*both, nn.Conv3d(c, o, 3, 1, 1), nn.BatchNorm3d(o), nn.ReLU())


class UNet3d(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.ModuleList([double(3, 32, 64), double(64, 64, 128), double(128, 128, 256), double(256, 256, 512)])
        self.up = nn.ModuleList(nn.ConvTranspose3d(c, c, 2, 2, bias=False) for c in [128, 256, 512])
        self.dec = nn.ModuleList([double(192, 64, 64), double(384, 128, 128), double(768, 256, 256)])
        self.out = nn.Conv3d(64, 3, 1)

    def forward(self, x):
        kept = []
        for i, enc in enumerate(self.enc):
            x = enc(nn.functional.max_pool3d(x, 2) if i else x)
            kept.append(x)
        for i in [2, 1, 0]:
            x = self.dec[i](torch.cat([kept[i], self.up[i](x)], 1))
        return self.out(x)


def unet3d():
    return UNet3d()


# What is written.


def some(name, x):
    flat = x.flatten()
    stride = (len(flat) // 1000) | 1
    return {
        f"{name}.some": flat[::stride].float().numpy(),
        f"{name}.norm": np.float32([flat.norm()]),
        f"{name}.shape": np.float32(x.shape),
    }


def save(path, tensors):
    header, data = {}, b""
    for name, x in sorted(tensors.items()):
        end = len(data) + 4 * x.size
        header[name] = {"dtype": "F32", "shape": list(x.shape), "data_offsets": [len(data), end]}
        data += x.astype("<f4").tobytes()
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    path.write_bytes(struct.pack("<Q", len(head)) + head + data)


def scored(net, *inputs):
    return {"scores": net(*inputs)}


def photo():
    return image("image", 1, 3, 224, 224)


# How each net is made, and what is written of it.
NETS = {make: lambda net: scored(net, photo()) for make in [alexnet, vgg16, resnet18, resnet50, mobilenet_v2, nasnet_mobile]}
NETS |= {make: lambda net: {"seen": net(image("sequence", 1, 70, 512))} for make in [transformer, linformer, performer]}
NETS |= {
    minilm: sentences, gpt2: lambda net: scored(net, tokens(50257, 1, 12)), yolov5s: found,
    unet3d: lambda net: scored(net, image("volume", 1, 3, 16, 24, 32)),
}  # fmt: skip
NETS = {make.__name__: (make, run) for make, run in NETS.items()}


# A training step.


def arguments(name, batch):
    """What a net of ../../table is called with, in f32: so many images, or one of what else there is."""
    if name == "minilm":
        return [tokens(30522, 1, 128), torch.ones(1, 128)]
    if name == "gpt2":
        return [tokens(50257, 1, 128)]
    of = {"yolov5s": ("image", 1, 3, 640, 640), "unet3d": ("volume", 1, 3, 64, 64, 64)}
    of |= {name: ("sequence", 1, 1024, 512) for name in ["transformer", "linformer", "performer"]}
    return [image(*of.get(name, ("image", batch, 3, 224, 224))).float()]


def training(net):
    """The net in training, but for dropout, which ../src leaves out."""
    net.train()
    for module in net.modules():
        if isinstance(module, nn.Dropout):
            module.eval()
    return net


def loss(net, inputs):
    """The mean square of what comes out, of each of three heads."""
    out = net(*inputs)
    return sum(x.square().mean() for x in (out[0] if isinstance(out, tuple) else [out]))


IMAGES = 4


def stepped(name, make):
    value = loss(net := training(fill(make()).float()), arguments(name, IMAGES))
    value.backward()
    grads = {name: p.grad for name, p in net.named_parameters() if p.dim() > 1 and p.grad is not None}
    names = sorted(grads)
    chosen = [names[i * len(names) // 8] for i in range(8)]
    norms = {f"step.{name}": np.float32([grads[name].norm()]) for name in chosen}
    print(f"{name}: a step's loss {value:.5f}, norms of gradients {[float(x[0]) for x in norms.values()]}")
    return {"step.loss": np.float32([value.item()])} | norms


def main():
    for net in sys.argv[1:] or NETS:
        make, run = NETS[net]
        tensors = {}
        with torch.no_grad():
            outputs = run(fill(make()))
        for name, x in outputs.items():
            tensors |= some(name, x)
            print(f"{net}: {name} {tuple(x.shape)}, mean {x.mean():.4f}, deviation {x.std():.4f}")
        save(HERE / "data" / f"{net}.safetensors", tensors | stepped(net, make))


if __name__ == "__main__":
    main()
