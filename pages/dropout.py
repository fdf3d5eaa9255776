"""Dropout · what a network learns by heart, what helps against it, and what dropout does inside it."""

from nnviz import figures, ui
from nnviz.presets import dropout
from nnviz.ui import AXIS, Page, Panel
from nnviz.ui import dropout_pictures as draw
from nnviz.ui import memorization_pictures as memorized
from nnviz.ui import prediction_pictures as predicted

CURVE = (AXIS, ui.smoothing())


PAGE = Page(
    name="dropout",
    title="Dropout & overfitting",
    question="When does a network learn its samples by heart, and what helps against it?",
    default=dropout.DEFAULT,
    examples=dropout.EXAMPLES,
    groups={
        "Capacity, dropout": ["learner.model"],
        "Data": ["learner.data"],
        "Regularization": ["learner.l2", "learner.l1", "learner.augmentation", "early_stopping"],
        "Training": ["learner.loss", "learner.optimizer", "learner.batch_size", "steps"],
        "Schedule, seed, device": ["learner.schedule", "learner.clipping", "seed", "evaluate_every", "device"],
    },
    opened=["Capacity, dropout", "Data", "Regularization"],
    variant_fields=[
        "learner.model.dropout",
        "learner.l2",
        "learner.l1",
        "learner.augmentation",
        "early_stopping",
        "learner.data.label_noise",
        "learner.model.width",
        "learner.data.train_fraction",
        "learner.model",
        "learner.data",
        "seed",
    ],
    panels=[
        Panel(
            "outcome",
            predicted.predictions,
            "Predictions",
            needs=("data",),
            choices=(predicted.SURFACE_STYLE,),
            height=330,
        ),
        Panel("loss", predicted.losses(["train", "test"]), needs=("loss",), choices=CURVE, height=330),
        Panel("metric", predicted.metric, "Accuracy or R²", choices=(ui.smoothing(),)),
        ui.over_seeds(),
        Panel("network", draw.network, needs=("data",), choices=(draw.SAMPLE,), height=360, has_axes=False),
        Panel("activations", draw.activations("mean"), "Activations in training and evaluation mode", needs=("data",)),
        Panel("spread", draw.activations("std"), "Spread of activations over masks", needs=("data",)),
        Panel("averages", draw.averages, "Weight scaling against averages over masks", needs=("data",), height=300),
        Panel(
            "average loss",
            draw.average_curve("mask_average_loss"),
            "Loss over masks",
            needs=("loss",),
            choices=CURVE,
            height=400,
        ),
        Panel(
            "average accuracy",
            draw.average_curve("mask_average_accuracy"),
            "Accuracy over masks",
            needs=("loss",),
            height=280,
        ),
        Panel(
            "uncertainty",
            draw.uncertainty,
            "Uncertainty: spread over dropout masks",
            needs=("data",),
            choices=(draw.UNCERTAINTY,),
            height=400,
        ),
        Panel("learned", memorized.learned_steps, "Training samples learned by step"),
        Panel(
            "forgotten",
            memorized.of_samples(figures.forgetting_histogram),
            "How often training samples were forgotten",
        ),
        Panel(
            "accuracy by label",
            memorized.accuracy_by_label,
            "Training accuracy by label",
            choices=(ui.smoothing(),),
            height=400,
        ),
        Panel(
            "samples",
            memorized.of_samples(figures.memorized_samples),
            "Training samples learned late",
            choices=(memorized.SAMPLES,),
            height=400,
            is_map=True,
        ),
    ],
    sections={
        "Overfitting": [["loss", "outcome"], ["seeds", "metric"]],
        "Dropout": [["network"], ["activations", "spread"], ["averages"]],
        "Uncertainty": [["uncertainty", "average loss"], ["average accuracy"]],
        "Memorization": [["learned", "forgotten"], ["accuracy by label", "samples"]],
    },
    links_to={"Show loss landscape": "pages/loss_landscape.py"},
)

ui.render(PAGE)
