import json
import random

import pytest
import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertModel

from train_retriever import GROUP, LABELS, MAX_LENGTH, MAX_TOOL, RANKS, WIDTH, PackedEmbedding, Retriever, bare_encoder, describe, encode, exact, focused, model_of, pair_figures, pairs_of, read_rows, recall_at, score_pairs, targets

PROMPT = """Tools:
send_sms(recipients[], message) Send a text message.
hueSetScene(room (which room (or all)), scene) Sets a scene (of lights).
box.where(container) Where a container is now
Always: text Sid too
Q: Cosy light please
A:
"""


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "rows.jsonl"
    plans = ['1. hueSetScene("all", "Cosy")\n2. send_sms(["$1"], "a")\n3. send_sms(["$1"], "hueSetScene(")\n4. join()', "1. join()"]
    path.write_text("".join(json.dumps({"prompt": prompt, "completion": plan}) + "\n" for prompt, plan in zip([PROMPT, "Tools:\nQ: Hello\nA:\n"], plans)))
    return read_rows(path)


def test_a_foreign_tool_is_its_name_in_words_and_its_description():
    assert describe("hueSetScene(room (which room (or all)), scene) Sets a scene (of lights).") == "hue set scene: Sets a scene (of lights)."
    assert describe("box.where-now_2() Where") == "box where now 2: Where"
    assert describe("plain(a)") == "plain: "


def test_rows_count_calls_and_say_which_foreign_tools_are_called(rows):
    (text, counts, foreign), (hello, none, nothing) = rows
    assert text == "Cosy light please\ntext Sid too"
    assert {name: n for name, n in zip(LABELS, counts) if n} == {"send_sms": 2}
    assert foreign == [("hue set scene: Sets a scene (of lights).", True), ("box where: Where a container is now", False)]
    assert (hello, sum(none), nothing) == ("Hello", 0, [])
    assert pairs_of(rows) == [[text, text], [tool for tool, _ in foreign], [True, False]]
    assert pairs_of(rows[1:]) == [[], [], []]


class Words:
    """[1] before and [2] after a number for each word, as BERT's tokenizer has [CLS] and [SEP]"""

    def encode_batch(self, texts):
        return [type("Encoding", (), {"ids": [1, *(10 + len(word) for word in text.split()), 2]}) for text in texts]


def test_texts_are_padded_and_cut_and_pairs_stand_behind_each_other():
    ids, mask = encode(Words(), ["a bb", "a " * 500])
    assert ids.shape == mask.shape == (2, MAX_LENGTH)
    assert ids[0, :5].tolist() == [1, 11, 12, 2, 0] and mask[0].sum() == 4
    assert ids[1, -1] == 2 and mask[1].all()
    ids, mask = encode(Words(), ["a bb", "a"], ["ccc", "dddd " * 99])
    assert ids[0, :7].tolist() == [1, 11, 12, 2, 13, 2, 0]
    assert ids[1, :4].tolist() == [1, 11, 2, 14] and mask[1].sum() == 3 + MAX_TOOL and ids[1, mask[1].sum() - 1] == 2


def test_each_rank_asks_for_one_call_more():
    ranks = targets(torch.tensor([[0, 1, 3]])).view(RANKS, 3).tolist()
    assert ranks == [[0, 1, 1], [0, 0, 1], [0, 0, 1], [0, 0, 0]]
    probabilities = targets(torch.tensor([[0, 1, 3], [2, 0, 0]])) * 0.8 + 0.1
    assert exact(probabilities, torch.tensor([[0, 1, 3], [2, 0, 0]])) == (1, 1)
    assert exact(probabilities, torch.tensor([[0, 1, 2], [2, 0, 1]])) == (0.5, 0)


def test_recall_wants_every_tool_of_a_row():
    probabilities = torch.zeros(2, RANKS * len(LABELS))
    probabilities[:, 0], probabilities[0, 1] = 0.9, 0.9
    counts = torch.zeros(2, len(LABELS))
    counts[:, :2] = 1
    recall, tools = recall_at(probabilities, counts, 0.5)
    assert (recall, tools) == (0.5, 1.5)


def test_pairs_are_scored_one_to_a_called_or_uncalled_tool(rows):
    probabilities, called = score_pairs(lambda texts, tools: torch.tensor([9.0 if "hue" in tool else -9.0 for tool in tools]), rows)
    assert pair_figures(probabilities, called)[0.5] == (1, 0)
    assert [len(empty) for empty in score_pairs(None, rows[1:])] == [0, 0]


def test_packed_embeddings_are_the_nearest_of_fifteen_steps_a_group():
    torch.manual_seed(1)
    weight = torch.randn(7, WIDTH)
    weight[3] = 0
    got = PackedEmbedding.of(weight)(torch.tensor([[3, 0], [6, 6]]))
    assert got.shape == (2, 2, WIDTH) and not got[0, 0].any() and torch.equal(got[1, 0], got[1, 1])
    step = weight[[0, 6]].reshape(2, -1, GROUP).abs().amax(2).repeat_interleave(GROUP, 1) / 7
    assert ((got[[0, 1], 1] - weight[[0, 6]]).abs() <= step * 0.51).all()
    ends = torch.tensor([[7.0, -7.0] * (WIDTH // 2)])
    assert torch.equal(PackedEmbedding.of(ends)(torch.tensor([0])), ends)


def test_a_run_goes_on_from_its_file_and_fewer_layers_of_a_base_may_do(tmp_path):
    torch.manual_seed(1)
    run = Retriever(bare_encoder(2))
    torch.save({"model": run.state_dict()}, tmp_path / "run.pt")
    again = model_of(tmp_path / "run.pt")
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in run.state_dict().items())

    encoder = BertModel(BertConfig(hidden_size=WIDTH, num_hidden_layers=3, num_attention_heads=12, intermediate_size=4 * WIDTH), add_pooling_layer=False)
    save_file(encoder.state_dict(), tmp_path / "base.safetensors")
    model = model_of(tmp_path / "base.safetensors", 2)
    assert len(model.encoder.encoder.layer) == 2
    assert torch.equal(model.encoder.encoder.layer[1].output.dense.weight, encoder.encoder.layer[1].output.dense.weight)
    words = model.encoder.embeddings.word_embeddings(torch.arange(9))
    assert (words - encoder.embeddings.word_embeddings.weight[:9]).abs().max() < 0.01

    torch.save({"model": {name: value for name, value in run.state_dict().items() if name != "count"}}, tmp_path / "damaged.pt")
    with pytest.raises(AssertionError, match="lacks .'count'"):
        model_of(tmp_path / "damaged.pt")


def test_focus_keeps_all_rows_that_the_model_has_not_learned_and_some_of_the_others():
    model = Retriever(bare_encoder(1))
    torch.nn.init.zeros_(model.head.weight)
    torch.nn.init.constant_(model.head.bias, -6)  # it says that nothing is called
    called = [("text Ana", [1] + [0] * (len(LABELS) - 1), [])] * 40
    nothing = [("hello", [0] * len(LABELS), [])] * 60
    rows = called + nothing
    kept = focused(model, Words(), rows, 1, random.Random(1))
    assert kept.count(called[0]) == 40
    assert 5 < kept.count(nothing[0]) < 30
    assert rows == called + nothing
