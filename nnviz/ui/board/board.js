// The board: takes messages in, decides what is shown, draws only what changed and can be seen, asks for what is missing.

import { Changes } from "./board_changes.js";
import { element } from "./board_element.js";
import { Grid } from "./board_grid.js";
import { Header } from "./board_header.js";
import { watchKeys } from "./board_keys.js";
import { keepFocus, keepHistoryShort, loadStyle, nextTask, theme, watchLeaving, watchTheme } from "./board_page.js";
import { makeRoom } from "./board_memory.js";
import { PickMessages } from "./board_pick_messages.js";
import { loadPlotly } from "./board_plotly.js";
import { Requests } from "./board_requests.js";
import { Store } from "./board_store.js";

// key -> board. A board outlives its place in the page: Streamlit mounts it anew after a visit to another page, and when
// elements above it come or go. It then moves there as it is, with its charts, their zoom and the step shown.
const boards = new Map();
const MOST_PARKED = 4;
const statistics = ((window.nnviz ??= {}).boards ??= {}); // key -> measured times, for tests and benchmarks

const parser = new TextDecoder();
keepHistoryShort();
keepFocus();
watchKeys(() => [...boards.values()]);
watchLeaving(() => boards.forEach((board) => board.requests.leave()));

// Called by Streamlit at each rerun, with the message as bytes. Returns what to call when the place is taken away.
export async function update(component, served, names) {
  const place = component.parentElement;
  const message = JSON.parse(parser.decode(component.data));
  const board = boards.get(message.head.key) ?? new Board(message.head.key);
  boards.set(message.head.key, board);
  board.moveTo(place);
  board.sendRequest = (value) => component.setTriggerValue("request", value);
  board.sendPick = (value) => component.setTriggerValue("pick", value);
  board.sendChange = (value) => component.setTriggerValue("change", value);
  board.receive(message, component.data.length);
  await loadStyle(new URL(`${names.board}/board.css`, served));
  try {
    board.start(await loadPlotly(new URL(names.plotly, served)));
  } catch (error) {
    board.fail(`The charts could not be loaded: ${error.message}. Is server.enableStaticServing on?`);
  }
  // Streamlit also calls this for an update that the next one overtook; then the place is still there.
  return () => setTimeout(() => place.isConnected || board.park());
}

class Board {
  constructor(key) {
    this.key = key;
    this.root = element("div", "nnviz-board");
    this.store = new Store();
    this.limits = {}; // link -> x ranges that a zoom set
    this.follows = true;
    this.darkPictures = false; // those that are saved: paper is white, whatever the page is
    this.scrubs = []; // times of slider moves whose picture is still to come
    this.waiting = []; // to resolve when all is drawn
    this.requests = new Requests(this);
    this.changes = new Changes(this);
    this.picks = new PickMessages(this);
    this.measured = statistics[key] = { scrubs: [], draws: [], picks: [], messages: 0, bytes: 0 };
    this.grid = new Grid(this);
    this.cards = this.grid.cards;
    this.header = new Header(this);
    this.error = element("p", "nnviz-error", { role: "alert", hidden: "" });
    this.root.replaceChildren(this.header.root, this.error, this.grid.liveText, this.grid.root);
    this.root.addEventListener("focusin", ({ target }) => (this.focused = target));
    // When the board is taken out of the page, what has the focus loses it, and gets it back in the next place.
    this.root.addEventListener("focusout", () => setTimeout(() => {
      if (this.root.isConnected && !this.root.contains(document.activeElement)) this.focused = undefined;
    }));
    watchTheme(this.root, () => this.retheme());
    this.sizes = new ResizeObserver((entries) => this.resize(entries));
    this.sizes.observe(this.root);
    document.addEventListener("visibilitychange", (this.awake = () => this.requests.pace()));
    document.addEventListener("fullscreenchange", (this.filled = () => this.fill()));
  }

  // The time line goes along with the figure that fills the screen.
  fill() {
    const full = [...this.cards.values()].find((card) => card.root === document.fullscreenElement);
    const over = full?.root ?? this.root;
    if (this.header.root.parentElement !== over) over.prepend(this.header.root);
    this.request();
  }

  moveTo(place) {
    if (this.place === place) return;
    this.place = place;
    this.requests.resume();
    this.picks.wait();
    // A place that the board has left before, and that Streamlit comes back to, is empty.
    const stand = place.querySelector(".nnviz-board");
    if (stand) stand.replaceWith(this.root);
    else place.append(this.root);
    this.width = this.root.clientWidth;
    if (document.activeElement === document.body) this.focused?.focus({ preventScroll: true });
    this.retheme();
  }

