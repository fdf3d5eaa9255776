"""Gradient flow · do gradients vanish or explode on their way down a deep network?"""

from nnviz import figures, ui
from nnviz.presets import gradient_flow

ui.heading("Gradient flow", "Do gradients vanish or explode on their way down a deep network?")

asked = ui.experiment(
    "gradient_flow",
    gradient_flow.DEFAULT,
    {
        "Data and training": ["learner.data", "learner.loss", "learner.batch_size", "steps", "seed"],
        "Measuring, device": ["evaluate_every", "device"],
    },
    compared=["learner.model", "learner.optimizer", "learner.clipping"],
    examples=gradient_flow.EXAMPLES,
    opened=["Data and training"],
)


def profile(quantity: str) -> ui.Picture:
    """A quantity over depth at the chosen step, with theory under it."""
    recorded = ("activation_mean", "activation_std") if quantity == "activation_rms" else (quantity,)
    return lambda run: figures.depth_profile(
        run.scalars(*recorded),
        quantity,
        run.step,
        ui.layers(run),
        run.snapshot("theory"),
    )


def bands(what: str) -> ui.Picture:
    """Percentiles over time of the first, the middle and the last layer."""
    recorded = [f"{what}_p{p}" for p in ("05", "25", "50", "75", "95")]
    return lambda run: figures.percentile_bands(run.scalars(*recorded), ui.layers(run), prefix=what)


ui.show(
    asked,
    {
        "signal": profile("signal_rms"),
        "gradients": lambda run: figures.layer_curves(run.scalars("gradient_norm"), "gradient_norm", ui.layers(run)),
        "activations": lambda run: figures.ridgelines(run.snapshot("activation_histogram"), ui.layers(run)),
        "preactivations": lambda run: figures.ridgelines(
            run.snapshot("preactivation_histogram"), ui.layers(run), "Pre-activations of every layer"
        ),
        "activation bands": bands("activation"),
        "preactivation bands": bands("preactivation"),
        "ratios": lambda run: figures.update_ratios(run.scalars("update_ratio"), ui.layers(run)),
        "shares": lambda run: figures.shares(run.scalars("dead_share", "saturated_share"), ui.layers(run)),
        "gradient sizes": lambda run: figures.exponent_histograms(run.snapshot("gradient_histogram"), ui.layers(run)),
        "weight sizes": lambda run: figures.exponent_histograms(
            run.snapshot("weight_histogram"), ui.layers(run), "Weights by size"
        ),
        "gradient profile": profile("gradient_norm"),
        "forward": profile("activation_rms"),
        "spread": lambda run: figures.depth_profile(
            run.scalars("preactivation_spread"), "preactivation_spread", run.step, ui.layers(run)
        ),
        "total": lambda run: figures.clipped_norms(run.scalars("gradient_norm_total", "gradient_norm_unclipped")),
    },
    shared={
        "loss": lambda runs: figures.overlay({k: r.scalars("loss") for k, r in runs.items()}, "loss"),
        "accuracy": lambda runs: figures.overlay({k: r.scalars("accuracy") for k, r in runs.items()}, "accuracy"),
    },
    rows=[
        ["signal", "activations"],
        ["loss", "accuracy"],
        ["spread", "preactivations"],
        ["gradients", "shares"],
        ["activation bands", "preactivation bands"],
        ["gradient profile", "forward"],
        ["ratios", "total"],
        ["gradient sizes", "weight sizes"],
    ],
    heights={"signal": 320, "activations": 320, "spread": 320, "preactivations": 320, "loss": 230, "accuracy": 230},
    onward={"Its loss landscape": "pages/loss_landscape.py"},
)
