"""Fine-tunes e5-small-v2 (arXiv 2212.03533) as the tool retriever: which tools does a request need, and how often? (Tool RAG)

    python train_retriever.py --init e5-small-v2.onnx --layers 10 --data data --out ~/retriever-run --minutes 120

Reads the planner's rows (data/train.jsonl: the request is the prompt's "Q:" line, the labels are how often its plan calls each
tool), so that both models learn from the same requests. One logit a tool and rank: is it called at least once, twice, ... RANKS
times (ordinal regression by binary cross-entropy, not weighted, so that the planner can take the scores as probabilities). It is
made of the mean and the maximum of the tokens' states and, for counting, of a sum over the tokens.
A tool that is not one of the sixteen is read together with the request, and one logit says whether it is called (a cross-encoder,
arXiv 1901.04085), so that its name and description are all that it takes. Every row's foreign tools, called or not, are such pairs.
With --focus it learns from the rows that the weights it starts from have not learned yet: 40% of the rows hold 97% of a trained model's loss.
The word embeddings, in 4 bits, and the first layers (--freeze) stay as they are. Leaves OUT/retriever.pt for export_retriever.py.
"""

import argparse
import json
import random
import re
import time
from collections import Counter
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

from train_planner import fast_bf16

# The order of src/tools/specs.ts; tests/e2e/retriever.test.ts compares labels.json with it.
LABELS = """get_phone_number get_email_address create_calendar_event open_and_get_file_path summarize_pdf compose_new_email reply_to_email
forward_email maps_open_location maps_show_directions create_note open_note append_note_content create_reminder send_sms
get_zoom_meeting_link""".split()
SHIPPED = Path(__file__).parent.parent / "models" / "retriever"
WIDTH = 384
GROUP = 96  # numbers of a word's embedding that share a scale
MAX_LENGTH = 128
PAIR_WEIGHT = 0.1  # a pair's one logit against the 64 of a row, of which most are easy
MAX_TOOL = 48  # tokens of a foreign tool's text in a pair
RANKS = 4
PUNCTUATION = re.compile(r"[,;:!?'’\"]|\.(?=\s|$)")  # what dictation leaves out
CALL = re.compile(r"^\d+\. ([\w.-]+)\(", re.M)


def describe(line):
    """A tool's line of a prompt, "hueSetScene(room, scene) Sets ..." -> "hue set scene: Sets ...", as src/core/retriever.ts does."""
    name, depth = line[: line.index("(")], 0
    for at in range(len(name), len(line)):
        depth += {"(": 1, ")": -1}.get(line[at], 0)
        if depth == 0:
            break
    words = re.sub(r"([a-z])([A-Z])", r"\1 \2", re.sub(r"[_.-]+", " ", name)).lower()
    return f"{words}: {line[at + 1 :].strip()}"


def read_rows(path):
    """[(text, [calls, at most RANKS, a label], [(foreign tool's text, whether it is called)])]

    The text is the request, with the standing instructions where a row has them.
    """
    rows = []
    for line in path.read_text().splitlines():
        row = json.loads(line)
        prompt = row["prompt"]
        start = prompt.index("\nQ: ")
        text = prompt[start + 4 : prompt.rindex("\nA:")]
        always = re.search(r"^Always: (.*)$", prompt, re.M)
        if always:
            text += "\n" + always.group(1)
        calls = Counter(CALL.findall(row["completion"]))
        named = [(tool[: tool.index("(")], tool) for tool in prompt[:start].split("\n") if re.match(r"[\w.-]+\(", tool)]
        foreign = [(describe(tool), calls[name] > 0) for name, tool in named if name not in LABELS]
        rows.append((text, [min(calls[name], RANKS) for name in LABELS], foreign))
    return rows


