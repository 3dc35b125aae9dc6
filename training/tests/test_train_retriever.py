import json

import pytest
import torch

from train_retriever import LABELS, MAX_LENGTH, MAX_TOOL, RANKS, describe, encode, exact, pair_figures, pairs_of, read_rows, recall_at, score_pairs, targets

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
