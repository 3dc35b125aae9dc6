"""The planner's network: a Llama in plain PyTorch, read from a GGUF and named for its tensors.

    from model import Llama
    model = Llama.from_gguf("SmolLM2-135M-Instruct.Q4_1.gguf")
    hidden = model(tokens)                                   # (rows, length) -> (rows, length, width)
    loss = model.loss(hidden, targets)                       # only where targets are not IGNORE
    hidden = model.branches(heads, lengths, tails)           # rows that begin alike: their beginning is computed once

q, k and v are one matrix here, and so are gate and up: fewer and larger matmuls. `to_gguf_tensors` takes them apart again.
llama.cpp rotates neighbouring pairs (0,1), (2,3); we rotate halves (0,32), (1,33), which is faster in PyTorch, so the rows
of q and k change places on the way in and back on the way out. Q4_0's groups run along a row, so that touches no group.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

IGNORE = -100
PAD = -1  # a place in `tails` without a token
GROUP = 32  # weights that share one scale in Q4_0
SHORT_ROW = 384  # tokens; above it attention's matrices take gigabytes (16 rows of 560: 9 GB over 30 layers)
LOGIT_ROWS = 256  # rows of logits held at once: 256 x 49,152 floats are 50 MB


@dataclass
class Config:
    layers: int = 30
    width: int = 576
    heads: int = 9
    kv_heads: int = 3
    ffn: int = 1536
    vocab: int = 49152
    rope_base: float = 100000.0
    norm_eps: float = 1e-5

    @property
    def head_width(self):
        return self.width // self.heads

    @classmethod
    def from_gguf(cls, reader):
        field = lambda key: reader.get_field(f"llama.{key}").contents()
        return cls(
            layers=field("block_count"), width=field("embedding_length"), heads=field("attention.head_count"),
            kv_heads=field("attention.head_count_kv"), ffn=field("feed_forward_length"), vocab=field("vocab_size"),
            rope_base=field("rope.freq_base"), norm_eps=field("attention.layer_norm_rms_epsilon"))  # fmt: skip


def q4_0_parts(weight):
    """Levels 0..15 (groups, 32) and scales (groups, 1) of a float32 weight, as llama.cpp's quantize_row_q4_0_ref has them.

    Of two peaks of one size and different sign llama.cpp takes the first, and this the positive one.
    """
    groups = weight.reshape(-1, GROUP)
    low, high = groups.aminmax(dim=1, keepdim=True)
    scale = torch.where(high >= -low, high, low) / -8
    inverse = torch.where(scale == 0, 0, 1 / scale)  # of the scale before it is rounded to fp16
    return (groups * inverse).add_(8.5).trunc_().clamp_(0, 15), scale.half()


def fake_q4_0(weight):
    """The values that are left of a float32 weight in a Q4_0 file. Not to be compiled: inductor drops the scale's fp16 rounding."""
    levels, scale = q4_0_parts(weight)
    return levels.sub_(8).mul_(scale.float()).view(weight.shape)


class FrozenHeadLoss(torch.autograd.Function):
    """Mean cross-entropy of hidden @ head.T, for a head that is not trained.

    The gradient of `hidden` is made on the way forward, a few rows at a time, so the logits are never all there.
    """

    @staticmethod
    def forward(ctx, hidden, head, targets):
        grad = torch.empty_like(hidden)
        total = hidden.new_zeros((), dtype=torch.float32)
        for start in range(0, len(targets), LOGIT_ROWS):
            rows = slice(start, start + LOGIT_ROWS)
            probs = (hidden[rows] @ head.T).float()
            aim = targets[rows, None]
            peak = probs.amax(1, keepdim=True)
            hit = probs.gather(1, aim) - peak
            probs.sub_(peak).exp_()
            mass = probs.sum(1, keepdim=True)
            total += (mass.log() - hit).sum()
            probs.div_(mass).scatter_add_(1, aim, torch.full_like(hit, -1))
            grad[rows] = probs.to(hidden.dtype) @ head
        ctx.save_for_backward(grad.div_(len(targets)))
        return total / len(targets)

    @staticmethod
    def backward(ctx, grad_loss):
        (grad,) = ctx.saved_tensors
        return grad * grad_loss.to(grad.dtype), None, None


