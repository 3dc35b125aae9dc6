#!/usr/bin/env bash
# The recipe in small, on a CPU, in under two minutes: tests, a few steps of both models, a resume, both exports.
#     ./smoke.sh              (PYTHON=python ./smoke.sh uses an environment of your own instead of uv's)
set -euo pipefail
cd "$(dirname "$0")"
PYTHON=${PYTHON:-uv run python}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

$PYTHON -m pytest

mkdir "$tmp/data"
head -n 64 data/validation.jsonl > "$tmp/data/train.jsonl"
tail -n 16 data/validation.jsonl > "$tmp/data/validation.jsonl"
train="$PYTHON train_planner.py --train $tmp/data/train.jsonl --validation $tmp/data/validation.jsonl --out $tmp/planner --batch 4 --warmup 2 --validation-rows 4 --no-compile"
$train --max-tokens 2500
$train --max-tokens 5000
$PYTHON export_planner.py --checkpoint "$tmp/planner/checkpoint.pt" --to "$tmp/planner.gguf"
$PYTHON train_retriever.py --init ../models/retriever/model.onnx --data "$tmp/data" --out "$tmp/retriever" --minutes 0.1
$PYTHON export_retriever.py --run "$tmp/retriever" --data "$tmp/data" --out "$tmp/models-retriever"
ls -l "$tmp/planner.gguf" "$tmp/models-retriever"
echo "smoke: all stages ran"
