"""What every spec is: frozen, checked, plain JSON."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from nnviz.spec.base.error_wording import explain

MESSAGE_LIMIT = 400


class SpecError(ValueError):
    """A wrong field or value, in one line that names the thing, the rule and the value."""

    def __init__(self, message: str) -> None:
        # What a job text or a link says comes back in messages: no line breaks, escapes, or lone surrogates.
        line = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in message[:MESSAGE_LIMIT])
        super().__init__(line if len(message) <= MESSAGE_LIMIT else f"{line}…")


class Spec(BaseModel):
    """A choice or a group of choices: immutable, no unknown fields, no nan or inf, the same JSON out as in."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def parse(cls, value: Mapping[str, Any]) -> Self:
        """Builds the spec from plain JSON values; raises SpecError with one clear line."""
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            raise SpecError(explain(error, cls)) from None

    def fitting(self, name: str, chosen: Mapping[str, Any]) -> list[str] | None:  # noqa: ARG002
        """The kinds of the field `name`, or the values of a switch, that fit what is chosen for its siblings (plain
        values), the one to take first; None: all of them."""
        return None
