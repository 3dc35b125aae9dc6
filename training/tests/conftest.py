"""A tiny base model, tokenizer of single bytes and two layers, in a GGUF of its own, and a few rows: the tests download nothing."""

import json
import sys
from pathlib import Path

import gguf
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent.parent))

from model import Config, Llama, to_gguf_tensors  # noqa: E402

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def tiny_model(seed=0):
    torch.manual_seed(seed)
    model = Llama(Config(layers=2, width=64, heads=4, kv_heads=2, ffn=96, vocab=320, rope_base=1000.0))
    for weight in model.parameters():
        torch.nn.init.normal_(weight, 1.0 if weight.dim() == 1 else 0.0, 0.1)
    return model


@pytest.fixture(scope="session")
def base(tmp_path_factory):
    from tokenizers.pre_tokenizers import ByteLevel

    path = tmp_path_factory.mktemp("base") / "tiny.gguf"
    model = tiny_model()
    config = model.config
    letters = sorted(ByteLevel.alphabet())
    merges = ["t h", "Ġ a", "j o"]
    tokens = SPECIAL + letters + [merge.replace(" ", "") for merge in merges]
    tokens += [f"<unused{i}>" for i in range(config.vocab - len(tokens))]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_block_count(config.layers)
    writer.add_context_length(512)
    writer.add_embedding_length(config.width)
    writer.add_feed_forward_length(config.ffn)
    writer.add_head_count(config.heads)
    writer.add_head_count_kv(config.kv_heads)
    writer.add_rope_freq_base(config.rope_base)
    writer.add_rope_dimension_count(config.head_width)
    writer.add_layer_norm_rms_eps(config.norm_eps)
    writer.add_vocab_size(config.vocab)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL if token in SPECIAL else gguf.TokenType.NORMAL for token in tokens])
    writer.add_token_merges(merges)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(False)
    for name, weight in to_gguf_tensors(model.state_dict(), config).items():
        writer.add_tensor(name, weight.numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture
def data(tmp_path):
    """A folder with 12 rows to train on, three groups, and 4 to validate with, one."""
    names = ["Ana", "Bo", "Cy", "Dee", "Eva", "Flo", "Gus", "Hal", "Ida", "Joe", "Kim", "Lea", "Max", "Noa", "Ora", "Pia"]
    rows = [json.dumps({"prompt": f"Tools:\nget_phone_number(name) Find it.\nQ: call {name}\nA:\n", "completion": f'1. get_phone_number("{name}")\n2. join()'}) for name in names]
    (tmp_path / "train.jsonl").write_text("\n".join(rows[:12]) + "\n")
    (tmp_path / "validation.jsonl").write_text("\n".join(rows[12:]) + "\n")
    return tmp_path
