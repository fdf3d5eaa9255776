"""Gradient flow · do gradients vanish or explode on their way down a deep network?"""

from nnviz import figures, ui
from nnviz.spec import presets

ui.heading("Gradient flow", "Do gradients vanish or explode on their way down a deep network?")

asked = ui.experiment(
    "gradient_flow",
    presets.GRADIENT_FLOW,
    {
        "Data and training": ["learner.data", "learner.loss", "learner.batch_size", "steps", "seed"],
        "Measuring, device": ["evaluate_every", "device"],
    },
    compared=[
        "learner.model",
        "learner.optimizer",
        "learner.clipping",
    ],
    examples=presets.GRADIENT_FLOW_EXAMPLES,
    opened=["Data and training"],
)

PERCENTILES = [f"activation_p{p}" for p in ("05", "25", "50", "75", "95")]


def profile(quantity: str) -> ui.Picture:
    """A quantity over depth at the chosen step, with theory over it."""
    recorded = ("activation_mean", "activation_std") if quantity == "activation_rms" else (quantity,)
    return lambda run: figures.depth_profile(
        run.scalars(*recorded), quantity, run.step, run.snapshot("layers"), run.snapshot("theory")
    )


ui.show(
    asked,
    {
        "profile": profile("signal_rms"),
        "weights": profile("gradient_norm"),
        "gradients": lambda run: figures.layer_curves(run.scalars("gradient_norm"), "gradient_norm"),
        "activations": lambda run: figures.ridgelines(run.snapshot("activation_histogram")),
        "preactivations": lambda run: figures.ridgelines(
            run.snapshot("preactivation_histogram"), "Pre-activations of every layer"
        ),
        "bands": lambda run: figures.percentile_bands(run.scalars(*PERCENTILES)),
        "ratios": lambda run: figures.update_ratios(run.scalars("update_ratio")),
        "shares": lambda run: figures.shares(run.scalars("dead_share", "saturated_share")),
        "sizes": lambda run: figures.exponent_histograms(run.snapshot("gradient_histogram")),
        "forward": profile("activation_rms"),
        "total": lambda run: figures.curves(run.scalars("gradient_norm_total"), "gradient_norm_total"),
    },
    shared={
        "loss": lambda runs: figures.overlay({k: r.scalars("loss") for k, r in runs.items()}, "loss"),
        "accuracy": lambda runs: figures.overlay({k: r.scalars("accuracy") for k, r in runs.items()}, "accuracy"),
    },
    rows=[
        ["profile", "activations"],
        ["loss", "accuracy"],
        ["gradients", "preactivations"],
        ["weights", "forward"],
        ["ratios", "bands"],
        ["shares", "sizes"],
        ["total"],
    ],
    heights={"profile": 320, "activations": 320, "preactivations": 320, "bands": 320, "loss": 220, "accuracy": 220},
)
