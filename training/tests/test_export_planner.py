import json

import gguf
import pytest
import torch
from test_train_planner import command, masters, own_signals  # noqa: F401  a fixture

from export_planner import main as export
from model import Llama, fake_q4_0
from train_planner import main as train


@pytest.fixture
def run(base, data):
    train(command(base, data, data / "run"))
    return data / "run"


def export_as(kind, base, run, path):
    export(["--checkpoint", str(run / "checkpoint.pt"), "--to", str(path), "--base", str(base), "--type", kind])
    return Llama.from_gguf(path).state_dict()


def test_a_q4_0_file_holds_the_weights_that_training_ended_with(base, run, tmp_path):
    exported = export_as("q4_0", base, run, tmp_path / "planner.gguf")
    trained = masters(run)
    assert set(exported) == {*trained, "token_embd"}
    for name, weight in trained.items():
        assert torch.equal(exported[name], fake_q4_0(weight) if weight.dim() == 2 else weight), name
    assert torch.equal(exported["token_embd"], fake_q4_0(Llama.from_gguf(base).token_embd.data))
    assert {t.tensor_type.name for t in gguf.GGUFReader(tmp_path / "planner.gguf").tensors} == {"Q4_0", "F32"}


@pytest.mark.parametrize("kind, error", [("q8_0", 0.01), ("f16", 0.001)])
def test_the_other_types_hold_the_weights_before_rounding_to_four_bits(base, run, tmp_path, kind, error):
    exported = export_as(kind, base, run, tmp_path / "planner.gguf")
    for name, weight in masters(run).items():
        assert (exported[name] - weight).abs().max() <= error * weight.abs().max(), name


def test_the_file_keeps_the_bases_tokenizer_and_says_what_it_is(base, run, tmp_path):
    export_as("q4_0", base, run, tmp_path / "planner.gguf")
    ours, theirs = gguf.GGUFReader(tmp_path / "planner.gguf"), gguf.GGUFReader(base)
    read = lambda reader, key: reader.get_field(key).contents()
    for key in [key for key in theirs.fields if key.startswith(("tokenizer.", "llama."))]:
        assert read(ours, key) == read(theirs, key), key
    assert read(ours, "general.license") == "apache-2.0"
    assert read(ours, "general.base_model.0.name") == "SmolLM2-135M-Instruct"
    assert read(ours, "general.file_type") == gguf.LlamaFileType.MOSTLY_Q4_0


def test_the_cards_figures_are_the_runs_and_name_no_folder(base, run, tmp_path):
    export_as("q4_0", base, run, tmp_path / "planner.gguf")
    card = json.loads((run / "card.json").read_text())
    assert (card["rows"], card["steps"], card["epochs"], card["stepsWithQat"], card["finished"]) == (12, 12, 4, 6, True)
    assert card["arguments"]["train"] == "train.jsonl" and str(tmp_path) not in json.dumps(card)
