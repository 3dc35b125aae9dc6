"""The planner's network: a Llama in plain PyTorch, read from a GGUF and named for its tensors.

    from model import Llama
    model = Llama.from_gguf("SmolLM2-135M-Instruct.Q4_1.gguf")
    hidden = model(tokens)                                   # (rows, length) -> (rows, length, width)
    loss = model.loss(hidden, targets)                       # only where targets are not IGNORE

q, k and v are one matrix here, and so are gate and up: fewer and larger matmuls. `to_gguf_tensors` takes them apart again.
llama.cpp rotates neighbouring pairs (0,1), (2,3); we rotate halves (0,32), (1,33), which is faster in PyTorch, so the rows
of q and k change places on the way in and back on the way out. Q4_0's groups run along a row, so that touches no group.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

IGNORE = -100
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

    def forward(self, x, cos, sin):
        c = self.config
        rows, length, _ = x.shape
        h = F.rms_norm(x, (c.width,), self.attn_norm, c.norm_eps)
        qkv = F.linear(h, self.attn_qkv).view(rows, length, -1, c.head_width)
        qk, v = qkv.split([c.heads + c.kv_heads, c.kv_heads], 2)
        low, high = qk.chunk(2, -1)
        qk = torch.cat([low * cos - high * sin, high * cos + low * sin], -1)
        q, k = qk.split([c.heads, c.kv_heads], 2)
        h = attention_by_matmul(q, k, v) if x.device.type == "cpu" and length <= SHORT_ROW else attention(q, k, v)
        x = x + F.linear(h.reshape(rows, length, c.width), self.attn_output)
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

    def rotations(self, length, like):
        """Cosine and sine of every position's angles, shaped to multiply (rows, length, heads, half a head)."""
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

    def logits(self, tokens):
        return F.linear(self(tokens), self.token_embd)

    def loss(self, hidden, targets):
        """Mean over the positions that have a target. The vocabulary's matmul sees no other position."""
        wanted = (targets != IGNORE).flatten().nonzero().squeeze(1)
        assert len(wanted), "a batch without a single token to learn"
        return FrozenHeadLoss.apply(hidden.flatten(0, 1)[wanted], self.token_embd, targets.flatten()[wanted])

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
