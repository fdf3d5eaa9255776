"""Fields of the form that all pages on GANs have."""

GROUPS = {
    "Objective": ["learner.objective", "learner.updates", "learner.discriminator_updates", "steps"],
    "Generator": ["learner.generator_optimizer", "learner.generator"],
    "Discriminator": ["learner.discriminator_optimizer", "learner.discriminator"],
    "Stabilizers": [
        "learner.instance_noise",
        "learner.instance_noise_until",
        "learner.spectral_norm",
        "learner.unrolled",
        "learner.unrolled_lr",
        "learner.label_smoothing",
        "learner.average",
        "learner.clipping",
    ],
}
"""Titles and fields of the groups after the one of the data."""

TRAINING = "Batch size, schedule, seed, device"
"""Title of the last group."""

TRAINING_FIELDS = ["learner.batch_size", "learner.schedule", "seed", "evaluate_every", "device"]
