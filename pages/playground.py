"""Playground · a small network learns, with everything that it is made of in sight."""

from nnviz import figures, ui
from nnviz.figures import outcomes
from nnviz.presets import playground

ui.heading("Playground", "A small network learns, with everything that it is made of in sight.")

asked = ui.experiment(
    "playground",
    playground.DEFAULT,
    {
        "Data": ["learner.data"],
        "Network": ["learner.model"],
        "Training": ["learner.loss", "learner.optimizer", "learner.batch_size", "steps"],
        "Regularization": ["learner.l1", "learner.l2", "learner.clipping"],
        "Schedule, seed, device": ["learner.schedule", "seed", "evaluate_every", "device"],
    },
    examples=playground.EXAMPLES,
    opened=["Data", "Network", "Training"],
)
style = ui.choice("Decision surface", {"soft": "soft", "borders": "borders only"}, key="playground:style")

ui.show(
    asked,
    {
        "outcome": lambda run: outcomes.outcome(run.snapshot, style=style),
        "network": lambda run: figures.network(
            run.snapshot("network"), run.snapshot("data"), ui.layers(run), skip=run.job.learner.model.skip
        ),
        "loss": lambda run: figures.curves(
            run.scalars("loss"),
            "loss",
            smooth=0.9,
            forks=ui.forks(run),
            missing=outcomes.missing(run.snapshot("data"), "loss"),
        ),
        "metric": lambda run: outcomes.metric(
            run.scalars("accuracy", "r_squared"), run.snapshot("data"), forks=ui.forks(run)
        ),
        "sizes by layer": lambda run: figures.layer_bars(
            run.scalars("weight_norm", "gradient_norm", "update_norm"), run.step, ui.layers(run)
        ),
        "worst samples": lambda run: outcomes.worst_samples(run.snapshot),
        "learning rate": lambda run: figures.learning_rate(run.scalars("learning_rate"), forks=ui.forks(run)),
    },
    rows=[["outcome", "network"], ["loss", "metric"], ["sizes by layer", "worst samples"], ["learning rate"]],
    heights={
        "outcome": 380,
        "network": 380,
        "loss": 240,
        "metric": 240,
        "sizes by layer": 240,
        "worst samples": 240,
        "learning rate": 180,
    },
    variant=style,
    onward={"Its loss landscape": "pages/loss_landscape.py"},
)
