// One figure in its card: title, help, menu, chart, and the line at the chosen step.

import { cameras, fit, ranges } from "./board_axes.js";
import { element } from "./board_element.js";
import { follows, legendTexts, renamed, write } from "./board_follow.js";
import { Images } from "./board_images.js";
import { Menu } from "./board_menu.js";
import { Options } from "./board_options.js";
import { Picker } from "./board_pick.js";
import { Brush } from "./board_stroke.js";
import { draw, writePowers } from "./board_plotly.js";
import { cut, reveals } from "./board_reveal.js";
import { same } from "./board_store.js";

// What a double click resets is the board's to say: Plotly takes the range of the last drawing for the first one.
const CONFIG = { displayModeBar: false, displaylogo: false, doubleClick: false, showTips: false };

const REST = 300; // without another step, after which a legend is laid out anew (ms)
const WEBGL = /^(scatter3d|surface|mesh3d|cone|streamtube|volume|isosurface|splom|parcoords)$|gl$/; // types of traces

// Of the height that is given a narrow card takes at most this share of its width, and at least so many pixels.
const TALLEST = 1.3, LOWEST = 240;

// Narrower cards have titles of two lines, and the layout that a figure has for them (px).
export const NARROW = 330;

export class Card {
  constructor(board, name) {
    this.board = board;
    this.name = name;
    this.visible = undefined; // whether it is in view, as far as the page has said
    this.drawn = 0;
    this.revision = 0;
    this.drawing = undefined; // what is on screen: {version, look, at}
    const title = board.store.head.titles[name] ?? name; // until the figure brings its own
    this.title = element("h3", "nnviz-title", {}, title);
    this.tip = element("span", "nnviz-tip", { role: "tooltip", id: `nnviz-tip-${Math.random().toString(36).slice(2)}` });
    this.help = element("button", "nnviz-help", { type: "button", "aria-describedby": this.tip.id, "aria-label": "What this shows" }, "?");
    this.plot = element("div", "nnviz-plot");
    // Over a scene in space the wheel scrolls the page, as everywhere; it zooms where there is nothing to scroll.
    this.plot.addEventListener("wheel", (event) => {
      if (inSpace(event) && document.fullscreenElement !== this.root) event.stopPropagation();
    }, { capture: true, passive: true });
    this.plot.addEventListener("dblclick", (event) => inSpace(event) && this.resetZoom());
    this.images = new Images();
    this.lines = element("div", "nnviz-lines", { "aria-hidden": "true" });
    this.note = element("p", "nnviz-note");
    this.warning = element("p", "nnviz-stale", { "aria-hidden": "true" });
    this.stage = element("div", "nnviz-stage", {}, this.images.root, this.plot, this.lines, this.note, this.warning);
    this.picker = new Picker(this);
    this.menu = new Menu(this);
    this.brush = new Brush(this);
    this.options = new Options(this);
    const { root: options, list } = this.options;
    this.head = element("header", "nnviz-card-head", {}, this.title, this.help, this.tip, options, this.menu.more, this.menu.root, list);
    this.root = element("section", "nnviz-card", { "data-figure": name, "data-drawn": "0", "aria-label": title }, this.head, this.stage);
    this.root.addEventListener("focusout", (event) => {
      if (this.head.contains(event.relatedTarget)) return;
      for (const list of [this.menu, this.options]) list.open(false);
    });
    document.addEventListener("pointerdown", (this.outside = (event) => {
      for (const list of [this.menu, this.options]) if (!list.holds(event.target)) list.open(false);
    }));
    this.showNote("");
  }

  showNote(text) {
    this.note.textContent = text;
    this.note.hidden = !text;
    this.show(!text);
  }

  show(isShown) {
    for (const layer of [this.plot, this.images.root]) layer.style.visibility = isShown ? "visible" : "hidden";
    if (!isShown) this.lines.replaceChildren();
  }

  // The board shows something else from here on. What is on screen stays there only where it is of the same subject,
  // and in view, where it is replaced at once.
  renew(isOther) {
    if (isOther) this.drawing = this.figure = this.shown = undefined;
    if (isOther || this.visible === false) this.show(false);
  }

