"""What every spec is: frozen, checked, plain JSON. Paths into it, differences, fingerprint, wording of errors."""

from nnviz.spec.base.error_wording import explain
from nnviz.spec.base.fields import Limits, item_type, label, limits, name_of, options, summary
from nnviz.spec.base.fingerprint import fingerprint
from nnviz.spec.base.paths import depth, differences, field_at, get_at, plain_with, replace_at, replace_many
from nnviz.spec.base.spec import MESSAGE_LIMIT, Spec, SpecError

__all__ = [
    "MESSAGE_LIMIT",
    "Limits",
    "Spec",
    "SpecError",
    "depth",
    "differences",
    "explain",
    "field_at",
    "fingerprint",
    "get_at",
    "item_type",
    "label",
    "limits",
    "name_of",
    "options",
    "plain_with",
    "replace_at",
    "replace_many",
    "summary",
]
