// The line on top of the board: the sections' tabs, play, back to the newest, speed, time slider, where it stands.

import { element } from "./board_element.js";
import { Tabs } from "./board_tabs.js";

// The play-through takes about 15 s at speed 1, less when there are few steps (ms).
const WHOLE = 15000, FASTEST = 90, SLOWEST = 200, STILL = 700;
const SPEEDS = [0.5, 1, 2, 4];
const PAGE = 0.1; // of all pictures, by the keys Page Up and Page Down
const REMEMBERED = "nnviz-time"; // for as long as the browser's tab is open

export class Header {
  constructor(board) {
    this.board = board;
    this.isLog = false; // whether the slider's place is the logarithm of the step
    this.speed = 1;
    this.recall();
    this.play = element("button", "nnviz-play", { type: "button", title: "Space: play or pause" });
    this.newest = element("button", "nnviz-newest", { type: "button" });
    this.speeds = element("select", "nnviz-speed", { "aria-label": "Speed", title: "Playback speed" });
    for (const speed of SPEEDS) this.speeds.append(element("option", "", { value: speed }, `${speed}×`));
    this.speeds.value = this.speed;
    this.slider = element("input", "nnviz-slider", {
      type: "range", min: 0, max: 0, step: "any", "aria-label": "Time", title: "Arrow keys: previous or next recorded step",
    });
    this.where = element("output", "nnviz-position", { "aria-live": "off" });
    this.log = element("button", "nnviz-log", {
      type: "button", "aria-label": "Logarithmic time", title: "Logarithmic time axis",
    }, "log");
    this.tabs = new Tabs((title) => board.open(title), board.grid.root);
    const { play, newest, speeds, slider, where, log } = this;
    this.time = element("div", "nnviz-time", { role: "toolbar", "aria-label": "Time" }, play, newest, speeds, slider, where, log);
    this.root = element("div", "nnviz-head", {}, this.tabs.root, this.time);
    slider.oninput = (event) => {
      this.stop();
      board.scrub(this.place, event.timeStamp);
    };
    slider.onpointerdown = () => this.hold();
    play.onclick = () => this.toggle();
    newest.onclick = () => {
      this.stop();
      board.follow();
    };
    speeds.onchange = () => this.remember({ speed: Number(speeds.value) });
    log.onclick = () => {
      this.remember({ isLog: !this.isLog });
      this.show();
    };
    this.playing(false);
  }

  recall() {
    try {
      const { isLog, speed } = JSON.parse(sessionStorage.getItem(REMEMBERED) ?? "{}");
      this.isLog = isLog === true;
      if (SPEEDS.includes(speed)) this.speed = speed;
    } catch { /* the browser keeps nothing */ }
  }

  remember(changed) {
    Object.assign(this, changed);
    try {
      sessionStorage.setItem(REMEMBERED, JSON.stringify({ isLog: this.isLog, speed: this.speed }));
    } catch { /* as above */ }
  }

  // -- the slider ----------------------------------------------------------------------------------------------

  // Where a step is on the slider.
  at(step) {
    return this.isLog ? Math.log1p(Math.max(0, step)) : step;
  }

