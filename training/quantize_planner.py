"""Rounds a checkpoint's matrices to Q4_0's grid so that what each computes on real rows changes least (GPTQ).

    python quantize_planner.py --checkpoint ~/planner-16/checkpoint.pt --rows data/train.jsonl --to ~/planner-gptq/checkpoint.pt

Rounding each weight to the nearest level costs several points of plan success. Here the error of each column of weights is
made up for by the columns that are not yet rounded (Frantar et al., arXiv 2210.17323), from the inputs that the matrix really
gets; the columns with the largest inputs come first. The scale of a group of 32 is tried at several sizes, from the one that
reaches its peak downwards, and the peak keeps the lowest level: so Q4_0's own rule finds the same scale again, and
export_planner.py, or quantization-aware training that starts from the result, begins with these very values.
"""

import argparse
import random
import time
from pathlib import Path

import torch
import torch.nn.functional as F

from model import GROUP, Llama, attention, fake_q4_0
from train_planner import load_rows, save_atomically

SHRINK = (1, 0.96, 0.92, 0.88, 0.84, 0.8, 0.76, 0.72)  # of the scale that reaches the group's peak
DAMPING = 0.01  # of the mean of the Hessian's diagonal
COLUMNS = 64  # rounded before their error reaches the rest of the matrix
MARGIN = 0.49  # of a level: how far a master may stand from its rounded value
BATCH = 8


def scales_of(weight, importance):
    """The scale (rows, groups) of each group of a float32 weight (rows, columns), and the columns of the peaks (rows, groups).

    The scale is the one of SHRINK with the least squared error, each column weighed by its importance (columns,).
    """
    groups = weight.view(len(weight), -1, GROUP)
    peak = groups.abs().argmax(2)
    top = groups.gather(2, peak[:, :, None]).squeeze(2)
    best, least = torch.zeros_like(top), torch.full_like(top, float("inf"))
    for shrink in SHRINK:
        scale = (top * shrink / -8).half().float()
        steps = torch.where(scale == 0, 1, scale)[:, :, None]
        rounded = (groups / steps).round().clamp(-8, 7) * steps
        error = ((rounded - groups) ** 2 * importance.view(1, -1, GROUP)).sum(2)
        better = error < least
        best, least = torch.where(better, scale, best), torch.where(better, error, least)
    return best, peak + torch.arange(groups.shape[1]) * GROUP


def gptq(weight, hessian):
    """The values on Q4_0's grid of a float32 weight (rows, columns), given the inputs' X.T @ X (columns, columns)."""
    rows, columns = weight.shape
    scale, peaks = scales_of(weight, hessian.diagonal())
    scale = scale.repeat_interleave(GROUP, 1)
    is_peak = torch.zeros(rows, columns, dtype=torch.bool).scatter_(1, peaks, True)
    order = hessian.diagonal().argsort(descending=True)
    back = order.argsort()
    weight, scale, is_peak, hessian = weight[:, order].clone(), scale[:, order], is_peak[:, order], hessian[order][:, order].double()
    hessian.diagonal().add_(DAMPING * hessian.diagonal().mean())
    inverse = torch.linalg.cholesky(torch.cholesky_inverse(torch.linalg.cholesky(hessian)), upper=True).float()
    for start in range(0, columns, COLUMNS):
        end = min(start + COLUMNS, columns)
        errors = torch.empty(rows, end - start)
        for i in range(start, end):
            step = scale[:, i]
            level = torch.where(step == 0, 0, weight[:, i] / torch.where(step == 0, 1, step)).round().clamp(-8, 7)
            value = torch.where(is_peak[:, i], -8, level) * step
            errors[:, i - start] = (weight[:, i] - value) / inverse[i, i]
            weight[:, i] = value
            weight[:, i + 1 : end] -= errors[:, i - start, None] * inverse[i, i + 1 : end]
        weight[:, end:] -= errors @ inverse[start:end, end:]
    return weight[:, back].contiguous()


