// The menu of a card: what can be saved of its figure, its zoom, the full screen.

import { element } from "./board_element.js";
import { csv, download, json } from "./board_export.js";
import { renamed } from "./board_follow.js";
import { unpacked } from "./board_images.js";
import { picture, pictureTheme, visibleFigure } from "./board_picture.js";

const ITEMS = [
  ["png", "Image (PNG)"], ["svg", "Image (SVG)"], ["dark", "Dark background"], ["csv", "Data (CSV)"], ["json", "Plotly JSON"],
  ["zoom", "Reset zoom"], ["full", "Full screen"],
];
const HINTS = {
  csv: "Data of this figure; long curves are thinned (extremes kept). The zip under Share has all data.",
};

export class Menu {
  constructor(card) {
    this.card = card;
    this.more = element("button", "nnviz-menu-button", { type: "button", "aria-haspopup": "menu", "aria-expanded": "false" }, "⋯");
    this.root = element("div", "nnviz-menu", { role: "menu", hidden: "" });
    for (const [action, label] of ITEMS) {
      const role = action === "dark" ? "menuitemcheckbox" : "menuitem";
      const item = element("button", "nnviz-item", { type: "button", role, "data-action": action }, label);
      item.title = HINTS[action] ?? "";
      item.onclick = () => this.act(action);
      this.root.append(item);
    }
    this.more.onclick = () => this.open(this.root.hidden);
    this.root.onkeydown = (event) => this.move(event);
  }

  item(action) {
    return this.root.querySelector(`[data-action="${action}"]`);
  }

  holds(target) {
    return this.root.contains(target) || this.more.contains(target);
  }

  open(open) {
    if (open === !this.root.hidden) return;
    const inside = this.root.contains(document.activeElement);
    this.root.hidden = !open;
    this.item("full").textContent = document.fullscreenElement === this.card.root ? "Leave full screen" : "Full screen";
    this.item("dark").setAttribute("aria-checked", String(this.card.board.darkPictures));
    this.more.setAttribute("aria-expanded", String(open));
    if (open) this.root.firstChild.focus();
    else if (inside) this.more.focus();
  }

  move(event) {
    const items = [...this.root.children];
    const place = items.indexOf(document.activeElement);
    const to = { ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: -1 }[event.key];
    if (event.key === "Escape") this.open(false);
    else if (to !== undefined) items.at(to % items.length).focus();
    else return;
    event.preventDefault();
  }

  async act(action) {
    const { card } = this;
    if (action === "dark") {
      card.board.darkPictures = !card.board.darkPictures;
      this.item("dark").setAttribute("aria-checked", String(card.board.darkPictures));
      return;
    }
    this.open(false);
    if (action === "zoom") card.resetZoom();
    else if (action !== "full") await this.save(action);
    else if (document.fullscreenElement) await document.exitFullscreen();
    else await card.root.requestFullscreen?.().catch(() => {}); // where the browser forbids it
  }

  // Downloads the figure as it is shown.
  async save(format) {
    const { card, card: { board } } = this;
    if (card.isStale(board.step)) {
      card.isDue = true;
      board.request();
      await board.drawn();
    }
    if (!card.isCurrent) return; // nothing is saved under the name of something else
    const { figure, width, height, plot } = card;
    const title = `${card.title.textContent} · ${board.store.head.unit} ${board.step}`;
    const file = `${title.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "")}.${format}`;
    if (format === "csv") download(file, "\ufeff" + csv(figure), "text/csv;charset=utf-8");
    else if (format === "json") {
      const named = renamed(figure, card.legendTexts());
      download(file, json({ ...figure, ...named, layout: await unpacked(named.layout) }, board.theme.template), "application/json");
    } else {
      const shown = visibleFigure(card.displayed(), plot);
      shown.layout = await unpacked(shown.layout);
      download(file, await picture(board.Plotly, shown, { title, theme: pictureTheme(board), format, width, height }));
    }
  }
}