  // While a pointer holds the slider, it stays on the steps that it had then, or it would move away under the pointer.
  hold() {
    this.heldSteps = this.board.store.steps;
    for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, () => this.release(), { once: true });
  }

  release() {
    this.heldSteps = undefined;
    if (this.board.store.head) this.show();
  }

  // The picture that the slider is nearest to, by its place among those that there are now.
  get place() {
    const { heldSteps, slider, board: { store } } = this;
    const steps = heldSteps ?? store.steps, value = Number(slider.value);
    let place = 0;
    steps.forEach((step, i) => { if (Math.abs(this.at(step) - value) < Math.abs(this.at(steps[place]) - value)) place = i; });
    if (!heldSteps) return place;
    return place < heldSteps.length - 1 ? store.place(heldSteps[place]) : Infinity;
  }

  // Brings the line up to date with what the board shows.
  show() {
    const { store, step, wanted, follows } = this.board;
    const { steps, head } = store;
    const last = steps.length - 1;
    const place = Math.max(0, follows ? last : store.place(wanted));
    const { slider, where, newest } = this;
    if (!this.heldSteps) {
      slider.min = this.at(steps[0] ?? 0);
      slider.max = this.at(steps[last] ?? 0);
      slider.value = this.at(steps[place] ?? 0);
      slider.disabled = last < 1;
    }
    this.play.disabled = last < 1;
    const [low, high] = [Number(slider.min), Number(slider.max)];
    slider.style.setProperty("--nnviz-fill", high > low ? (Number(slider.value) - low) / (high - low) : 0);
    const number = (value) => value.toLocaleString("en-US");
    let text = "";
    if (last >= 0) {
      const at = follows ? steps[last] : steps[place];
      const whole = `${head.unit} ${number(at)} of ${number(steps[last])}`;
      text = step === at ? whole : `${whole} · showing ${number(step)}`;
      const longest = whole.length + number(steps[last]).length - number(at).length + (head.live ? "● live · ".length : 0);
      where.style.minWidth = `${longest}ch`; // so that the slider stays as it is
    }
    slider.setAttribute("aria-valuetext", text);
    if (where.textContent !== text) where.textContent = text;
    where.classList.toggle("nnviz-is-live", head.live && follows);
    newest.disabled = follows;
    newest.setAttribute("aria-label", follows ? "Showing the latest" : "Jump to latest");
    newest.title = follows ? "" : "Jump to latest";
    this.log.setAttribute("aria-pressed", String(this.isLog));
    this.root.dataset.follows = follows;
  }

  // What a key does, whether anything.
  key(key, onSlider) {
    const { steps } = this.board.store;
    const last = steps.length - 1;
    if (last < 1) return false;
    const place = this.board.follows ? last : this.board.store.place(this.board.wanted);
    const far = Math.max(1, Math.round(PAGE * last));
    const to = { ArrowLeft: place - 1, ArrowRight: place + 1, Home: 0, End: last }[key]
      ?? (onSlider ? { ArrowDown: place - 1, ArrowUp: place + 1, PageDown: place - far, PageUp: place + far }[key] : undefined);
    if (key === " ") this.toggle();
    else if (to === undefined) return false;
    else {
      this.stop();
      this.board.scrub(Math.min(Math.max(to, 0), last), performance.now());
    }
    return true;
  }

  // -- playing -------------------------------------------------------------------------------------------------

  toggle() {
    if (this.isPlaying) this.stop();
    else this.start();
  }

  start() {
    const { board } = this;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const { steps } = board.store;
    let place = board.follows ? 0 : board.store.place(board.wanted);
    if (place >= steps.length - 1) place = 0;
    this.stop();
    this.playing(true);
    const turn = (this.turn = {}); // another one is under way after a stop and a start
    const tick = () => {
      const { steps } = board.store;
      if (this.turn !== turn) return;
      if (place >= steps.length) return this.stop();
      const began = performance.now();
      const wait = (still ? STILL : Math.max(FASTEST, Math.min(SLOWEST, WHOLE / steps.length))) / this.speed;
      board.scrub(place, began);
      this.timer = setTimeout(() => board.drawn().then(() => {
        const last = steps.length - 1;
        // Fast playing leaves out pictures that take longer to draw than there is time for, but never the last.
        const on = this.speed > 1 ? Math.max(1, Math.floor((performance.now() - began) / wait)) : 1;
        place = place < last ? Math.min(place + on, last) : last + 1;
        while (place < last && !board.store.has(steps[place])) place++; // what is not here yet is passed over
        tick();
      }), wait);
    };
    tick();
  }

  stop() {
    clearTimeout(this.timer);
    this.turn = undefined;
    this.playing(false);
  }

  playing(on) {
    this.isPlaying = on;
    this.play.classList.toggle("nnviz-is-playing", on);
    this.play.setAttribute("aria-label", on ? "Pause playback" : "Play all steps");
    this.play.setAttribute("aria-pressed", String(on));
  }
}