  // Waits out of the page for its next place; of many, those that left last are kept.
  park() {
    if (this.root.isConnected) return;
    this.header.stop();
    this.requests.suspend();
    this.changes.stop();
    this.picks.stop();
    for (const card of this.cards.values()) card.park();
    boards.delete(this.key);
    boards.set(this.key, this); // the last in line
    const parked = [...boards.values()].filter((board) => !board.root.isConnected);
    for (const board of parked.slice(0, -MOST_PARKED)) board.dispose();
  }

  // -- what arrives --------------------------------------------------------------------------------------------

  receive(message, bytes) {
    const { store } = this;
    const { identity, lost } = store;
    const missed = lost.size;
    const outcome = store.apply(message);
    if (outcome === "old") return;
    if (outcome === "unknown") {
      this.requests.requestRestart();
      if (!store.head) return;
    } else {
      this.measured.messages++;
      this.measured.bytes += bytes;
      this.requests.answered(message, lost === store.lost ? missed : 0);
      if (message.head.full) this.retheme();
      if (message.head.acknowledged) this.changes.acknowledge(message.head.acknowledged);
      if (message.head.picked) this.picked = this.picks.acknowledge(message.head.picked) ?? this.picked; // until its picture is drawn
      store.opened = this.changes.section;
    }
    if (store.identity !== identity) this.renew();
    makeRoom([...boards.values()]);
    this.measured.storedBytes = store.size;
    for (const card of this.cards.values()) card.settle();
    this.arrange();
    this.locate();
    this.request();
  }

  // Something else is shown from here on: no figure of before stays in sight as if it were one of it. Those of the same
  // subject, such as one run with another option, do until the new ones are drawn, so that nothing flickers.
  renew() {
    const subject = this.store.identity ? this.store.head.subject : undefined;
    const isOther = subject !== this.subject;
    for (const card of this.cards.values()) card.renew(isOther);
    if (!isOther || subject === undefined) return;
    if (this.subject !== undefined) {
      this.header.stop();
      this.header.release();
      this.follows = true;
      this.limits = {};
    }
    this.subject = subject;
  }

  // Shows another section: what is here of it at once, the rest when it comes.
  open(section) {
    const { store, root } = this;
    if (!store.head || section === store.section) return;
    store.opened = section;
    this.changes.add({ section });
    this.arrange();
    this.locate();
    this.request();
    if (root.getBoundingClientRect().top < 0) root.scrollIntoView({ block: "start" });
  }

  // Another value of a choice in a card: its picture comes from the server.
  choose(card, name, value) {
    this.changes.add({ figure: card.name, name, value });
    card.settle();
  }

  // A point that the viewer chose, or a line.
  pick(place, card) {
    this.picking = card;
    this.picks.add(place);
  }

  // -- what is shown -------------------------------------------------------------------------------------------

  // Sets `wanted`, the step chosen, and `step`, the nearest one whose figures are here.
  locate() {
    const { store } = this;
    if (this.follows) this.wanted = store.head?.newest;
    const place = store.place(this.wanted, true);
    this.step = place < 0 ? this.wanted : store.steps[place];
    this.header.show();
    const { dataset } = this.root;
    dataset.step = this.step ?? "";
    dataset.wanted = this.wanted ?? "";
    dataset.newest = store.head?.newest ?? "";
    dataset.follows = this.follows;
    dataset.stepsKnown = store.steps.length;
    dataset.history = store.loadedCount;
  }

  scrub(place, time) {
    const { steps } = this.store;
    if (!steps.length) return;
    this.follows = place >= steps.length - 1;
    this.wanted = steps[Math.min(place, steps.length - 1)];
    this.scrubs.push(time);
    this.locate();
    this.request();
  }

  // To the step nearest to this one.
  goTo(step) {
    const { steps } = this.store;
    let place = 0;
    steps.forEach((other, i) => { if (Math.abs(other - step) < Math.abs(steps[place] - step)) place = i; });
    this.header.stop();
    this.scrub(place, performance.now());
  }

  follow() {
    this.follows = true;
    this.locate();
    this.request();
  }

  arrange() {
    const { section, head } = this.store;
    this.grid.arrange();
    this.header.tabs.show(Object.keys(head.sections ?? {}), section);
    this.root.dataset.section = section ?? "";
  }

