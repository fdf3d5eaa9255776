// A point in a figure that the viewer chooses: a click anywhere on the plot, or the marked point taken and dragged.
// layout.meta.pick = {name, x, y} names it and says where it is now.

import { element } from "./board_element.js";

const NEAR = 16; // pixels around the marked point that take hold of it
const STILL = 4; // pixels that a click may move

export class Picker {
  constructor(card) {
    this.card = card;
    this.isDragging = false; // whether the viewer has the point in hand
    this.ghost = element("i", "nnviz-drag-point", { "aria-hidden": "true", hidden: "" });
    card.stage.append(this.ghost);
    // Before Plotly, which takes a drag for a zoom.
    card.plot.addEventListener("pointerdown", (event) => this.down(event), true);
    card.plot.addEventListener("mousedown", (event) => this.isDragging && event.stopPropagation(), true);
  }

  // None in a figure of something else than the board shows by now.
  get pick() {
    const { figure, source, board } = this.card;
    return source === board.store.head.source ? figure?.layout?.meta?.pick : undefined;
  }

  // Where an event is, {left, top} in pixels of the card's stage and {x, y} in the figure's units; undefined outside.
  place(event, outside = false) {
    const { xaxis, yaxis } = this.card.plot._fullLayout ?? {};
    if (!xaxis?.p2d || !yaxis?.p2d) return undefined;
    const box = this.card.plot.getBoundingClientRect();
    let left = event.clientX - box.left - xaxis._offset;
    let top = event.clientY - box.top - yaxis._offset;
    if (!outside && (left < 0 || top < 0 || left > xaxis._length || top > yaxis._length)) return undefined;
    left = Math.min(Math.max(left, 0), xaxis._length);
    top = Math.min(Math.max(top, 0), yaxis._length);
    return { left: left + xaxis._offset, top: top + yaxis._offset, x: xaxis.p2d(left), y: yaxis.p2d(top) };
  }

  // Also in a figure that the next one is about to replace: what is moved in it is told once that one is there.
  down(event) {
    const pick = this.card.figure?.layout?.meta?.pick;
    if (!pick || event.button || !event.isPrimary) return;
    const place = this.place(event);
    if (!place) return;
    this.began = place;
    // On the window, since Plotly lays a sheet over the page while a button is down.
    this.ends = new AbortController();
    const { signal } = this.ends;
    window.addEventListener("pointermove", (later) => this.move(later), { signal });
    window.addEventListener("pointerup", (later) => this.up(later), { signal });
    window.addEventListener("pointercancel", () => this.release(), { signal });
    const { xaxis, yaxis } = this.card.plot._fullLayout;
    const far = Math.hypot(place.left - xaxis._offset - xaxis.d2p(pick.x), place.top - yaxis._offset - yaxis.d2p(pick.y));
    if (far > NEAR) return; // a drag from here zooms
    this.isDragging = true;
    this.card.plot.querySelector(".hoverlayer")?.replaceChildren(); // it would stay where the drag began
    event.stopPropagation();
    event.preventDefault();
    this.show(place);
  }

  move(event) {
    if (!this.isDragging) return;
    const place = this.place(event, true);
    if (!place) return;
    this.show(place);
    if (!this.pick) return;
    this.card.board.pick({ figure: this.card.name, x: place.x, y: place.y, source: this.card.source }, this.card);
  }

  up(event) {
    const { began, isDragging, pick } = this;
    this.release();
    const place = this.place(event, isDragging);
    if (!pick || !began || !place) return;
    const moved = Math.hypot(place.left - began.left, place.top - began.top);
    if (isDragging ? moved === 0 : moved > STILL) return;
    this.card.board.pick({ figure: this.card.name, x: place.x, y: place.y, source: this.card.source, done: true }, this.card);
  }

  release() {
    this.ends?.abort();
    this.isDragging = false;
    this.began = undefined;
    this.ghost.hidden = true;
  }

  show({ left, top }) {
    this.ghost.hidden = false;
    this.ghost.style.transform = `translate(${left}px, ${top}px)`;
  }
}
