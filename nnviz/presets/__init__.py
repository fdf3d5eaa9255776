"""What each page starts from, and its one-click examples: a module for each page."""

from nnviz.presets.pages import PAGES, PagePresets

__all__ = ["PAGES", "PagePresets"]
