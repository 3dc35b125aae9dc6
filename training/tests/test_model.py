import gguf
import pytest
import torch
import torch.nn.functional as F
from conftest import tiny_model

from model import IGNORE, PAD, Llama, attention, attention_by_matmul, fake_q4_0, from_gguf_tensors, q4_0_parts, to_gguf_tensors


def test_logits_are_those_of_transformers():
    transformers = pytest.importorskip("transformers")
    model = tiny_model()
    c = model.config
    reference = transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=c.vocab, hidden_size=c.width, intermediate_size=c.ffn, num_hidden_layers=c.layers,
            num_attention_heads=c.heads, num_key_value_heads=c.kv_heads, rms_norm_eps=c.norm_eps, tie_word_embeddings=True,
            rope_theta=c.rope_base, rope_parameters={"rope_type": "default", "rope_theta": c.rope_base})).eval()  # fmt: skip
    state = {"model.embed_tokens.weight": model.token_embd, "lm_head.weight": model.token_embd, "model.norm.weight": model.output_norm}
    for i, block in enumerate(model.blk):
        q, k, v = block.attn_qkv.split([c.width, c.width // 2, c.width // 2])
        gate, up = block.ffn_gate_up.chunk(2)
        parts = {"self_attn.q_proj": q, "self_attn.k_proj": k, "self_attn.v_proj": v, "self_attn.o_proj": block.attn_output}
        parts |= {"mlp.gate_proj": gate, "mlp.up_proj": up, "mlp.down_proj": block.ffn_down}
        parts |= {"input_layernorm": block.attn_norm, "post_attention_layernorm": block.ffn_norm}
        state |= {f"model.layers.{i}.{name}.weight": part for name, part in parts.items()}
    reference.load_state_dict(state)
    tokens = torch.randint(0, c.vocab, (3, 40))
    with torch.no_grad():
        torch.testing.assert_close(model.logits(tokens), reference(tokens).logits, atol=1e-4, rtol=1e-4)


def test_both_attentions_give_the_same_and_the_same_gradients():
    torch.manual_seed(0)
    inputs = [torch.randn(2, 17, heads, 8, requires_grad=True) for heads in (6, 2, 2)]
    results = []
    for attend in (attention, attention_by_matmul):
        h = attend(*inputs)
        results.append([h, *torch.autograd.grad((h * torch.arange(8)).sum(), inputs)])
    for one, other in zip(*results):
        torch.testing.assert_close(one, other)


def test_padding_on_the_right_changes_nothing_before_it():
    model = tiny_model()
    tokens = torch.randint(0, model.config.vocab, (1, 12))
    with torch.no_grad():
        torch.testing.assert_close(model(tokens), model(F.pad(tokens, (0, 5), value=2))[:, :12])


def test_rows_that_share_their_head_give_what_whole_rows_give_and_the_same_gradients():
    model = tiny_model()
    heads, tails = [torch.randint(0, model.config.vocab, (n,)) for n in (7, 4)], [[9, 5], [3, 8]]
    tails = [[torch.randint(0, model.config.vocab, (n,)) for n in group] for group in tails]
    pad = lambda rows: torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PAD)
    padded = pad([tail for group in tails for tail in group]).view(2, 2, -1)
    shared = model.branches(pad(heads), torch.tensor([7, 4]), padded)
    alone = [[model(torch.cat([head, tail])[None])[0, len(head) :] for tail in group] for head, group in zip(heads, tails)]
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    # A sum of squares of what is normed would have no gradient.
    total = lambda hidden: (hidden * torch.arange(hidden.shape[-1])).sum()
    of_shared = total(shared[padded != PAD])
    of_alone = sum(total(hidden) for group in alone for hidden in group)
    for g, group in enumerate(alone):
        for i, hidden in enumerate(group):
            torch.testing.assert_close(shared[g, i, : len(hidden)], hidden)
    for one, other in zip(torch.autograd.grad(of_shared, trained), torch.autograd.grad(of_alone, trained)):
        torch.testing.assert_close(one, other, atol=1e-3, rtol=1e-3)


def test_the_loss_and_its_gradient_are_cross_entropy_at_the_targets_only():
    model = tiny_model()
    tokens = torch.randint(0, model.config.vocab, (20, 30))
    targets = tokens.roll(-1, 1)
    targets[:, :10] = IGNORE
    targets[::2, 25:] = IGNORE
    ours = model.loss(model(tokens), targets)
    plain = F.cross_entropy(model.logits(tokens).flatten(0, 1), targets.flatten(), ignore_index=IGNORE)
    torch.testing.assert_close(ours, plain)
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    for one, other in zip(torch.autograd.grad(ours, trained), torch.autograd.grad(plain, trained)):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-4)


def test_the_q4_0_grid_is_llama_cpps():
    torch.manual_seed(0)
    weight = torch.randn(64, 256)
    weight[0] = 0
    weight[1, :32] = torch.arange(-16, 16)  # -16 is the peak
    packed = gguf.quantize(weight.numpy(), gguf.GGMLQuantizationType.Q4_0)
    torch.testing.assert_close(fake_q4_0(weight), torch.from_numpy(gguf.dequantize(packed, gguf.GGMLQuantizationType.Q4_0)), atol=0, rtol=0)
    levels, _ = q4_0_parts(weight)
    assert levels.min() == 0 and levels.max() == 15


def test_tensors_go_to_gguf_and_come_back(base):
    model = tiny_model()
    back = from_gguf_tensors(to_gguf_tensors(model.state_dict(), model.config), model.config)
    loaded = Llama.from_gguf(base)
    assert {k: v for k, v in vars(loaded.config).items() if k != "norm_eps"} == {k: v for k, v in vars(model.config).items() if k != "norm_eps"}
    for name, weight in model.state_dict().items():
        assert torch.equal(back[name], weight) and torch.equal(loaded.state_dict()[name], weight), name
