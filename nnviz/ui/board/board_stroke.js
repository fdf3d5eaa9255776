// A line that the viewer draws over a figure with the pointer. layout.meta.stroke = {width}, in the figure's units, says
// that there may be one, and how wide it is.

const MOST = 400; // points that are sent of one line
const SVG = "http://www.w3.org/2000/svg";

export class Brush {
  constructor(card) {
    this.card = card;
    this.points = undefined; // of the line that is being drawn
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.classList.add("nnviz-stroke");
    this.line = document.createElementNS(SVG, "polyline");
    this.svg.append(this.line);
    card.stage.append(this.svg);
    // Before Plotly, which takes a drag for a zoom.
    card.plot.addEventListener("pointerdown", (event) => this.down(event), true);
    card.plot.addEventListener("mousedown", (event) => this.points && event.stopPropagation(), true);
  }

  // None in a figure of something else than the board shows by now.
  get stroke() {
    const { figure, source, board } = this.card;
    return source === board.store.head.source ? figure?.layout?.meta?.stroke : undefined;
  }

  down(event) {
    const { stroke } = this;
    const place = stroke && !event.button && event.isPrimary ? this.card.picker.place(event) : undefined;
    if (!place) return;
    event.stopPropagation();
    event.preventDefault();
    this.source = this.card.source;
    this.points = [place];
    const { xaxis } = this.card.plot._fullLayout;
    this.svg.style.setProperty("--width", `${Math.abs(xaxis.d2p(stroke.width) - xaxis.d2p(0))}px`);
    this.show();
    // On the window, since Plotly lays a sheet over the page while a button is down.
    this.ends = new AbortController();
    const { signal } = this.ends;
    window.addEventListener("pointermove", (later) => this.move(later), { signal });
    window.addEventListener("pointerup", () => this.up(), { signal });
    window.addEventListener("pointercancel", () => this.release(), { signal });
  }

  move(event) {
    const place = this.card.picker.place(event, true);
    if (!place || !this.points) return;
    this.points.push(place);
    this.show();
  }

  up() {
    const { points, source, card } = this;
    this.release();
    if (!points || source !== card.board.store.head.source) return;
    const every = Math.ceil(points.length / MOST);
    const kept = points.filter((_, i) => i % every === 0 || i === points.length - 1);
    card.board.pick({ figure: card.name, stroke: kept.map(({ x, y }) => [x, y]), source, done: true }, card);
  }

  release() {
    this.ends?.abort();
    this.points = undefined;
    // The line stays in sight until the picture with it is drawn.
    setTimeout(() => this.points || this.line.removeAttribute("points"), 600);
  }

  show() {
    const shown = this.points.length > 1 ? this.points : [this.points[0], this.points[0]];
    this.line.setAttribute("points", shown.map(({ left, top }) => `${left},${top}`).join(" "));
  }
}
