"""Playground · a small network learns, with everything that it is made of in sight."""

from nnviz import figures, ui
from nnviz.figures.samples import prediction_figures
from nnviz.presets import playground
from nnviz.ui import AXIS, Page, Panel
from nnviz.ui import prediction_pictures as predicted


def network(run: ui.RunView) -> dict:
    """The network with its weights."""
    return figures.network_diagram(
        run.snapshot("network"), run.snapshot("data"), ui.layers(run), skip=run.job.learner.model.skip
    )


def sizes(run: ui.RunView) -> dict:
    """Norms by layer at the chosen step."""
    return figures.layer_bars(run.scalars("weight_norm", "gradient_norm", "update_norm"), run.step, ui.layers(run))


PAGE = Page(
    name="playground",
    title="Playground",
    question="Train a small network and see every part of it change.",
    default=playground.DEFAULT,
    examples=playground.EXAMPLES,
    groups={
        "Data": ["learner.data"],
        "Network": ["learner.model"],
        "Training": ["learner.loss", "learner.optimizer", "learner.batch_size", "steps"],
        "Regularization": ["learner.l1", "learner.l2", "learner.clipping", "learner.augmentation", "early_stopping"],
        "Schedule, seed, device": ["learner.schedule", "seed", "evaluate_every", "device"],
    },
    opened=["Data", "Network", "Training"],
    variant_fields=["learner.optimizer", "learner.model", "learner.data", "learner.l2", "learner.batch_size", "seed"],
    panels=[
        Panel(
            "outcome",
            predicted.predictions,
            "Predictions",
            needs=("data",),
            choices=(predicted.SURFACE_STYLE,),
            height=330,
        ),
        Panel("network", network, needs=("network", "data"), height=330, has_axes=False),
        Panel("loss", predicted.losses(), needs=("loss",), choices=(AXIS, ui.smoothing(0.9)), height=240),
        Panel("metric", predicted.metric, "Accuracy or R²", choices=(ui.smoothing(),), height=240),
        Panel(
            "sizes by layer",
            sizes,
            "Weights, gradients and updates",
            needs=("weight_norm", "gradient_norm", "update_norm"),
            height=240,
        ),
        Panel(
            "worst samples",
            lambda run: prediction_figures.worst_samples_of_run(run.snapshot),
            "Worst test samples",
            height=240,
            has_axes=False,
        ),
        Panel(
            "learning rate",
            lambda run, log: figures.learning_rate(
                run.scalars("learning_rate"), resume_marks=ui.resume_marks(run), log=log
            ),
            needs=("learning_rate",),
            choices=(AXIS,),
            height=220,
        ),
        ui.over_seeds(height=220),
    ],
    sections={
        "": [
            ["outcome", "network"],
            ["loss", "metric"],
            ["sizes by layer", "worst samples"],
            ["learning rate", "seeds"],
        ]
    },
    links_to={"Show loss landscape": "pages/loss_landscape.py"},
)

ui.render(PAGE)
