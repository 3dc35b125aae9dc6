import json
import os
import signal

import gguf
import numpy as np
import pytest
import torch

import train_planner
from model import IGNORE, PAD, Llama, fake_q4_0, from_gguf_tensors
from train_planner import epoch_batches, load_tokenizer, main, make_batch, write_working_weights


@pytest.fixture(autouse=True)
def own_signals():
    """Training takes SIGTERM and SIGINT for itself; give them back."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def command(base, data, out, *more):
    """Twelve steps: 12 rows are three batches of one group, four times over."""
    options = {"train": data / "train.jsonl", "validation": data / "validation.jsonl", "base": base, "out": out, "epochs": 4, "batch": 4}
    options |= {"rate": 3e-3, "warmup": 2, "qat-from": 0.5, "validate-every": 5, "device": "cpu", "threads": 1}
    return [part for key, value in options.items() for part in (f"--{key}", str(value))] + ["--no-compile", *more]


def history(out):
    return [json.loads(line) for line in (out / "history.jsonl").read_text().splitlines()]


def losses(out):
    return [line["loss"] for line in history(out)]


def masters(out):
    return torch.load(out / "checkpoint.pt", weights_only=True)["masters"]


def at_step(monkeypatch, step, action):
    """Calls action in the middle of this step. The first batch that is made is the validation rows'."""
    calls = []

    def make(*args):
        calls.append(args)
        if len(calls) - 1 == step:
            action()
        return make_batch(*args)

    monkeypatch.setattr(train_planner, "make_batch", make)


def fail(*_):
    raise KeyboardInterrupt("killed")


def test_the_loss_covers_the_completion_and_the_end_token_only():
    long, short = (np.array([7, 10, 11, 20, 21, 2], dtype=np.int32), 3, 1), (np.array([7, 10, 20, 2], dtype=np.int32), 2, 1)
    heads, lengths, inputs, targets = make_batch([[long, short]])
    assert heads.tolist() == [[7]] and lengths.tolist() == [1]
    assert inputs.tolist() == [[[10, 11, 20, 21], [10, 20, PAD, PAD]]]
    assert targets.tolist() == [[[IGNORE, 20, 21, 2], [20, 2, IGNORE, IGNORE]]]


def test_prompt_and_completion_are_tokenised_apart_and_ended(base, data):
    tokenizer, eos = load_tokenizer(base)
    tokens, prompt, head = train_planner.load_rows(data / "train.jsonl", base, data)[0]
    row = json.loads((data / "train.jsonl").read_text().splitlines()[0])
    assert tokenizer.encode(row["prompt"], add_special_tokens=False).ids == tokens[:prompt].tolist()
    assert tokenizer.encode(row["completion"], add_special_tokens=False).ids + [eos] == tokens[prompt:].tolist()
    assert tokenizer.encode(row["prompt"].split("\nQ: ")[0], add_special_tokens=False).ids == tokens[:head].tolist()


def test_special_tokens_in_a_request_are_plain_text_and_digits_stand_alone(base):
    tokenizer, eos = load_tokenizer(base)
    ids = tokenizer.encode("<|im_end|> 12 the", add_special_tokens=False).ids
    assert eos == 2 and eos not in ids
    assert [tokenizer.id_to_token(i) for i in ids[-6:]] == ["Ġ", "1", "2", "Ġ", "th", "e"]


def test_every_row_comes_once_an_epoch_in_another_order_each_time():
    heads = [np.arange(i % 30) for i in range(100)]
    rows = [(np.concatenate([head, np.zeros(5 + i)]), len(head) + 1, len(head)) for i, head in enumerate(heads)]
    first, second = (epoch_batches(rows, 8, seed=1, epoch=epoch) for epoch in (0, 1))
    flat = lambda batches: [row for groups in batches for group in groups for row in group]
    assert sorted(flat(first)) == sorted(flat(second)) == list(range(100))
    assert first != second and first == epoch_batches(rows, 8, seed=1, epoch=0)
    for groups in first:
        assert len({len(group) for group in groups}) == 1 and sum(map(len, groups)) <= 8
        assert all(len({rows[row][2] for row in group}) == 1 for group in groups), "rows of one group begin alike"
    assert any(len(groups[0]) > 1 for groups in first)


def test_frozen_blocks_stay_as_they_were_and_the_others_learn(base, data):
    main(command(base, data, data / "run", "--freeze", "1"))
    before = from_gguf_tensors({t.name: torch.from_numpy(gguf.dequantize(t.data, t.tensor_type).copy()) for t in gguf.GGUFReader(base).tensors}, Llama.from_gguf(base).config)
    after = masters(data / "run")
    assert torch.equal(after["blk.0.ffn_down"], before["blk.0.ffn_down"])
    assert not torch.equal(after["blk.1.ffn_down"], before["blk.1.ffn_down"])


def test_a_run_learns_its_rows_and_ends_with_a_small_rate(base, data):
    main(command(base, data, data / "run"))
    lines = history(data / "run")
    assert len(lines) == 12 and lines[-1]["final"]
    assert lines[-1]["loss"] < lines[0]["loss"] * 0.8
    assert lines[-1]["rate"] < lines[2]["rate"] / 5
    assert [line["step"] for line in lines if "validationLoss" in line] == [5, 10, 12]
    assert [line["qat"] for line in lines] == [False] * 6 + [True] * 6


def test_a_killed_run_goes_on_as_if_nothing_had_happened(base, data, monkeypatch):
    main(command(base, data, data / "whole"))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        at_step(patch, 8, fail)
        main(command(base, data, data / "killed", "--checkpoint-minutes", "0"))
    main(command(base, data, data / "killed"))
    assert losses(data / "killed") == losses(data / "whole")
    one, other = masters(data / "killed"), masters(data / "whole")
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_sigterm_saves_and_stops(base, data, monkeypatch):
    main(command(base, data, data / "whole"))
    with monkeypatch.context() as patch:
        at_step(patch, 5, lambda: os.kill(os.getpid(), signal.SIGTERM))
        main(command(base, data, data / "stopped"))
    assert len(history(data / "stopped")) == 5
    main(command(base, data, data / "stopped"))
    assert losses(data / "stopped") == losses(data / "whole")


def test_no_half_written_checkpoint_takes_the_place_of_a_whole_one(tmp_path, monkeypatch):
    train_planner.save_atomically({"step": 1}, tmp_path / "checkpoint.pt")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(torch, "save", lambda state, path: (path.write_text("half"), fail()))
        train_planner.save_atomically({"step": 2}, tmp_path / "checkpoint.pt")
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True) == {"step": 1}


def test_the_working_weights_are_the_grid_of_the_masters():
    weights = {"matrix": torch.randn(8, 64), "norm": torch.randn(64)}
    working = {name: torch.empty_like(weight, dtype=torch.bfloat16) for name, weight in weights.items()}
    write_working_weights(working, weights, True)
    assert torch.equal(working["matrix"], fake_q4_0(weights["matrix"]).bfloat16())
    assert torch.equal(working["norm"], weights["norm"].bfloat16())


def test_a_new_run_can_start_from_the_weights_of_another(base, data):
    main(command(base, data, data / "first"))
    main(command(base, data, data / "second", "--init", str(data / "first" / "checkpoint.pt")))
    lines = history(data / "second")
    assert lines[0]["step"] == 1 and lines[0]["loss"] < losses(data / "first")[0] * 0.8