def attention(q, k, v):
    """Causal attention of (rows, length, heads, head width). Padding is on the right and no loss falls on it: no other mask."""
    q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
    return F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True).transpose(1, 2)


def attention_by_matmul(q, k, v):
    """The same for short rows on a CPU: forward and backward take 10 ms where the call above takes 25 (16 rows of 192)."""
    rows, length, heads, width = q.shape
    kv_heads = k.shape[2]
    share = heads // kv_heads  # query heads that read the same key: they become more rows of one matrix
    q = q.view(rows, length, kv_heads, share, width).permute(0, 2, 3, 1, 4).reshape(rows * kv_heads, share * length, width)
    k = k.permute(0, 2, 3, 1).reshape(rows * kv_heads, width, length)
    v = v.transpose(1, 2).reshape(rows * kv_heads, length, width)
    scores = (q @ k).view(-1, share, length, length) * width**-0.5
    positions = torch.arange(length, device=q.device)
    scores = scores.masked_fill(positions[:, None] < positions, float("-inf"))
    h = scores.softmax(-1).view(-1, share * length, length) @ v
    return h.view(rows, kv_heads, share, length, width).permute(0, 3, 1, 2, 4).reshape(rows, length, heads, width)


def attention_of_branches(q, k, v, head_k, head_v, mask):
    """Attention of rows that go on from a shared head. Their keys are the head's and, causally, their own.

    q (groups, branches, length, heads, width), k and v the same with fewer heads, head_k and head_v (groups, head length,
    kv heads, width). mask (groups, 1, 1, length, head length + length) is added to the scores: -inf is not to be seen.
    """
    groups, branches, length, heads, width = q.shape
    kv_heads = k.shape[3]
    share = heads // kv_heads
    rows = groups * branches * kv_heads
    q = q.view(groups, branches, length, kv_heads, share, width).permute(0, 1, 3, 4, 2, 5).reshape(rows, share * length, width)
    k, v = k.transpose(2, 3), v.transpose(2, 3)  # (groups, branches, kv heads, length, width)
    shared = lambda x: x.transpose(1, 2)[:, None].expand(-1, branches, -1, -1, -1)
    k = torch.cat([shared(head_k), k], 3).reshape(rows, -1, width).transpose(1, 2)
    v = torch.cat([shared(head_v), v], 3).reshape(rows, -1, width)
    scores = (q @ k).view(groups, branches * kv_heads, share, length, -1) * width**-0.5 + mask
    h = scores.softmax(-1).view(rows, share * length, -1) @ v
    return h.view(groups, branches, kv_heads, share, length, width).permute(0, 1, 4, 2, 3, 5).reshape(-1, heads * width)


class Layout:
    """Where the tokens of heads and tails stand, for the blocks, which see no padding, and for attention, which does.

    order (padded places,) says which token stands in a place, inverse (tokens,) in which place a token stands.
    """

    def __init__(self, heads, lengths, tails):
        self.groups, self.rows, length = tails.shape
        self.head = heads.shape[1]
        at, device = torch.arange(length, device=tails.device), tails.device
        padding = torch.arange(self.head, device=device) >= lengths[:, None]
        taken = torch.cat([~padding.flatten(), (tails != PAD).flatten()])
        self.inverse = taken.nonzero().squeeze(1)
        self.order = (taken.cumsum(0) - 1).clamp_min(0)
        positions = (lengths[:, None, None] + at).expand(-1, self.rows, -1)
        self.positions = torch.cat([torch.arange(self.head, device=device).repeat(self.groups), positions.flatten()])[self.inverse]
        own = (at[:, None] < at).expand(self.groups, -1, -1)
        self.unseen = torch.cat([padding[:, None].expand(-1, length, -1), own], 2)[:, None, None]


class Pad(torch.autograd.Function):
    """Tokens to their padded places; what stands in the others is never looked at. Each token has one place: no sum on the way back."""

    @staticmethod
    def forward(ctx, x, layout):
        ctx.layout = layout
        return x.index_select(0, layout.order)

    @staticmethod
    def backward(ctx, grad):
        return grad.index_select(0, ctx.layout.inverse), None


