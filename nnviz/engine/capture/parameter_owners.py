"""Which parameters an optimizer owns, and where its updates are recorded."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import nn

from nnviz.engine.capture.trace import Layout


class Owned:
    """The parameters of some modules by the optimizers that own them.

    A parameter that several modules have is recorded under the first of them. Parameters that want no gradient when
    the watch begins are left out, and those of no module too.
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
            mine = {p for group in optimizer.param_groups for p in group["params"]}
            self.parameters[key] = [p for p in places if p in mine]
            self._places[key] = [places[p] for p in self.parameters[key]]
        self._layouts: dict[tuple[str, ...], Layout] = {}

    def layout(self, updates: Sequence[str]) -> Layout:
        """Whose rows they are when these optimizers have made a step one after another."""
        key = tuple(updates)
        if key not in self._layouts:
            self._layouts[key] = self._lay_out(key)
        return self._layouts[key]

    def _lay_out(self, updates: tuple[str, ...]) -> Layout:
        times: Counter[int] = Counter()
        rows: list[tuple[int, int]] = []  # (place of the parameter, its how manieth update)
        for key in updates:
            for place in self._places[key]:
                times[place] += 1
                rows.append((place, times[place]))
        most: Counter[str] = Counter()
        for place, count in times.items():
            most[self._roots[place]] = max(most[self._roots[place]], count)
        sites = [self.sites[p] + (f"#{number}" if times[p] > 1 else "") for p, number in rows]
        members: dict[str, list[int]] = {}
        for row, (place, number) in enumerate(rows):
            root = self._roots[place]
            members.setdefault(f"{root}#{number}" if most[root] > 1 else root, []).append(row)
        groups = []
        for root, mine in members.items():
            mine.sort(key=lambda row: rows[row][0])
            groups.append((root, np.array(mine), [self.sites[rows[row][0]] for row in mine]))
        return Layout(sites, groups)