  // Figures with the same link follow a zoom of `from`; null puts all back.
  linked(from, ranges) {
    if (ranges === undefined || !from.link) return;
    if (ranges === null) delete this.limits[from.link];
    else this.limits[from.link] = { ...this.limits[from.link], ...ranges };
    this.request();
  }

  retheme() {
    const found = theme(this.root);
    const template = this.store.themes[found.dark ? "dark" : "light"];
    this.theme = { ...found, template, id: [found.dark, found.background, found.text, Object.keys(template).length].join() };
    this.root.dataset.theme = found.dark ? "dark" : "light";
    this.request();
  }

  resize([{ contentRect }]) {
    if (!contentRect.width) return; // out of the page
    this.width = contentRect.width;
    if (this.root.dataset.columns !== String(this.grid.columns) && this.store.head) this.arrange();
    const bar = document.querySelector('[data-testid="stHeader"]');
    this.root.style.setProperty("--nnviz-top", `${bar?.getBoundingClientRect().height ?? 0}px`);
    this.request();
  }

  // -- drawing -------------------------------------------------------------------------------------------------

  start(Plotly) {
    this.Plotly = Plotly;
    this.error.hidden = true;
    this.request();
  }

  fail(text) {
    this.error.textContent = text;
    this.error.hidden = false;
    this.root.dataset.busy = "false";
  }

  // However many calls come, one drawing follows, of what is newest then.
  request() {
    if (!this.root.isConnected) return;
    this.root.dataset.busy = "true";
    this.again = true;
    if (!this.frame) this.frame = requestAnimationFrame(() => this.draw());
  }

  drawn() {
    if (!this.frame) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  async draw() {
    while (this.again && this.Plotly && this.store.head && !this.disposed) {
      this.again = false;
      const started = performance.now();
      const served = this.scrubs.splice(0);
      const { step } = this;
      const cards = this.grid.open;
      for (const card of cards) card.rest(step);
      let stale = cards.filter((card) => card.isDueNow(step));
      // Those out of view are drawn once when nothing else is to do, so that scrolling never meets an empty card.
      if (!stale.length) stale = cards.filter((card) => card.isAhead(step)).slice(0, 1);
      for (const card of cards) card.point(step);
      // What the viewer has in hand comes first; the others when there is nothing newer to draw.
      const inHand = this.picked && stale.includes(this.picking) ? this.picking : undefined;
      if (inHand) stale = [inHand, ...stale.filter((card) => card !== inHand)];
      let yielded = started;
      for (const card of stale) {
        try {
          await card.draw(this.Plotly, step);
        } catch (error) {
          console.error(error);
          card.showNote(`this figure could not be drawn: ${error.message}`);
        }
        if (card === inHand) {
          await nextTask();
          this.measured.picks.push(performance.now() - this.picked);
          this.picked = undefined;
        }
        if (card === inHand && card.picker.isDragging) {
          clearTimeout(this.dragTimer);
          this.dragTimer = setTimeout(() => this.request(), 700); // unless the drag goes on
          break;
        }
        if (inHand && this.again) break;
        if (performance.now() - yielded > (inHand ? 0 : 120)) {
          await nextTask(); // the first drawing takes long: let the page breathe
          yielded = performance.now();
        }
      }
      for (const card of cards) if (!stale.includes(card)) await card.follow(this.Plotly);
      await nextTask(); // after the browser painted
      const now = performance.now();
      if (stale.length) this.measured.draws.push(now - started);
      for (const time of served) this.measured.scrubs.push(now - time);
      this.root.dataset.drawn = Number(this.root.dataset.drawn ?? 0) + (stale.length ? 1 : 0);
      this.again ||= cards.some((card) => card.isAhead(this.step));
    }
    this.frame = 0;
    if (!this.Plotly || !this.store.head) return;
    this.root.dataset.busy = "false";
    this.root.ariaBusy = "false";
    for (const resolve of this.waiting.splice(0)) resolve();
    this.requests.pace();
  }

  dispose() {
    this.disposed = true;
    boards.delete(this.key);
    this.requests.stop();
    this.changes.stop();
    this.picks.stop();
    this.header.stop();
    this.sizes.disconnect();
    document.removeEventListener("visibilitychange", this.awake);
    document.removeEventListener("fullscreenchange", this.filled);
    this.grid.dispose();
  }
}
