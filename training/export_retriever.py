"""The trained retriever -> models/retriever: int8 ONNX, labels with the threshold chosen on validation data.

    python export_retriever.py --run ~/retriever-run --data data --out ../models/retriever

Inputs input_ids, attention_mask [n, length] int64; outputs logits [n, 64], embedding [n, 384] of length 1, called [n] (train_retriever.py). Weights are
quantized to int8, each output channel with a scale of its own (dynamic quantization); the words' embeddings have 4 bits already. The threshold is
chosen on the quantized model.
"""

import argparse
import json
from pathlib import Path

import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic

from train_retriever import LABELS, MAX_LENGTH, MAX_TOOL, RANKS, encode, exact, model_of, pair_figures, read_rows, recall_at, score_pairs, tokenizer

RECALL = 0.998  # the paper's, at 3.97 tools
MEAN_TOOLS = 3.97


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)

    saved = args.run / "retriever.pt"
    model = model_of(saved, attn_implementation="eager").eval()
    plain = args.run / "retriever.onnx"
    ids, mask = encode(tokenizer(), ["text Ana that I'm late", "hello"])
    torch.onnx.export(model, (ids, mask), str(plain), input_names=["input_ids", "attention_mask"], output_names=["logits", "embedding", "called"],
                      dynamic_axes={"input_ids": {0: "n", 1: "length"}, "attention_mask": {0: "n", 1: "length"}, "logits": {0: "n"}, "embedding": {0: "n"}, "called": {0: "n"}},
                      opset_version=17, dynamo=False)
    quantized = args.out / "model.onnx"
    quantize_dynamic(str(plain), str(quantized), weight_type=QuantType.QInt8, per_channel=True, op_types_to_quantize=["MatMul"])

    session = onnxruntime.InferenceSession(str(quantized))

    made = tokenizer()

    def run(output, *texts):
        ids, mask = encode(made, *texts)
        return torch.from_numpy(session.run([output], {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})[0])

    def scored(rows):
        out = [run("logits", [text for text, _, _ in rows[i : i + 64]]) for i in range(0, len(rows), 64)]
        return torch.sigmoid(torch.cat(out)), torch.tensor([counts for _, counts, _ in rows])

    validation = read_rows(args.data / "validation.jsonl")
    found, counts = scored(validation)
    # The highest threshold that reaches the recall; where none does at a bearable number of tools, the lowest that keeps to it.
    steps = [t / 1000 for t in (500, 400, 300, 250, 200, 150, 100, 80, 60, 50, 40, 30, 25, 20, 15, 10, 5)]
    threshold = next((t for t in steps if recall_at(found, counts, t)[0] >= RECALL), None)
    if threshold is None or recall_at(found, counts, threshold)[1] > MEAN_TOOLS:
        threshold = min(t for t in steps if recall_at(found, counts, t)[1] <= MEAN_TOOLS)
    figures = {"exactOnValidation": exact(found, counts), "validation": recall_at(found, counts, threshold), "test": recall_at(*scored(read_rows(args.data / "test.jsonl")), threshold),
               "foreign": pair_figures(*score_pairs(lambda texts, tools: run("called", texts, tools), validation))}
    print(f"threshold {threshold}; recall and mean tools: {figures}; {quantized.stat().st_size / 1e6:.1f} MB")
    (args.out / "labels.json").write_text(json.dumps({"labels": LABELS, "ranks": RANKS, "threshold": threshold, "maxLength": MAX_LENGTH, "maxTool": MAX_TOOL}, indent=2) + "\n")
    (args.run / "figures.json").write_text(json.dumps({**torch.load(saved, weights_only=True)["figures"], **figures, "threshold": threshold}, indent=2) + "\n")


if __name__ == "__main__":
    main()