class PackedEmbedding(torch.nn.Module):
    """An embedding in 4 bits, which is not trained: ids [n, length] -> [n, length, width]

    Two numbers of -7 to 7 a byte (the first half of a row in the low bits), GROUP of them with a scale. Half of the encoder's bytes are words.
    """

    def __init__(self, words, width):
        super().__init__()
        self.register_buffer("packed", torch.zeros(words, width // 2, dtype=torch.uint8))
        self.register_buffer("scales", torch.zeros(words, width // GROUP, dtype=torch.float16))

    @classmethod
    def of(cls, weight):
        """The nearest of a float matrix [words, width]"""
        made = cls(*weight.shape)
        groups = weight.reshape(len(weight), -1, GROUP)
        made.scales = (groups.abs().amax(2) / 7).half()
        ints = (groups / made.scales.float().clamp(min=1e-8).unsqueeze(2)).round().clamp(-7, 7).reshape(weight.shape) + 8
        low, high = ints.to(torch.uint8).chunk(2, 1)
        made.packed = low | high << 4
        return made

    def forward(self, ids):
        both = torch.nn.functional.embedding(ids, self.packed).float()
        high = torch.floor(both / 16)
        ints = torch.cat([both - 16 * high, high], -1) - 8
        scales = torch.nn.functional.embedding(ids, self.scales).float()
        return (ints.unflatten(-1, (-1, GROUP)) * scales.unsqueeze(-1)).flatten(-2)


class Retriever(torch.nn.Module):
    """input_ids, attention_mask [n, length] -> logits [n, RANKS * labels] (rank by rank), unit embeddings [n, 384], called [n]

    `called` is the logit of a pair (request, foreign tool), and says nothing of a request alone.
    """

    def __init__(self, encoder):
        super().__init__()
        width = encoder.config.hidden_size
        self.encoder = encoder
        self.head = torch.nn.Linear(2 * width, RANKS * len(LABELS))
        self.mention = torch.nn.Linear(width, len(LABELS))
        self.called = torch.nn.Linear(2 * width, 1)
        self.count = torch.nn.Parameter(torch.ones(RANKS, len(LABELS)))
        torch.nn.init.constant_(self.mention.bias, -4)

    def forward(self, input_ids, attention_mask):
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=torch.zeros_like(input_ids)).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(states.dtype)
        mean = (states * mask).sum(1) / mask.sum(1).clamp(min=1)
        peak = (states * mask - 100 * (1 - mask)).amax(1)
        mentions = (torch.sigmoid(self.mention(states)) * mask).sum(1)
        whole = torch.cat([mean, peak], 1)
        logits = self.head(whole) + (self.count * mentions.unsqueeze(1)).flatten(1)
        return logits, torch.nn.functional.normalize(mean, dim=-1), self.called(whole).squeeze(1)


def tokenizer():
    """BERT's uncased one, as the shipped retriever and all bases have it."""
    made = Tokenizer.from_file(str(SHIPPED / "tokenizer.json"))
    made.no_padding()
    made.no_truncation()
    return made


def encode(made, texts, tools=None):
    """(input_ids, attention_mask) [n, longest]; with `tools`, one to each text, their pairs: [CLS] text [SEP] tool [SEP]."""
    cut = lambda ids, most: ids if len(ids) <= most else ids[: most - 1] + ids[-1:]
    rows = [cut(e.ids, MAX_LENGTH - (MAX_TOOL if tools else 0)) for e in made.encode_batch(texts)]
    if tools:
        rows = [row + cut(e.ids[1:], MAX_TOOL) for row, e in zip(rows, made.encode_batch(tools))]
    longest = max(map(len, rows))
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    return ids, torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])


def targets(counts):
    """[n, labels] numbers of calls -> [n, RANKS * labels] of 0 and 1: at least one, at least two, ..."""
    return torch.cat([(counts >= rank).float() for rank in range(1, RANKS + 1)], 1)


def weights_of(path):
    """{name of a parameter: tensor} of a base's .safetensors, of a run's .pt, or of an ONNX file of torch's exporter, plain or with int8 matrices."""
    if path.suffix == ".safetensors":
        return load_file(path)
    if path.suffix == ".pt":
        return torch.load(path, weights_only=True)["model"]
    import onnx
    from onnx.numpy_helper import to_array

    graph = onnx.load(path).graph
    values = {value.name: to_array(value) for value in graph.initializer}

    def matrix(name):
        ints, zero, scale = (values[f"{name}_{part}"].astype("float32") for part in ("quantized", "zero_point", "scale"))
        return torch.from_numpy((ints - zero) * scale)

    found = {name: torch.from_numpy(value.copy()) for name, value in values.items() if value.dtype in ("float32", "float16", "uint8")}
    for name in [name.removesuffix("_quantized") for name in values if name.endswith("embeddings.weight_quantized")]:
        found[name] = matrix(name)
    # An exported matrix has lost its name, but the node that uses it is called after its module, "/encoder/.../query/MatMul" or "..._quant".
    for node in graph.node:
        module = node.name.strip("/").rsplit("/", 1)[0].replace("encoder/encoder/", "encoder.encoder.", 1).replace("/", ".")
        if node.op_type == "MatMulInteger":
            found[f"{module}.weight"] = matrix(node.input[1].removesuffix("_quantized")).T
        elif node.op_type == "MatMul" and node.input[1] in found:
            found[f"{module}.weight"] = found[node.input[1]].T
    return found


def model_of(path, layers=None, **options):
    """A retriever with the weights of an encoder before fine-tuning (its heads are new), of an earlier run, or of an exported model.onnx.

    `layers`: how many of the file's layers, from below; all if None. `options`: BertConfig's.
    """
    found = weights_of(path)
    is_base = "embeddings.LayerNorm.weight" in found
    if is_base:
        found = {f"encoder.{name}": value for name, value in found.items()}
    if layers is None:
        layers = 1 + max(int(name.split(".")[3]) for name in found if name.startswith("encoder.encoder.layer."))
    model = Retriever(bare_encoder(layers, **options))
    words, positions = "encoder.embeddings.word_embeddings", "encoder.embeddings.position_embeddings.weight"
    if f"{words}.weight" in found:
        packed = PackedEmbedding.of(found.pop(f"{words}.weight"))
        found.update({f"{words}.{name}": value for name, value in packed.state_dict().items()})
    found[positions] = found[positions][:MAX_LENGTH]
    state = model.state_dict()
    missing = [name for name in state if name not in found and (not is_base or name.startswith("encoder."))]
    assert not missing, f"{path} lacks {missing}"
    model.load_state_dict({name: found[name].reshape(value.shape) for name, value in state.items() if name in found}, strict=False)
    return model


def bare_encoder(layers, **options):
    """BERT, 384 wide, with packed word embeddings; no weights yet."""
    config = BertConfig(hidden_size=WIDTH, num_hidden_layers=layers, num_attention_heads=12, intermediate_size=4 * WIDTH, max_position_embeddings=MAX_LENGTH, **options)
    encoder = BertModel(config, add_pooling_layer=False)
    encoder.embeddings.word_embeddings = PackedEmbedding(config.vocab_size, WIDTH)
    return encoder


@torch.no_grad()
def scores(model, made, rows):
    model.eval()
    out = [torch.sigmoid(model(*encode(made, [row[0] for row in rows[i : i + 64]]))[0].float()) for i in range(0, len(rows), 64)]
    return torch.cat(out)


def focused(model, made, rows, minutes, rng):
    """The rows to learn from, of as many as the model reads in `minutes`: the 40% with the largest loss, and one in four of the others

    A row's loss is the sum over its labels, without its pairs. The others keep the probabilities from drifting. `rows` is not changed.
    """
    begun, lossy = time.time(), []
    rows = rng.sample(rows, len(rows))
    for start in range(0, len(rows), 512):
        part = sorted(rows[start : start + 512], key=lambda row: len(row[0]))
        wanted = targets(torch.tensor([counts for _, counts, _ in part]))
        losses = torch.nn.functional.binary_cross_entropy(scores(model, made, part), wanted, reduction="none").sum(1)
        lossy += zip(losses.tolist(), part)
        if time.time() - begun > minutes * 60:
            break
    lossy.sort(key=lambda pair: -pair[0])
    hardest = round(0.4 * len(lossy))
    return [row for i, (_, row) in enumerate(lossy) if i < hardest or rng.random() < 0.25]


def pairs_of(rows):
    """(texts, foreign tools, whether each is called)"""
    found = [(text, tool, called) for text, _, foreign in rows for tool, called in foreign]
    return [list(column) for column in zip(*found)] if found else [[], [], []]


def score_pairs(run, rows):
    """`run`: (texts, tools) -> logits. (probabilities, called) of all pairs of the rows."""
    texts, tools, called = pairs_of(rows)
    if not texts:
        return torch.zeros(0), torch.zeros(0, dtype=torch.bool)
    logits = torch.cat([run(texts[i : i + 64], tools[i : i + 64]) for i in range(0, len(texts), 64)])
    return torch.sigmoid(logits.float()), torch.tensor(called)


def pair_figures(probabilities, called):
    """For several thresholds: the share of the called foreign tools that are at or over it, and of the others."""
    return {t: ((probabilities >= t)[called].float().mean().item(), (probabilities >= t)[~called].float().mean().item()) for t in (0.5, 0.2, 0.1, 0.05, 0.02)}


def recall_at(probabilities, counts, threshold):
    """(share of rows whose every needed tool is at or over the threshold, mean number of tools selected)"""
    selected = probabilities[:, : len(LABELS)] >= threshold
    return (selected | (counts == 0)).all(1).float().mean().item(), selected.sum(1).float().mean().item()


def exact(probabilities, counts):
    """(share of rows whose tools are named exactly, and also how often each is called), each at even odds"""
    ranks = (probabilities >= 0.5).float().view(len(counts), RANKS, -1)
    return (ranks[:, 0] == (counts > 0)).all(1).float().mean().item(), (ranks.cumprod(1).sum(1) == counts).all(1).float().mean().item()


@torch.no_grad()
def report(model, made, rows):
    """Prints what the retriever is worth on the rows."""
    found, counts = scores(model, made, rows), torch.tensor([counts for _, counts, _ in rows])
    print("exactly the right tools in {:.3f} of the rows, as often as right in {:.3f}".format(*exact(found, counts)))
    loss = torch.nn.functional.binary_cross_entropy(found, targets(counts)).item()
    recalls = {t: "{:.3f} at {:.2f}".format(*recall_at(found, counts, t)) for t in (0.5, 0.2, 0.05, 0.01)}
    print(f"loss {loss:.5f}; recall and mean tools at a threshold: {recalls}")
    pairs = pair_figures(*score_pairs(lambda texts, tools: model(*encode(made, texts, tools))[2], rows))
    print(f"foreign tools called, others, at or over a threshold: {pairs}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--init", type=Path, required=True, help="whose weights to start from: a base encoder's .safetensors or .onnx, retriever.pt of an earlier run, or an exported model.onnx")
    parser.add_argument("--layers", type=int, help="how many of its layers, from below; default all")
    parser.add_argument("--freeze", type=int, default=2, help="layers from below that are not trained, besides the embeddings")
    parser.add_argument("--validate-minutes", type=float, default=8, help="figures on the validation rows, and a retriever.pt, every so often")
    parser.add_argument("--focus", type=float, default=0, help="minutes to look for the rows to learn from, 25 to 50 a second and core; 0: all rows")
    parser.add_argument("--warmup", type=int, default=50, help="steps")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=float, default=1.5e-4)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    rng = random.Random(args.seed)
    args.out.mkdir(parents=True, exist_ok=True)

    made = tokenizer()
    train, validation = read_rows(args.data / "train.jsonl"), read_rows(args.data / "validation.jsonl")
    # Dropout of attention would cost a third of the speed on a CPU.
    model = model_of(args.init, args.layers, attention_probs_dropout_prob=0.0)
    if args.focus > 0:
        everything = len(train)
        train = focused(model, made, train, args.focus, rng)
        print(f"learns from {len(train)} of {everything} rows", flush=True)
    for name, p in model.encoder.named_parameters():
        if name.startswith("embeddings") or any(name.startswith(f"encoder.layer.{i}.") for i in range(args.freeze)) or name.startswith("pooler"):
            p.requires_grad_(False)
    head = [p for name, p in model.named_parameters() if not name.startswith("encoder.")]
    body = [p for p in model.encoder.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW([{"params": body, "lr": args.rate}, {"params": head, "lr": args.rate * 10}], weight_decay=0.01)
    peak = [g["lr"] for g in optimizer.param_groups]

    begun = validated = time.time()
    step = seen = 0
    running = None

    def save():
        figures = {"rows": seen, "minutes": args.minutes, "loss": running, "rate": args.rate, "batch": args.batch, "seed": args.seed, "focus": args.focus, "layers": model.encoder.config.num_hidden_layers}
        torch.save({"model": model.state_dict(), "figures": figures}, args.out / "retriever.pt")
        report(model, made, validation)

    while True:
        # Pools of rows sorted by length, so that a batch has little padding.
        pool = sorted(rng.sample(train, min(len(train), args.batch * 32)), key=lambda row: len(row[0]))
        batches = [pool[i : i + args.batch] for i in range(0, len(pool), args.batch)]
        rng.shuffle(batches)
        for batch in batches:
            part = (time.time() - begun) / (args.minutes * 60)
            if part >= 1:
                break
            for group, lr in zip(optimizer.param_groups, peak):
                group["lr"] = lr * min(1, (step + 1) / args.warmup) * max(0.02, 1 - part)
            texts = [PUNCTUATION.sub("", row[0]) if rng.random() < 0.1 else row[0] for row in batch]
            labels = targets(torch.tensor([counts for _, counts, _ in batch]))
            asked, tools, called = pairs_of(batch)
            model.train()
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=fast_bf16()):
                logits = model(*encode(made, texts))[0]
                pairs = model(*encode(made, asked, tools))[2] if tools else None
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits.float(), labels)
            if tools:
                each = torch.nn.functional.binary_cross_entropy_with_logits(pairs.float(), torch.tensor(called).float(), reduction="sum")
                loss = loss + PAIR_WEIGHT * each / len(batch)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            step, seen = step + 1, seen + len(batch)
            running = loss.item() if running is None else 0.95 * running + 0.05 * loss.item()
            if step % 25 == 0:
                print(f"step {step}  loss {running:.4f}  {seen / (time.time() - begun):.0f} rows/s  {args.minutes * (1 - part):.1f} min left", flush=True)
            if time.time() - validated > args.validate_minutes * 60:
                save()
                validated = time.time()
        else:
            continue
        break

    save()


if __name__ == "__main__":
    main()
