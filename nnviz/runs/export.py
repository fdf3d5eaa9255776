"""Runs as plain files: JSON, CSV, Parquet and npz, which outlive nnviz."""

import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from nnviz.runs.storage import user_files
from nnviz.runs.storage.run_file import RunFile
from nnviz.runs.storage.schema import as_run_errors
from nnviz.runs.storage.status import DONE
from nnviz.spec.jobs import dump

README = """Run {id} of nnviz, {state} after {step} of {steps} steps.

job.json          what was run; `python -m nnviz run job.json` runs it again{files}
scalars.csv       every number: step, quantity, site, value, member; values to the last digit, also nan, inf and -inf.
                  With pandas: read_csv("scalars.csv", keep_default_na=False, converters={{"value": float}})
scalars.parquet   the same
snapshots/        one file per quantity and site ("quantity@site.npz"), for numpy.load: "steps" holds the steps (n,),
                  every other array has one entry a step along its first axis. Where shapes change from step to step the
                  arrays lie apart, as "name@step". network@model.npz holds what the diagram draws: at most 16 neurons
                  of a layer. data.npz holds inputs and targets as the network sees them; times input_std plus
                  input_mean they are in their original unit{images}
{weights}

Step n is the state after n updates; step 0 is the initial network. Sites are PyTorch's names with the root in front.
"""


_FILES = "\nfiles/            the user's own files that the job names; they are found there when it runs again"
_IMAGES = "\nimages/           grids of images as PNG, one file per quantity and step"
_WEIGHTS = """weights.pt        the whole network at step {step}{best}, a plain state dict:
                  torch.load("weights.pt", weights_only=True). Names begin with the network's where there are several:
                  generator, discriminator, averaged_generator"""
_BEST = ", that of the lowest test loss"
_NO_WEIGHTS = "                  There is no weights.pt: {why}"

ImagesAsPNG = Callable[[Mapping[str, np.ndarray]], bytes | None]
"""The images of a snapshot's arrays as a PNG file; None where it has none."""


def export(runs: Sequence[RunFile], to: Path, as_png: ImagesAsPNG = lambda _: None) -> list[Path]:
    """Write `runs` under the folder `to`, each in a folder of its own if there are several. Returns the files.

    Raises RunError.
    """
    written: list[Path] = []
    for run in runs:
        written += _export(run, to / run.id if len(runs) > 1 else to, as_png)
    return written


def export_zip(runs: Sequence[RunFile], to: Path, as_png: ImagesAsPNG = lambda _: None) -> Path:
    """The same as one zip at `to`."""
    with tempfile.TemporaryDirectory() as folder, as_run_errors(to):
        files = export(runs, Path(folder), as_png)
        to.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(to, "w") as target:
            for file in files:
                packed = file.suffix in (".npz", ".parquet", ".pt", ".png")
                how = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
                target.write(file, file.relative_to(folder), compress_type=how)
    return to


def _export(run: RunFile, to: Path, as_png: ImagesAsPNG) -> list[Path]:
    status = run.status()
    frame, _ = run.scalars()
    weights = run.weights()
    with as_run_errors(to):
        (to / "snapshots").mkdir(parents=True, exist_ok=True)
        copied = user_files.copy(run.path.parent, run.job, to / user_files.FOLDER)
        stacked, images = [], []
        for quantity, site in run.places():
            pictures, name = dict(run.snapshots(quantity, site)), f"{quantity}{f'@{site}' if site else ''}"
            stacked.append(to / "snapshots" / f"{name}.npz")
            np.savez_compressed(stacked[-1], **_stacked(pictures))
            images += _write_images(to / "images", name, pictures, as_png)
        texts = {
            "README.txt": README.format(
                id=run.id,
                state=status.state,
                step=status.step,
                steps=status.steps,
                files=_FILES if copied else "",
                images=_IMAGES if images else "",
                weights=_about(run, weights),
            ),
            "job.json": dump(run.job) + "\n",
        }
        for name, text in texts.items():
            (to / name).write_text(text, encoding="utf-8")
        frame.to_csv(to / "scalars.csv", index=False, na_rep="nan")
        frame.to_parquet(to / "scalars.parquet", index=False)
        files = [*(to / name for name in (*texts, "scalars.csv", "scalars.parquet")), *copied]
        if weights is not None:
            (to / "weights.pt").write_bytes(weights[1])
            files.append(to / "weights.pt")
    return files + stacked + images


def _write_images(
    folder: Path, name: str, pictures: Mapping[int, Mapping[str, np.ndarray]], as_png: ImagesAsPNG
) -> list[Path]:
    """The images of a quantity's snapshots by step, a file each."""
    written = []
    for step, arrays in pictures.items():
        if (content := as_png(arrays)) is not None:
            folder.mkdir(exist_ok=True)
            written.append(folder / f"{name}-{step:06d}.png")
            written[-1].write_bytes(content)
    return written


def _about(run: RunFile, weights: tuple[int, bytes] | None) -> str:
    """A line of the README about the weights."""
    if weights is not None:
        is_best = run.job.keeps_best and run.status().state in DONE
        return _WEIGHTS.format(step=weights[0], best=_BEST if is_best else "")
    later, never = "they are written when a run pauses or ends", f"jobs of kind {run.job.kind} store no network"
    return _NO_WEIGHTS.format(why=later if run.job.has_weights else never)


def _stacked(pictures: Mapping[int, Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """All snapshots of a quantity by step: arrays with a leading axis along `steps`, or apart where they differ."""
    steps = list(pictures)
    arrays: dict[str, np.ndarray] = {"steps": np.array(steps, dtype=np.int64)}
    for name in dict.fromkeys(name for step in steps for name in pictures[step]):
        each = [pictures[step].get(name) for step in steps]
        if all(a is not None and a.shape == each[0].shape and a.dtype == each[0].dtype for a in each):
            arrays[name] = np.stack(each)
        else:
            arrays |= {f"{name}@{step}": a for step, a in zip(steps, each, strict=True) if a is not None}
    return arrays