  // Says whether what is on screen waits for one with other choices: the server has announced it, or the viewer chose.
  settle() {
    const { store, changes } = this.board;
    const { version } = this.drawing ?? {};
    const isOld = Boolean(version) && version.mark !== store.marks[this.name];
    this.root.dataset.pending = isOld ? "announced" : changes.waits(this.name) ? "chosen" : "false";
    this.options.show(store.head?.choices?.[this.name] ?? []);
  }

  // Dims what is drawn, of which `line` says why it is not what was asked for; in sight unless another card says so.
  warn(line, isShown) {
    this.root.dataset.stale = String(Boolean(line));
    this.warning.replaceChildren(...(line && isShown ? [element("span", "", {}, line)] : []));
  }

  // Back in the page, with what was drawn as far as that is still true.
  reopen() {
    if (!this.board.store.isCurrent(this.drawing?.version)) this.show(false);
  }

  // Whether the figure is one of what the board shows by now.
  get isCurrent() {
    return Boolean(this.figure) && this.root.isConnected && this.board.store.isCurrent(this.drawing?.version);
  }

  get isOverSteps() {
    return this.board.store.overSteps.has(this.name);
  }

  get height() {
    if (document.fullscreenElement === this.root) {
      return window.innerHeight - this.head.offsetHeight - this.board.header.root.offsetHeight - 32;
    }
    const given = this.board.store.head.heights[this.name] ?? 280;
    if (!this.width) return given;
    const { slope, more } = this.aspect ?? {};
    return Math.round(Math.min(given, slope ? slope * this.width + more : Math.max(LOWEST, TALLEST * this.width)));
  }

  // Whether the figure of a step takes one of the few WebGL contexts that a page may have: such a card is drawn in view
  // alone, and gives its context up when it is scrolled out of view.
  takesContext(step) {
    const { store } = this.board;
    const version = store.version(this.name, step);
    return Boolean(version) && (store.bases.get(version.base).figure.data ?? []).some(({ type }) => WEBGL.test(type));
  }

  // Out of view, a card that takes a context rests: it has none until it is seen again.
  rest(step) {
    const rests = this.visible === false && !this.isDue && this.takesContext(step);
    this.root.dataset.rests = rests;
    if (rests) this.park();
  }

  // Whether it is to be drawn at once.
  isDueNow(step) {
    return (this.isDue || (this.visible ?? !this.takesContext(step))) && this.isStale(step);
  }

  // Whether it is to be drawn before it is seen.
  isAhead(step) {
    return !this.figure && this.isStale(step) && !this.takesContext(step);
  }

  // Whether what is on screen differs from what should be there.
  isStale(step) {
    return Boolean(this.width) && !same(this.wanted(step), this.drawing);
  }

  wanted(step) {
    const { store, theme, limits } = this.board;
    const version = store.version(this.name, step);
    const { isDragging } = this.picker;
    const look = [theme.id, this.width, this.height, this.revision, isDragging, JSON.stringify(limits[this.link] ?? null)].join();
    const isCut = version && reveals(store.bases.get(version.base).figure);
    return { version, look, at: isCut ? this.board.wanted : undefined };
  }

  async draw(Plotly, step) {
    const { store } = this.board;
    let wanted = this.wanted(step);
    const { version, at } = wanted;
    const before = this.drawing?.look;
    this.stage.style.height = `${this.height}px`;
    this.drawing = wanted;
    this.isDue = false;
    if (!version) {
      this.figure = this.shown = undefined;
      this.settle();
      const isNone = version === null || !store.mayHave(this.name);
      this.showNote(!store.steps.length ? "waiting for the first result" : isNone ? "no result at this step" : "loading …");
      return;
    }
    const figure = store.figure(version);
    const { aspect } = figure.layout?.meta ?? {}; // of a grid of images, which takes a card of a certain shape
    if (!same(aspect, this.aspect)) {
      this.aspect = aspect;
      this.drawing = wanted = this.wanted(step);
      this.stage.style.height = `${this.height}px`;
    }
    const data = at === undefined ? (figure.data ?? []) : cut(figure.data ?? [], at);
    const unchanged = new Set();
    if (wanted.look === before) data.forEach((trace, i) => trace === this.shown?.[i] && unchanged.add(i));
    this.figure = figure;
    this.shown = data;
    this.source = store.head.source;
    const meta = figure.layout?.meta ?? {};
    this.link = meta.link;
    this.describe(meta.title ?? this.name, meta.help);
    const { data: traces, layout: whole } = this.displayed();
    try {
      const { layout, images } = await this.images.decoded(whole);
      await draw(Plotly, this.plot, traces, layout, CONFIG, unchanged);
      this.images.paint(images, this.plot);
    } catch (error) {
      this.clear(); // or what is half drawn spoils every later drawing
      this.drawing = wanted; // it is not tried again until something changes
      throw error;
    }
    if (!this.drawn) this.listen(Plotly);
    this.root.dataset.drawn = ++this.drawn;
    this.settle();
    if (this.drawing !== wanted || !this.isCurrent) return; // the board shows something else since
    this.showNote("");
    this.point(step);
  }

