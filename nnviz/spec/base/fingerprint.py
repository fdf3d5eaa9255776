"""A name for a spec that is the same for equal ones."""

import hashlib
import json
from typing import Any

from nnviz.spec.base.spec import Spec


def fingerprint(spec: Spec) -> str:
    """16 hexadecimal digits of the canonical JSON: the same for equal specs, in every process and on every machine."""
    canonical = json.dumps(_canonical(spec.model_dump(mode="json")), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _canonical(v) for name, v in value.items()}
    if isinstance(value, list):
        return [_canonical(v) for v in value]
    return value + 0.0 if isinstance(value, float) else value  # −0.0 equals 0.0