class Unpad(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, layout):
        ctx.layout, ctx.shape = layout, x.shape
        return x.index_select(0, layout.inverse)

    @staticmethod
    def backward(ctx, grad):
        return grad.new_zeros(ctx.shape).index_copy_(0, ctx.layout.inverse, grad), None


class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        qkv = (config.heads + 2 * config.kv_heads) * config.head_width
        self.attn_norm = nn.Parameter(torch.ones(config.width))
        self.attn_qkv = nn.Parameter(torch.empty(qkv, config.width))
        self.attn_output = nn.Parameter(torch.empty(config.width, config.width))
        self.ffn_norm = nn.Parameter(torch.ones(config.width))
        self.ffn_gate_up = nn.Parameter(torch.empty(2 * config.ffn, config.width))
        self.ffn_down = nn.Parameter(torch.empty(config.width, config.ffn))

    def qkv(self, x, cos, sin):
        """Queries, keys and values of x (..., width), turned to their positions: (..., all their heads, head width)."""
        c = self.config
        h = F.rms_norm(x, (c.width,), self.attn_norm, c.norm_eps)
        qkv = F.linear(h, self.attn_qkv).view(*x.shape[:-1], -1, c.head_width)
        qk, v = qkv.split([c.heads + c.kv_heads, c.kv_heads], -2)
        low, high = qk.chunk(2, -1)
        return torch.cat([torch.cat([low * cos - high * sin, high * cos + low * sin], -1), v], -2)

    def forward(self, x, cos, sin):
        rows, length, width = x.shape
        c = self.config
        q, k, v = self.qkv(x, cos, sin).split([c.heads, c.kv_heads, c.kv_heads], -2)
        h = attention_by_matmul(q, k, v) if x.device.type == "cpu" and length <= SHORT_ROW else attention(q, k, v)
        return self.rest(x, h.reshape(rows, length, width))

    def branches(self, x, cos, sin, layout):
        """x (tokens, width) without any padding; only attention sees the tokens in the layout's padded places."""
        q, k, v = Pad.apply(self.qkv(x, cos, sin), layout).split([self.config.heads, self.config.kv_heads, self.config.kv_heads], 1)
        split = layout.groups * layout.head
        heads = [t[:split].view(layout.groups, layout.head, *t.shape[1:]) for t in (q, k, v)]
        tails = [t[split:].view(layout.groups, layout.rows, -1, *t.shape[1:]) for t in (q, k, v)]
        h = torch.cat([attention_by_matmul(*heads).reshape(split, -1), attention_of_branches(*tails, *heads[1:], layout.mask)])
        return self.rest(x, Unpad.apply(h, layout))

    def rest(self, x, h):
        """What follows attention: its output's matrix and the feed-forward network."""
        c = self.config
        x = x + F.linear(h, self.attn_output)
        h = F.rms_norm(x, (c.width,), self.ffn_norm, c.norm_eps)
        gate, up = F.linear(h, self.ffn_gate_up).chunk(2, -1)
        return x + F.linear(F.silu(gate) * up, self.ffn_down)


