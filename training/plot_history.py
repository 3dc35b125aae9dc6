"""Draws a training run's losses from its history.jsonl (train_planner.py), one run after the other, as an SVG.

    uv run --group plot python plot_history.py --to ../docs/training.svg ~/planner-run/history.jsonl ~/planner-qat/history.jsonl
"""

import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

HALF_LIFE = 15  # steps, of the smoothed training loss


def smooth(losses):
    """Exponential mean with the half-life; the first value starts it."""
    keep, out = 0.5 ** (1 / HALF_LIFE), []
    for loss in losses:
        out.append(loss if not out else keep * out[-1] + (1 - keep) * loss)
    return out


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("history", nargs="+", type=Path)
    parser.add_argument("--to", type=Path, required=True)
    args = parser.parse_args(argv)
    plt.rcParams["svg.hashsalt"] = "tinyagent"  # the same file from the same history
    figure, axes = plt.subplots(figsize=(8, 4))
    before = 0
    for run, path in enumerate(args.history):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        millions = [(before + line["tokens"]) / 1e6 for line in lines]
        held_out = [(at, line["validationLoss"]) for at, line in zip(millions, lines) if "validationLoss" in line]
        axes.plot(millions, smooth([line["loss"] for line in lines]), color="0.6", label="training, smoothed" if run == 0 else None)
        axes.plot(*zip(*held_out), marker="o", color=f"C{run}", label="validation, weights rounded to Q4_0" if lines[-1]["qat"] else "validation, 16 bit")
        before += lines[-1]["tokens"]
    axes.set(xlabel="million tokens, prompts included", ylabel="loss, nats a plan token", ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(args.to, metadata={"Date": None})


if __name__ == "__main__":
    main()
