// The cards of the open section in rows: up to four side by side, fewer where the board is narrow.

import { Card, NARROW } from "./board_card.js";
import { element } from "./board_element.js";

const TWO = 900, ONE = 520; // widths of the board (px) below which so many figures share a row

export class Grid {
  constructor(board) {
    this.board = board;
    this.root = element("div", "nnviz-grid", { id: `nnviz-grid-${Math.random().toString(36).slice(2)}` });
    this.liveText = element("p", "nnviz-live-text", { role: "status" });
    this.cards = new Map(); // of all sections that were open; those of others are out of the page
    this.sizes = new ResizeObserver((entries) => this.resize(entries));
    this.views = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        const card = this.cards.get(target.dataset.figure);
        if (card?.root.isConnected) card.visible = isIntersecting;
      }
      board.request();
    }, { rootMargin: "150px" });
  }

  // The cards of the section that is shown.
  get open() {
    return [...this.cards.values()].filter((card) => card.root.isConnected);
  }

  // How many figures share a row at most.
  get columns() {
    const width = this.board.width || innerWidth;
    return width < ONE ? 1 : width < TWO ? 2 : 4;
  }

  // Cards in the order of the rows; a card that stays keeps its place in the document.
  arrange() {
    const { shown } = this.board.store;
    this.close(shown);
    const stale = this.stale(shown);
    let before = null;
    for (const row of this.rows(shown)) {
      const lines = new Set(); // a line that holds for several of a row stands over the first
      for (const name of row) {
        if (!this.cards.has(name)) this.cards.set(name, this.card(name));
        const card = this.cards.get(name);
        const { root, stage } = card;
        if (!root.isConnected) card.reopen();
        root.style.setProperty("--nnviz-in-row", row.length);
        card.warn(stale[name], !lines.has(stale[name]));
        lines.add(stale[name]);
        if (!stage.style.height) stage.style.height = `${card.height}px`;
        const next = before ? before.nextSibling : this.root.firstChild;
        if (next !== root) this.root.insertBefore(root, next);
        before = root;
      }
    }
    for (const card of this.open) {
      this.sizes.observe(card.stage);
      this.views.observe(card.root);
    }
    this.board.root.dataset.columns = this.columns;
  }

  // The rows of names, then what is in none of them two by two; no row longer than there is room for, and what goes into
  // several rows as even as can be: five as three and two.
  rows(shown) {
    const given = (this.board.store.rows ?? []).map((row) => row.filter((name) => shown.includes(name)));
    const rest = shown.filter((name) => !given.flat().includes(name));
    while (rest.length) given.push(rest.splice(0, 2));
    return given.flatMap((row) => {
      const lines = Math.ceil(row.length / this.columns);
      const each = Math.ceil(row.length / lines);
      return Array.from({ length: lines }, (_, i) => row.slice(i * each, (i + 1) * each));
    });
  }

  // Takes cards out that are not shown: those of other sections are kept as they are drawn.
  close(shown) {
    const others = new Set(Object.values(this.board.store.head.sections ?? {}).flat(2));
    for (const [name, card] of this.cards) {
      if (shown.includes(name)) continue;
      this.sizes.unobserve(card.stage);
      this.views.unobserve(card.root);
      if (others.has(name)) {
        card.close();
      } else {
        card.dispose();
        this.cards.delete(name);
      }
    }
  }

  // {name: why it is not what was asked for}, of those that are not; said once to whoever cannot see it.
  stale(shown) {
    const { stale } = this.board.store.head;
    const isWhole = typeof stale === "string";
    const lines = Object.fromEntries(shown.map((name) => [name, isWhole ? stale : stale[name]]).filter(([, line]) => line));
    const text = [...new Set(Object.values(lines))].join(" · ");
    if (this.liveText.textContent !== text) this.liveText.textContent = text;
    this.board.root.dataset.stale = !text ? "false" : isWhole ? "true" : "some";
    return lines;
  }

  card(name) {
    const card = new Card(this.board, name);
    if (!this.board.store.steps.length) card.showNote("waiting for the first result");
    card.settle();
    return card;
  }

  resize(entries) {
    for (const { target, contentRect } of entries) {
      const card = this.cards.get(target.closest(".nnviz-card").dataset.figure);
      if (!card || !contentRect.width) continue; // out of the page
      card.width = Math.floor(contentRect.width);
      card.root.dataset.narrow = String(card.width < NARROW);
      target.style.height = `${card.height}px`;
      card.options.fit();
    }
    this.board.request();
  }

  dispose() {
    this.sizes.disconnect();
    this.views.disconnect();
    for (const card of this.cards.values()) card.dispose();
  }
}