  // What is drawn: the traces as they are shown, with a legend of the chosen step.
  displayed() {
    this.legend = this.legendTexts();
    this.rests = undefined;
    return renamed({ data: this.shown.map(copy), layout: this.layout(this.figure.layout ?? {}) }, this.legend);
  }

  legendTexts() {
    const { follows: isNewest, wanted, store: { head } } = this.board;
    return legendTexts(this.figure, isNewest || wanted === head.newest ? undefined : wanted, head.unit);
  }

  // Brings a legend that tells values to the chosen step: its words at once, its layout when the slider rests.
  async follow(Plotly) {
    if (this.visible === false || !this.isCurrent || !follows(this.figure)) return;
    const words = this.legendTexts();
    if (!same(words, this.legend)) {
      this.legend = words;
      write(this.plot, words);
      clearTimeout(this.resting);
      this.resting = setTimeout(() => this.board.request(), REST);
      this.rests = performance.now() + REST;
    } else if (performance.now() >= this.rests) {
      this.rests = undefined;
      const places = this.figure.data.flatMap((trace, i) => (trace.meta?.follow ? [i] : []));
      await Plotly.update(this.plot, { name: places.map((i) => words.names[i]) }, { "legend.title.text": words.title }, places);
    }
  }

  describe(title, help) {
    if (this.title.textContent !== title) {
      this.title.textContent = title;
      this.options.fit();
    }
    this.root.setAttribute("aria-label", title);
    this.menu.more.setAttribute("aria-label", `Menu of ${title}`);
    this.help.hidden = !help;
    if (help && this.tip.textContent !== help) this.tip.textContent = help;
  }

  layout(given) {
    const { theme, limits } = this.board;
    const layout = {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      ...this.revised(copy({ ...given, ...(this.width < NARROW ? given.meta?.narrow : {}), meta: undefined })), uirevision: this.zoomRevision, // Plotly has no use for the table in meta
      template: theme.template, width: this.width, height: this.height, autosize: false, datarevision: this.drawn,
    };
    layout.font = { family: theme.font, color: theme.text, size: 12, ...theme.template.layout?.font, ...layout.font };
    layout.margin ??= theme.template.layout?.margin ?? { l: 48, r: 16, t: 12, b: 40 };
    if (this.picker.isDragging) layout.hovermode = false; // else each drawing looks anew for what is under the pointer
    for (const [axis, range] of Object.entries(limits[this.link] ?? {})) {
      if (axis !== "xaxis" && !layout[axis]) continue;
      layout[axis] = { ...layout[axis], ...(range ? { range: fit(range, layout[axis]?.type), autorange: false } : {}) };
    }
    return layout;
  }

  // Zoom and hidden curves last as long as this stays: until "Reset zoom", or another subject.
  get zoomRevision() {
    return `${this.revision} ${this.board.store.head.subject}`;
  }

  // Axes and scenes may say by a uirevision of their own when a zoom of them is void; "Reset zoom" voids it too. How a
  // scene was turned is kept for another subject. Plotly writes a zoom into the very list that holds an axis's range,
  // which must stay as it was for the next drawing.
  revised(layout) {
    for (const [name, part] of Object.entries(layout)) {
      if (part?.uirevision !== undefined) part.uirevision += ` ${name.startsWith("scene") ? this.revision : this.zoomRevision}`;
      if (part?.range) part.range = Array.from(part.range);
    }
    for (const [name, { uirevision, camera }] of Object.entries(this.turned ?? {})) {
      if (uirevision === (layout[name]?.uirevision ?? this.zoomRevision)) layout[name] = { ...layout[name], camera: copy(camera) };
    }
    return layout;
  }

