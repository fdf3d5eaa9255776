// A figure as a picture of its own: complete, whatever the card on the page has room for, with its title over it.

// Fonts that are on most machines, or have there one of the same widths: what is measured here fits elsewhere too.
const FONT = "Arial, 'Liberation Sans', Helvetica, 'Noto Sans CJK KR', 'Malgun Gothic', 'Apple SD Gothic Neo', sans-serif";
// Around the title, and from line to line of it, in pixels.
const TITLE = { size: 14, line: 19, side: 12, top: 9, below: 5 };
// Below this width and height (px) axes, legend and notes have no room beside each other.
const NARROWEST = 480, LOWEST = 260;
// And below this height for each of several plots above each other, besides what is around them.
const PANEL = 85, AROUND = 40;
// Of its height and width the plot keeps at least these shares; the picture grows where legend and labels take more.
const PLOT = { height: 0.85, width: 0.68 };
const ROOM = 600;
// Pixels of a PNG for one of the picture.
const SHARP = 2;
const SVG = "http://www.w3.org/2000/svg";

// Colors of the pictures that a board saves, dark ones in the page's own dark.
export function pictureTheme({ theme, store, darkPictures }) {
  const background = !darkPictures ? "#ffffff" : theme.dark ? theme.background : "#0e1117";
  return { background, template: store.themes[darkPictures ? "dark" : "light"] };
}

// The figure as it is looked at in `plot`: zoomed, turned, and without what was hidden by a click in the legend.
export function visibleFigure({ data, layout }, plot) {
  const full = plot._fullLayout ?? {};
  const changed = { ...layout };
  for (const [name, axis] of Object.entries(full)) {
    if (/^[xy]axis\d*$/.test(name) && axis.autorange === false) {
      changed[name] = { ...layout[name], range: Array.from(axis.range), autorange: false };
    } else if (/^scene\d*$/.test(name) && axis._scene) {
      changed[name] = { ...layout[name], camera: axis._scene.getCamera() };
    }
  }
  const visible = new Map((plot._fullData ?? []).map((trace) => [trace.index, trace.visible]));
  return { data: data.map((trace, i) => (visible.has(i) ? { ...trace, visible: visible.get(i) } : trace)), layout: changed };
}

// The picture as a data URL. `theme` has background and template; `width` and `height` are those of the card.
export async function picture(Plotly, figure, { title, theme, format, width, height }) {
  const panels = Object.keys(figure.layout).filter((name) => /^yaxis\d*$/.test(name)).length;
  const size = { width: Math.max(width, NARROWEST), height: Math.max(height, LOWEST, PANEL * panels + AROUND) };
  const svg = await drawing(Plotly, figure, { title, theme, ...size });
  const text = new XMLSerializer().serializeToString(svg);
  const url = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  return format === "svg" ? url : raster(url, Number(svg.getAttribute("width")), Number(svg.getAttribute("height")));
}

async function drawing(Plotly, { data, layout }, { title, theme, width, height }) {
  const stage = document.createElement("div");
  stage.style.cssText = "position: fixed; left: -20000px; top: 0;";
  document.body.append(stage);
  try {
    const full = dressed(layout, theme);
    const { t, r, b, l } = { ...theme.template.layout.margin, ...full.margin };
    // First with height to spare, to see how much the legend and the labels need.
    await Plotly.newPlot(stage, data, { ...full, width, height: height + ROOM }, { staticPlot: true });
    const taken = stage._fullLayout._size;
    const size = {
      width: Math.max(width, Math.ceil(PLOT.width * (width - l - r) + taken.l + taken.r)),
      height: Math.max(height, Math.ceil(PLOT.height * (height - t - b) + taken.t + taken.b)),
    };
    // Twice, since plotly.js leaves legend and color bar at first where the old margins would have them.
    await Plotly.relayout(stage, size);
    await Plotly.relayout(stage, size);
    return framed(Plotly.Snapshot.toSVG(stage, "svg"), title, theme, stage._fullLayout);
  } finally {
    Plotly.purge(stage);
    stage.remove();
  }
}

// The layout in the picture's colors and fonts, with a legend that shows all of its entries.
function dressed(layout, theme) {
  const { font } = theme.template.layout;
  return {
    ...layout,
    template: theme.template,
    font: { ...font, ...layout.font, family: FONT, color: font.color },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    autosize: false,
    legend: { ...layout.legend, maxheight: 10000 },
  };
}

// The plot on the page's color with the title in a band of its own.
function framed(text, title, theme, { width, height }) {
  const plot = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  for (const part of plot.querySelectorAll(".legend [clip-path]")) part.removeAttribute("clip-path");
  const lines = wrapped(title, width - 2 * TITLE.side);
  const band = TITLE.top + TITLE.line * lines.length + TITLE.below;
  const root = part("svg", { width, height: height + band, viewBox: `0 0 ${width} ${height + band}` });
  root.append(part("rect", { width, height: height + band, fill: theme.background }));
  const head = part("g", {
    class: "title", fill: theme.template.layout.font.color, "font-family": FONT, "font-size": TITLE.size, "font-weight": 600,
  });
  lines.forEach((line, i) => {
    const words = part("text", { x: TITLE.side, y: TITLE.top + TITLE.line * (i + 0.75) });
    words.textContent = line;
    head.append(words);
  });
  const body = part("g", { transform: `translate(0,${band})` });
  body.append(...plot.childNodes);
  root.append(head, body);
  return root;
}

function part(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

// The words of a title in as few lines as they fit.
function wrapped(title, width) {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = `600 ${TITLE.size}px ${FONT}`;
  const lines = [];
  for (const word of title.split(" ")) {
    const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
    if (lines.length && pen.measureText(longer).width <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

async function raster(url, width, height) {
  const image = new Image();
  image.src = url;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: SHARP * width, height: SHARP * height });
  const pen = canvas.getContext("2d");
  pen.scale(SHARP, SHARP);
  pen.drawImage(image, 0, 0, width, height);
  return canvas.toDataURL("image/png");
}
