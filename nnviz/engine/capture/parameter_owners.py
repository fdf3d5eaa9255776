"""Which parameters belong to an optimizer, and the sites of its updates."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import nn

from nnviz.engine.capture.trace import Layout


class ParameterOwners:
    """The parameters of some modules by the optimizers that own them.

    A parameter of several modules is recorded under the first of them. Parameters that require no gradient when the
    watch begins, or belong to no module, are not recorded.
    """

    def __init__(self, modules: Mapping[str, nn.Module], optimizers: Mapping[str, torch.optim.Optimizer]) -> None:
        self.sites: list[str] = []
        self._roots: list[str] = []
        places: dict[nn.Parameter, int] = {}
        for root, module in modules.items():
            for name, parameter in module.named_parameters():
                if parameter.requires_grad and parameter not in places:
                    places[parameter] = len(self.sites)
                    self.sites.append(f"{root}.{name}")
                    self._roots.append(root)
        self.parameters: dict[str, list[nn.Parameter]] = {}
        self._places: dict[str, list[int]] = {}
        for key, optimizer in optimizers.items():
            own = {p for group in optimizer.param_groups for p in group["params"]}
            self.parameters[key] = [p for p in places if p in own]
            self._places[key] = [places[p] for p in self.parameters[key]]
        self._layouts: dict[tuple[str, ...], Layout] = {}

    def layout(self, updates: Sequence[str]) -> Layout:
        """The sites of the measured rows after steps of these optimizers in this order."""
        key = tuple(updates)
        if key not in self._layouts:
            self._layouts[key] = self._lay_out(key)
        return self._layouts[key]

    def _lay_out(self, updates: tuple[str, ...]) -> Layout:
        updates_of: Counter[int] = Counter()
        rows: list[tuple[int, int]] = []  # (index of the parameter, number of its update)
        for key in updates:
            for place in self._places[key]:
                updates_of[place] += 1
                rows.append((place, updates_of[place]))
        max_updates: Counter[str] = Counter()
        for place, count in updates_of.items():
            max_updates[self._roots[place]] = max(max_updates[self._roots[place]], count)
        sites = [self.sites[p] + (f"#{number}" if updates_of[p] > 1 else "") for p, number in rows]
        members: dict[str, list[int]] = {}
        for row, (place, number) in enumerate(rows):
            root = self._roots[place]
            members.setdefault(f"{root}#{number}" if max_updates[root] > 1 else root, []).append(row)
        groups = []
        for root, group in members.items():
            group.sort(key=lambda row: rows[row][0])
            groups.append((root, np.array(group), [self.sites[rows[row][0]] for row in group]))
        return Layout(sites, groups)
