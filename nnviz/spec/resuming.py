"""Which fields may have another value when a run goes on from a checkpoint."""

from nnviz.spec.base import Spec, field_at

RESUMABLE = {"resumable": True}
"""For `json_schema_extra` of a field: see `is_resumable`."""


def is_resumable(spec: Spec, path: str) -> bool:
    """Whether a run can go on from a checkpoint with another value at `path`: nothing its weights or the optimizer's
    memory would not fit.

    Fields say so in `json_schema_extra`: {"resumable": True} for all of it, "settings" for all but the kind of a union,
    False for what is read at the first step alone. What a field does not say holds as for the field above it; no field
    above says anything: it is not.
    """
    mark: bool | str = False
    names = path.split(".")
    for end, name in enumerate(names, 1):
        if name == "kind":
            return mark is True
        extra = field_at(spec, ".".join(names[:end])).json_schema_extra
        own = extra.get("resumable") if isinstance(extra, dict) else None
        mark = mark if own is None else own
    return own is not False and (mark is True or (mark == "settings" and own is None))