class Llama(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.token_embd = nn.Parameter(torch.empty(config.vocab, config.width), requires_grad=False)
        self.blk = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.output_norm = nn.Parameter(torch.ones(config.width))
        self.rope = torch.empty(0)
        self.frozen = 0  # blocks that are not trained, from below

    def rotations(self, length, like):
        """Cosine and sine of every position's angles, each (length, 1, half a head)."""
        if len(self.rope) < length or self.rope.dtype != like.dtype:
            half = self.config.head_width // 2
            turns = self.config.rope_base ** -(torch.arange(half, dtype=torch.float64) / half)
            angles = torch.outer(torch.arange(length, dtype=torch.float64), turns)[:, None]
            self.rope = torch.stack([angles.cos(), angles.sin()], 1).to(like)
        return self.rope[:length].unbind(1)

    def forward(self, tokens):
        x = F.embedding(tokens, self.token_embd)
        cos, sin = self.rotations(tokens.shape[1], x)
        for block in self.blk:
            x = block(x, cos, sin)
        return F.rms_norm(x, (self.config.width,), self.output_norm, self.config.norm_eps)

    def branches(self, heads, lengths, tails):
        """Hidden states (groups, branches, length, width) of rows that share their beginning with the others of their group.

        heads (groups, head length) are those beginnings, padded on the right, `lengths` their tokens without the padding;
        tails (groups, branches, length) what follows in each row, padded with PAD. The same numbers as `forward` on whole rows.
        The first `frozen` blocks are not trained, and no gradient is made for them.
        """
        layout = Layout(heads, lengths, tails)
        x = F.embedding(torch.cat([heads.flatten(), tails.flatten()])[layout.inverse], self.token_embd)
        layout.mask = torch.zeros(1, dtype=x.dtype, device=x.device).masked_fill(layout.unseen, float("-inf"))
        cos, sin = (table[layout.positions] for table in self.rotations(int(layout.positions.max()) + 1, x))
        for block in self.blk[: self.frozen]:
            with torch.no_grad():
                x = block.branches(x, cos, sin, layout)
        for block in self.blk[self.frozen :]:
            x = block.branches(x, cos, sin, layout)
        x = Pad.apply(x, layout)[heads.numel() :].view(*tails.shape, -1)
        return F.rms_norm(x, (self.config.width,), self.output_norm, self.config.norm_eps)

    def logits(self, tokens):
        return F.linear(self(tokens), self.token_embd)

    def loss(self, hidden, targets):
        """Mean over the positions that have a target. The vocabulary's matmul sees no other position."""
        wanted = (targets != IGNORE).flatten().nonzero().squeeze(1)
        assert len(wanted), "a batch without a single token to learn"
        return FrozenHeadLoss.apply(hidden.flatten(0, -2)[wanted], self.token_embd, targets.flatten()[wanted])

    @classmethod
    def from_gguf(cls, path):
        import gguf

        reader = gguf.GGUFReader(path)
        config = Config.from_gguf(reader)
        tensors = {t.name: torch.from_numpy(gguf.dequantize(t.data, t.tensor_type).copy()) for t in reader.tensors}
        assert "output.weight" not in tensors, "this network ties its output to its embedding; the file does not"
        model = cls(config)
        model.load_state_dict(from_gguf_tensors(tensors, config))
        return model


def rotate_rows(weight, config, back=False):
    """Rows of q or k from llama.cpp's order (pairs side by side) to ours (halves), or back."""
    half = config.head_width // 2
    shape = (-1, 2, half) if back else (-1, half, 2)
    return weight.view(*shape, weight.shape[1]).transpose(1, 2).reshape(weight.shape)


def from_gguf_tensors(tensors, config):
    state = {"token_embd": tensors["token_embd.weight"], "output_norm": tensors["output_norm.weight"]}
    for i in range(config.layers):
        part = lambda name: tensors[f"blk.{i}.{name}.weight"]
        state[f"blk.{i}.attn_qkv"] = torch.cat([rotate_rows(part("attn_q"), config), rotate_rows(part("attn_k"), config), part("attn_v")])
        state[f"blk.{i}.ffn_gate_up"] = torch.cat([part("ffn_gate"), part("ffn_up")])
        state |= {f"blk.{i}.{name}": part(name) for name in ("attn_norm", "attn_output", "ffn_norm", "ffn_down")}
    return state


def to_gguf_tensors(state, config):
    tensors = {"token_embd.weight": state["token_embd"], "output_norm.weight": state["output_norm"]}
    for i in range(config.layers):
        q, k, v = state[f"blk.{i}.attn_qkv"].split([n * config.head_width for n in (config.heads, config.kv_heads, config.kv_heads)])
        gate, up = state[f"blk.{i}.ffn_gate_up"].chunk(2)
        parts = {"attn_q": rotate_rows(q, config, back=True), "attn_k": rotate_rows(k, config, back=True), "attn_v": v, "ffn_gate": gate, "ffn_up": up}
        parts |= {name: state[f"blk.{i}.{name}"] for name in ("attn_norm", "attn_output", "ffn_norm", "ffn_down")}
        tensors |= {f"blk.{i}.{name}.weight": part.contiguous() for name, part in parts.items()}
    return tensors
