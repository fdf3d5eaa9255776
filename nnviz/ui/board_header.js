// The line on top of the board: the sections' tabs, play, time slider, where it stands, back to the newest.

import { element } from "./board_element.js";
import { Tabs } from "./board_tabs.js";

// The play-through takes about 15 s, less when there are few steps (ms).
const WHOLE = 15000, FASTEST = 90, SLOWEST = 200, STILL = 700;

export class Header {
  constructor(board) {
    this.board = board;
    this.play = element("button", "nnviz-play", { type: "button", "aria-label": "Play through all steps" });
    this.slider = element("input", "nnviz-slider", { type: "range", min: 0, max: 0, step: 1, "aria-label": "Time" });
    this.where = element("output", "nnviz-where", { "aria-live": "off" });
    this.newest = element("button", "nnviz-newest", { type: "button" }, "● newest");
    this.tabs = new Tabs((title) => board.open(title), board.grid);
    this.time = element("div", "nnviz-time", { role: "toolbar", "aria-label": "Time" }, this.play, this.slider, this.where, this.newest);
    this.root = element("div", "nnviz-head", {}, this.tabs.root, this.time);
    this.slider.oninput = (event) => {
      this.stop();
      board.scrub(this.place, event.timeStamp);
    };
    this.slider.onpointerdown = () => this.hold();
    this.play.onclick = () => (this.timer ? this.stop() : this.start());
    this.newest.onclick = () => {
      this.stop();
      board.follow();
    };
  }

  // While a pointer holds the slider, it stays on the steps that it had then, or it would move away under the pointer.
  hold() {
    this.held = this.board.store.steps;
    for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, () => this.release(), { once: true });
  }

  release() {
    this.held = undefined;
    if (this.board.store.head) this.show();
  }

  // The place of the slider among the steps that there are now.
  get place() {
    const { held, slider } = this;
    const place = Number(slider.value);
    if (!held) return place;
    return place < held.length - 1 ? this.board.store.place(held[place]) : Infinity;
  }

  // Brings the line up to date with what the board shows.
  show() {
    const { store, step, wanted, follows } = this.board;
    const { steps, head } = store;
    const last = steps.length - 1;
    const place = Math.max(0, follows ? last : store.place(wanted));
    if (!this.held) {
      if (Number(this.slider.max) !== Math.max(0, last)) this.slider.max = Math.max(0, last);
      if (Number(this.slider.value) !== place) this.slider.value = place;
      this.slider.disabled = last < 1;
    }
    this.play.disabled = last < 1;
    const { value, max } = this.slider;
    this.slider.style.setProperty("--nnviz-fill", max > 0 ? value / max : 0);
    const number = (value) => value.toLocaleString("en-US");
    let text = "";
    if (last >= 0) {
      const at = follows ? steps[last] : steps[place];
      text = `${head.unit} ${number(at)} of ${number(steps[last])}`;
      if (step !== at) text += ` · showing ${number(step)}`;
    }
    this.slider.setAttribute("aria-valuetext", text);
    if (this.where.textContent !== text) this.where.textContent = text;
    // Kept in place when there is nothing to go back to, so that the slider does not jump.
    this.newest.textContent = head.live && follows ? "● live" : "● newest";
    this.newest.classList.toggle("nnviz-is-live", head.live && follows);
    this.newest.disabled = follows;
    this.newest.setAttribute("aria-label", follows ? "Showing the newest" : "Go to the newest");
    this.root.dataset.follows = follows;
  }

  start() {
    const { board } = this;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    let place = board.follows ? 0 : Number(this.slider.value);
    if (place >= board.store.steps.length - 1) place = 0;
    this.playing(true);
    const tick = () => {
      const { steps } = board.store;
      const wait = still ? STILL : Math.max(FASTEST, Math.min(SLOWEST, WHOLE / steps.length));
      if (place >= steps.length) return this.stop();
      board.scrub(place, performance.now());
      do place++;
      while (place < steps.length - 1 && !board.store.has(steps[place])); // what is not here yet is passed over
      this.timer = setTimeout(() => board.drawn().then(tick), wait);
    };
    this.timer = setTimeout(tick, 0);
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.playing(false);
  }

  playing(on) {
    this.play.classList.toggle("nnviz-is-playing", on);
    this.play.setAttribute("aria-label", on ? "Stop playing" : "Play through all steps");
    this.play.setAttribute("aria-pressed", String(on));
  }
}
