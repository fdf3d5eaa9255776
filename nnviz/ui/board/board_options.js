// The choices of a figure in its card's title bar: those of two or three options as segments where there is room, the
// others behind a button that opens a list of menus.

import { element } from "./board_element.js";

const SEGMENTS = 3; // options that a row of segments has at most
const TITLE = 60, BUTTONS = 110; // pixels that a title keeps at least, and that help, menu and gaps take
const ICON = '<svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true"><path d="M2 5h6M12 5h2M2 11h2M8 11h6" '
  + 'stroke="currentColor" stroke-width="1.5" stroke-linecap="round"/><circle cx="10" cy="5" r="1.8" fill="none" '
  + 'stroke="currentColor" stroke-width="1.4"/><circle cx="6" cy="11" r="1.8" fill="none" stroke="currentColor" stroke-width="1.4"/></svg>';

export class Options {
  constructor(card) {
    this.card = card;
    this.choices = [];
    this.structure = "[]";
    this.root = element("div", "nnviz-options", { hidden: "" });
    this.more = element("button", "nnviz-options-button", { type: "button", "aria-haspopup": "dialog", "aria-expanded": "false" });
    this.more.innerHTML = ICON;
    this.more.onclick = () => this.open(this.list.hidden);
    this.list = element("div", "nnviz-menu nnviz-list", { role: "dialog", hidden: "" });
    this.list.onkeydown = (event) => {
      if (event.key === "Escape") this.open(false);
    };
  }

  // Brings the controls up to date with what there is to choose and what is chosen.
  show(choices) {
    const structure = JSON.stringify(choices.map(({ value, ...rest }) => rest));
    this.choices = choices;
    if (structure !== this.structure) {
      this.structure = structure;
      this.segments = choices.map((choice) => this.segment(choice));
      this.menus = choices.map((choice) => this.menu(choice));
      this.list.replaceChildren(...this.menus);
      this.root.replaceChildren(...this.segments, this.more);
      this.root.hidden = !choices.length;
      this.fit();
    }
    choices.forEach((choice, i) => {
      const value = this.value(choice);
      for (const option of this.segments[i].querySelectorAll("button")) {
        const isChosen = option.dataset.value === value;
        option.setAttribute("aria-checked", String(isChosen));
        option.tabIndex = isChosen ? 0 : -1;
      }
      this.menus[i].querySelector("select").value = value;
    });
    const words = choices.map((choice) => `${choice.label}: ${new Map(choice.options).get(this.value(choice))}`).join(" · ");
    if (this.more.title !== words) this.more.title = words;
  }

  value(choice) {
    const { board, name } = this.card;
    return board.changes.value(name, choice.name) ?? choice.value;
  }

  choose({ name }, value) {
    const now = this.choices.find((choice) => choice.name === name);
    if (value !== this.value(now)) this.card.board.choose(this.card, name, value);
  }

  // As many as there is room for as segments, in order; the others in the list.
  fit() {
    const { choices, card } = this;
    if (!choices.length) return;
    let room = (card.width ?? 0) - BUTTONS - Math.max(TITLE, card.title.scrollWidth);
    let listed = 0;
    choices.forEach((choice, i) => {
      const labels = choice.options.map(([, label]) => label);
      const width = 7 * (choice.label.length + labels.join("").length) + 14 * labels.length + 16;
      const fits = labels.length <= SEGMENTS && width <= room;
      if (fits) room -= width;
      else listed++;
      this.segments[i].hidden = !fits;
      this.menus[i].hidden = fits;
    });
    this.more.hidden = !listed;
    if (!listed) this.open(false);
    this.more.setAttribute("aria-label", `Options of ${card.title.textContent}`);
    this.list.setAttribute("aria-label", `Options of ${card.title.textContent}`);
  }

  segment(choice) {
    const group = element("div", "nnviz-segments", { role: "radiogroup", "aria-label": choice.label });
    for (const [value, label] of choice.options) {
      const option = element("button", "nnviz-segment", { type: "button", role: "radio", "data-value": value }, label);
      option.onclick = () => this.choose(choice, value);
      group.append(option);
    }
    group.onkeydown = (event) => {
      const options = [...group.children], place = options.indexOf(document.activeElement);
      const to = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!to) return;
      const next = options.at((place + to) % options.length);
      next.focus();
      next.click();
      event.preventDefault();
    };
    return element("div", "nnviz-choice", { "data-choice": choice.name }, element("span", "nnviz-label", {}, choice.label), group);
  }

  menu(choice) {
    const select = element("select", "nnviz-select", { "data-choice": choice.name });
    for (const [value, label] of choice.options) select.append(element("option", "", { value }, label));
    select.onchange = () => this.choose(choice, select.value);
    return element("label", "nnviz-choice", {}, element("span", "nnviz-label", {}, choice.label), select);
  }

  holds(target) {
    return this.list.contains(target) || this.more.contains(target);
  }

  open(open) {
    if (open === !this.list.hidden) return;
    const inside = this.list.contains(document.activeElement);
    this.list.hidden = !open;
    this.more.setAttribute("aria-expanded", String(open));
    if (open) this.list.querySelector("label:not([hidden]) select").focus();
    else if (inside) this.more.focus();
  }
}