  listen(Plotly) {
    this.plot.on("plotly_relayout", (change) => {
      this.point(this.board.step);
      if (this.link && this.isCurrent) this.board.linked(this, ranges(change, this.plot._fullLayout));
    });
    this.plot.on("plotly_click", ({ points }) => this.clicked(points?.[0]));
    this.plot.on("plotly_doubleclick", () => this.resetZoom());
    this.plot.on("plotly_relayouting", () => this.point(this.board.step));
    this.plot.on("plotly_afterplot", () => {
      writePowers(this.plot);
      this.point(this.board.step);
    });
  }

  // Plotly lets go of what was zoomed under the revision of before.
  resetZoom() {
    this.revision++;
    this.board.linked(this, null);
    this.board.request();
  }

  // A click on a point that belongs to a step takes the time slider there, unless clicks choose a point of the plane.
  clicked(point) {
    if (!point || !this.isCurrent || this.figure.layout?.meta?.pick) return;
    const { steps, show } = point.data?.meta ?? {};
    const step = show === "until" ? steps?.[point.pointNumber] : this.isOverSteps && !steps ? point.x : undefined;
    if (Number.isFinite(step)) this.board.goTo(step);
  }

  // A line at `step` over each plot whose x axis is the step, where the axis shows it now.
  point(step) {
    this.images.place(this.plot);
    const places = new Set();
    if (this.isOverSteps && this.isCurrent && this.drawing.at === undefined && !this.board.follows && this.plot._fullLayout) {
      for (const { xaxis, yaxis } of Object.values(this.plot._fullLayout._plots ?? {})) {
        const x = xaxis.d2p(step);
        if (x >= -0.5 && x <= xaxis._length + 0.5) places.add([xaxis._offset + x, yaxis._offset, yaxis._length].join());
      }
    }
    while (this.lines.children.length < places.size) this.lines.append(element("i", "nnviz-line"));
    while (this.lines.children.length > places.size) this.lines.lastChild.remove();
    [...places].forEach((place, i) => {
      const [x, top, height] = place.split(",");
      Object.assign(this.lines.children[i].style, { transform: `translateX(${x}px)`, top: `${top}px`, height: `${height}px` });
    });
  }

  // Out of the page, as long as another section is shown: drawn there as it is, where it takes none of the few WebGL
  // contexts that a page may have.
  close() {
    if (!this.root.isConnected) return;
    this.menu.open(false);
    this.options.open(false);
    this.park();
    this.visible = undefined; // until the page says so once it is back
    this.root.remove();
  }

  // Frees the chart when it holds one of the few WebGL contexts that a page may have; it is drawn again when it is back.
  park() {
    if (!this.plot.querySelector(".gl-container canvas")) return;
    this.turned = cameras(this.plot._fullLayout);
    this.clear();
  }

  clear() {
    const canvases = [...this.plot.querySelectorAll(".gl-container canvas")];
    this.board.Plotly.purge(this.plot);
    this.images.clear();
    // Else the browser counts their contexts among those of the page until it collects garbage.
    for (const canvas of canvases) (canvas.getContext("webgl2") ?? canvas.getContext("webgl"))?.getExtension("WEBGL_lose_context")?.loseContext();
    this.drawn = 0;
    this.drawing = this.figure = this.shown = undefined;
  }

  dispose() {
    if (this.drawn) this.board.Plotly.purge(this.plot);
    document.removeEventListener("pointerdown", this.outside);
    this.root.remove();
  }
}

const inSpace = (event) => Boolean(event.target.closest?.(".gl-container"));

// A copy that Plotly may write into; lists of plain values, typed arrays and images stay the same objects.
function copy(value) {
  if (value === null || typeof value !== "object" || ArrayBuffer.isView(value) || value instanceof Blob) return value;
  if (Array.isArray(value)) {
    const nested = value.some((part) => part !== null && typeof part === "object" && !ArrayBuffer.isView(part) && !Array.isArray(part));
    return nested ? value.map(copy) : value;
  }
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, copy(part)]));
}
