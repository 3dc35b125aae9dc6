"""Writes a checkpoint of train_planner.py as a GGUF for llama.cpp, and the run's figures for the model card beside the checkpoint.

    python export_planner.py --checkpoint ~/planner-run/checkpoint.pt --to ../models/planner/tinyagent-135m-q4_0.gguf

Q4_0 is the product's format: the file's weights are the values that quantization-aware training computed with, bit for bit.
q8_0 and f16 hold the masters before that rounding, to see what it costs. Tokenizer and metadata come from the base GGUF.
"""

import argparse
import hashlib
import json
import os
from pathlib import Path

import gguf
import numpy as np
import torch

from model import Config, fake_q4_0, q4_0_parts, to_gguf_tensors

NAME = "tinyagent planner 135M"
TYPES = {
    "q4_0": (gguf.GGMLQuantizationType.Q4_0, gguf.LlamaFileType.MOSTLY_Q4_0),
    "q8_0": (gguf.GGMLQuantizationType.Q8_0, gguf.LlamaFileType.MOSTLY_Q8_0),
    "f16": (gguf.GGMLQuantizationType.F16, gguf.LlamaFileType.MOSTLY_F16),
}
RECENT = 50  # steps whose losses make the card's training loss


def pack_q4_0(weight):
    """Blocks of 18 bytes: the scale, then 16 bytes with values 0..15 of the group in the low halves and 16..31 in the high ones."""
    levels, scale = q4_0_parts(weight)
    levels = levels.byte().numpy()
    blocks = np.concatenate([scale.numpy().view(np.uint8), levels[:, :16] | levels[:, 16:] << 4], axis=1)
    return blocks.reshape(weight.shape[0], -1)


def pack(weight, kind):
    if weight.dim() == 1:
        return weight.numpy(), gguf.GGMLQuantizationType.F32
    quantized = pack_q4_0(weight) if kind == "q4_0" else gguf.quantize(weight.numpy(), TYPES[kind][0])
    return quantized, TYPES[kind][0]


def write_gguf(path, base, masters, kind):
    """The base file with other tensors. `masters` holds what was trained; the rest is taken from the base."""
    reader = gguf.GGUFReader(base)
    writer = gguf.GGUFWriter(path, "llama")
    ours = {
        "general.name": NAME,
        "general.finetune": "tinyagent-planner",
        "general.license": "apache-2.0",
        "general.base_model.count": 1,
        "general.base_model.0.name": "SmolLM2-135M-Instruct",
        "general.base_model.0.organization": "HuggingFaceTB",
        "general.base_model.0.repo_url": "https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct",
    }
    for key, field in reader.fields.items():
        written_by_the_writer = key.startswith("GGUF.") or key in ("general.architecture", "general.file_type")
        if not written_by_the_writer and key not in ours and not key.startswith("general.base_model."):
            element = field.types[-1] if field.types[0] == gguf.GGUFValueType.ARRAY else None
            writer.add_key_value(key, field.contents(), field.types[0], element)
    for key, value in ours.items():
        (writer.add_string if isinstance(value, str) else writer.add_uint32)(key, value)
    writer.add_file_type(TYPES[kind][1])

    config = Config.from_gguf(reader)
    embedding = next(t for t in reader.tensors if t.name == "token_embd.weight")
    embedding = fake_q4_0(torch.from_numpy(gguf.dequantize(embedding.data, embedding.tensor_type).copy()))
    tensors = to_gguf_tensors({**masters, "token_embd": embedding}, config)
    names = {t.name for t in reader.tensors}
    assert set(tensors) == names, f"not in both: {sorted(set(tensors) ^ names)[:4]}"
    for name, weight in tensors.items():
        data, data_type = pack(weight, kind)
        writer.add_tensor(name, data, raw_dtype=data_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def figures(checkpoint, path, kind):
    """What the model card says of the run. Paths are cut to names: the card is published."""
    history = checkpoint["history"]
    last = history[-1]
    validations = [line for line in history if "validationLoss" in line]
    arguments = {key: os.path.basename(value) if isinstance(value, str) and os.sep in value else value for key, value in checkpoint["args"].items() if value is not None}
    content = path.read_bytes()
    return {
        "file": path.name,
        "type": kind,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "rows": checkpoint["rows"],
        "steps": last["step"],
        "tokens": last["tokens"],
        "epochs": round(checkpoint["epoch"] + checkpoint["position"] * arguments["batch"] / checkpoint["rows"], 2),
        "minutes": round(last["seconds"] / 60, 1),
        "tokensPerSecond": round(last["tokens"] / last["seconds"]),
        "stepsWithQat": sum(line["qat"] for line in history),
        "trainingLoss": round(float(np.mean([line["loss"] for line in history[-RECENT:]])), 4),
        "validationLoss": validations[-1]["validationLoss"] if validations else None,
        "finished": bool(last.get("final")),
        "arguments": {key: value for key, value in arguments.items() if key != "out" and value != float("inf")},
    }


def markdown(card):
    lines = [f"| {key} | {', '.join(f'{k} {v}' for k, v in value.items()) if isinstance(value, dict) else value} |" for key, value in card.items()]
    return "\n".join(["| figure | value |", "| --- | --- |", *lines]) + "\n"


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--to", type=Path, required=True, help="the GGUF to write")
    parser.add_argument("--type", choices=TYPES, default="q4_0")
    parser.add_argument("--base", type=Path, help="the GGUF that the run started from; default what the checkpoint says")
    args = parser.parse_args(argv)
    checkpoint = torch.load(args.checkpoint, map_location="cpu", weights_only=True, mmap=True)  # the optimizer stays on disk
    # The frozen embedding is the base's, and the trained weights belong to it.
    args.base = args.base or Path(checkpoint["args"]["base"])
    if not args.base.exists():
        parser.error(f"{args.base}, which the run started from, is not there: give --base FILE.gguf")
    args.to.parent.mkdir(parents=True, exist_ok=True)
    partial = args.to.with_suffix(".partial")
    write_gguf(partial, args.base, checkpoint["masters"], args.type)
    os.replace(partial, args.to)
    card = figures(checkpoint, args.to, args.type)
    (args.checkpoint.parent / "card.json").write_text(json.dumps(card, indent=2) + "\n")
    (args.checkpoint.parent / "card.md").write_text(markdown(card))
    print(f"{args.to}: {card['bytes'] / 1e6:.1f} MB, step {card['steps']}, validation loss {card['validationLoss']}")


if __name__ == "__main__":
    main()