def masters_of(weight, rounded):
    """Masters as near to a float32 weight as they can be while Q4_0's own rule rounds them to `rounded` (of gptq).

    Quantization-aware training goes on from them: a weight that stood between two levels is still near the other one.
    """
    groups, targets = weight.view(-1, GROUP), rounded.view(-1, GROUP)
    peak = targets.abs().argmax(1, keepdim=True)
    top = targets.gather(1, peak)
    margin = top.abs() / 8 * MARGIN
    near = torch.minimum(torch.maximum(groups, targets - margin), targets + margin)
    near = torch.minimum(torch.maximum(near, -0.999 * top.abs()), 0.999 * top.abs())
    return near.scatter(1, peak, top).view(weight.shape)


def pad(rows, length):
    tokens = torch.zeros(len(rows), length, dtype=torch.long)
    for i, row in enumerate(rows):
        tokens[i, : len(row)] = torch.from_numpy(row)
    return tokens


@torch.no_grad()
def quantize(model, rows, say=print):
    """Rounds the matrices of `model` (float32) in place, block after block, each on what the rounded blocks below it give.

    rows: arrays of token ids.
    """
    rows = sorted(rows, key=len)
    batches = [rows[i : i + BATCH] for i in range(0, len(rows), BATCH)]
    states, masks = [], []
    for batch in batches:
        length = len(batch[-1])
        states.append(F.embedding(pad(batch, length), model.token_embd))
        masks.append(torch.tensor([len(row) for row in batch])[:, None] > torch.arange(length))
    c = model.config

    def fit(weight, inputs):
        hessian = torch.zeros(weight.shape[1], weight.shape[1])
        for h, mask in zip(inputs, masks):
            h = h[mask]
            hessian += h.T @ h
        weight.data = gptq(weight.data, hessian)

    for number, block in enumerate(model.blk):
        began = time.monotonic()
        fit(block.attn_qkv, [F.rms_norm(x, (c.width,), block.attn_norm, c.norm_eps) for x in states])
        attended = []
        for x in states:
            q, k, v = block.qkv(x, *model.rotations(x.shape[1], x)).split([c.heads, c.kv_heads, c.kv_heads], -2)
            attended.append(attention(q, k, v).reshape(x.shape))
        fit(block.attn_output, attended)
        states = [x + F.linear(h, block.attn_output) for x, h in zip(states, attended)]
        normed = [F.rms_norm(x, (c.width,), block.ffn_norm, c.norm_eps) for x in states]
        fit(block.ffn_gate_up, normed)
        gated = []
        for h in normed:
            gate, up = F.linear(h, block.ffn_gate_up).chunk(2, -1)
            gated.append(F.silu(gate) * up)
        fit(block.ffn_down, gated)
        states = [x + F.linear(h, block.ffn_down) for x, h in zip(states, gated)]
        say(f"block {number + 1} of {c.layers}  {time.monotonic() - began:.0f} s", flush=True)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--rows", type=Path, required=True, help="training rows, of which --count are taken")
    parser.add_argument("--count", type=int, default=192)
    parser.add_argument("--to", type=Path, required=True, help="the checkpoint to write: for export_planner.py, or --init of train_planner.py")
    args = parser.parse_args(argv)
    checkpoint = torch.load(args.checkpoint, map_location="cpu", weights_only=True)
    base = Path(checkpoint["args"]["base"])
    model = Llama.from_gguf(base)
    model.token_embd.data = fake_q4_0(model.token_embd.data)
    names = dict(model.named_parameters())
    for name, weight in checkpoint["masters"].items():
        names[name].data = weight.float()
    args.to.parent.mkdir(parents=True, exist_ok=True)
    rows = [tokens for tokens, *_ in load_rows(args.rows, base, args.to.parent)]
    quantize(model, random.Random(1).sample(rows, min(args.count, len(rows))))
    for name, weight in checkpoint["masters"].items():
        checkpoint["masters"][name] = masters_of(weight.float(), names[name].data) if weight.dim() == 2 else weight
    checkpoint["args"]["quantized"] = "gptq"
    save_atomically(checkpoint, args.to)


if __name__ == "__main__":
    main()
