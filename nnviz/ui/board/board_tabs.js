// The tabs of a board's sections: arrow keys go from tab to tab, Enter and space open one.

import { element } from "./board_element.js";

export class Tabs {
  constructor(open, panel) {
    this.open = open;
    this.panel = panel;
    this.root = element("div", "nnviz-tabs", { role: "tablist", "aria-label": "Sections", hidden: "" });
    this.root.onkeydown = (event) => this.move(event);
    this.titles = "";
  }

  show(titles, section) {
    const isNone = titles.length < 2 && !titles[0];
    this.root.hidden = isNone;
    if (isNone) this.panel.removeAttribute("role");
    else this.panel.setAttribute("role", "tabpanel");
    this.panel.setAttribute("aria-label", section);
    if (this.titles !== titles.join("\n")) {
      this.titles = titles.join("\n");
      this.root.replaceChildren(...titles.map((title) => {
        const tab = element("button", "nnviz-tab", { type: "button", role: "tab", "data-section": title, "aria-controls": this.panel.id }, title);
        tab.onclick = () => this.open(title);
        return tab;
      }));
    }
    for (const tab of this.root.children) {
      const isOpen = tab.dataset.section === section;
      if (tab.ariaSelected === String(isOpen)) continue;
      tab.ariaSelected = String(isOpen);
      tab.tabIndex = isOpen ? 0 : -1;
      if (isOpen) tab.scrollIntoView?.({ block: "nearest", inline: "nearest" });
    }
  }

  move(event) {
    const tabs = [...this.root.children], place = tabs.indexOf(document.activeElement);
    const to = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: -1 }[event.key];
    if (to === undefined) return;
    tabs.at(to % tabs.length).focus();
    event.preventDefault();
    event.stopPropagation();
  }
}
