// plotly.js as the board needs it: loaded once a page, and quicker at drawing a figure again of which little changed.

import { number } from "./board_follow.js";

let plotly; // the promise, shared by all boards of the page

export function loadPlotly(url) {
  plotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => (window.Plotly ? resolve(quicken(window.Plotly)) : reject(new Error("plotly.js is damaged")));
    script.onerror = () => {
      plotly = undefined; // so that the next update tries again
      reject(new Error(`no plotly.js at ${url.pathname}`));
    };
    document.head.append(script);
  });
  return plotly;
}

// For every trace of every drawing plotly.js walks through all attributes that there are, to find those that are arrays: a
// fifth of the time that a figure of many small traces takes. Here the walk is taken once for each type of trace.
function quicken(Plotly) {
  const schema = Plotly.PlotSchema;
  const { crawl, findArrayAttributes } = schema;
  if (!crawl || !findArrayAttributes) return Plotly;
  let common; // the attributes that traces of all types have
  schema.crawl = (attributes) => (common ??= attributes);
  findArrayAttributes({});
  schema.crawl = crawl;
  if (!common) return Plotly;

  const known = new Map(); // attributes -> [[keys, whether each stands for a list of objects]]
  const arrays = (attributes) => {
    if (!known.has(attributes)) {
      const found = [];
      let keys = [], lists = [];
      schema.crawl(attributes, (attribute, key, _, level) => {
        keys = [...keys.slice(0, level), key];
        lists = [...lists.slice(0, level), Boolean(attribute?._isLinkedToArray)];
        const many = attribute?.valType === "data_array" || attribute?.arrayOk === true;
        if (many && !(keys[level - 1] === "colorbar" && /^tick(text|vals)$/.test(key))) found.push([keys, lists]);
      });
      known.set(attributes, found);
    }
    return known.get(attributes);
  };
  const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value) && !ArrayBuffer.isView(value);
  const isArray = (value) => Array.isArray(value) || ArrayBuffer.isView(value);
  const look = (at, keys, lists, depth, path, found) => {
    const value = at[keys[depth]];
    if (value === undefined) return;
    const here = path + keys[depth];
    if (depth === keys.length - 1) {
      if (isArray(value)) found.push(here);
    } else if (lists[depth]) {
      if (Array.isArray(value)) value.forEach((part, i) => isObject(part) && look(part, keys, lists, depth + 1, `${here}[${i}].`, found));
    } else if (isObject(value)) look(value, keys, lists, depth + 1, `${here}.`, found);
  };
  schema.findArrayAttributes = (trace) => {
    const found = [];
    for (const [keys, lists] of arrays(common)) look(trace, keys, lists, 0, "", found);
    const own = trace._module?.attributes;
    if (own) for (const [keys, lists] of arrays(own)) look(trace, keys, lists, 0, "", found);
    return found;
  };
  schema.findArrayAttributes.original = findArrayAttributes;
  return Plotly;
}

// Draws like Plotly.react. `unchanged` holds the indices of traces that are the same objects as in the last drawing. Where that is
// true of all scatter traces of a subplot whose axes did not move either, such as the data points over a decision
// surface, their nodes stay as they are; that halves the time of the drawing.
export async function draw(Plotly, plot, data, layout, config, unchanged) {
  plot.nnvizUnchanged = unchanged;
  const before = margins(plot);
  try {
    await Plotly.react(plot, data.map(light), layout, config);
    // Where the margins have changed, plotly.js leaves the legend where the old ones would have it.
    if (before !== undefined && before !== margins(plot)) {
      await Plotly.react(plot, data.map(light), { ...layout, datarevision: `${layout.datarevision} again` }, config);
    }
  } finally {
    plot.nnvizUnchanged = undefined;
  }
  for (const trace of plot._fullData ?? []) if (trace.type === "scatter") keepNodes(trace._module);
  writePowers(plot);
}

// Numbers in hover texts, "%{y:.4~g}", as all others are written: 1.234 × 10⁻⁷ in place of 1.234e-7. Plotly.js makes the
// functions that write them anew with every layout.
export function writePowers(plot) {
  const locale = plot._fullLayout?._d3locale;
  if (!locale || locale.nnviz) return;
  const { numberFormat } = locale;
  locale.nnviz = true;
  locale.numberFormat = (format) => {
    const digits = /^\.(\d+)~g$/.exec(format)?.[1];
    return digits ? (value) => withoutZeros(number(Number(value), Number(digits))) : numberFormat(format);
  };
}

// 1.500 as 1.5, 2.000 × 10⁵ as 2 × 10⁵.
const withoutZeros = (text) => text.replace(/(\.\d*?)0+(?=$| )/, "$1").replace(/\.(?=$| )/, "");

function margins(plot) {
  const { t, b, l, r } = plot._fullLayout?._size ?? {};
  return t === undefined ? undefined : [t, b, l, r].join();
}

// Markers that cannot be seen are there to be hovered over, which needs no nodes in the document.
function light(trace) {
  const { type = "scatter", mode, marker } = trace;
  if (type !== "scatter" || mode !== "markers" || marker?.opacity !== 0) return trace;
  return { ...trace, marker: { ...marker, maxdisplayed: 1 } };
}

const patched = new WeakSet();

function keepNodes(module) {
  if (!module?.plot || !module.style || patched.has(module)) return;
  patched.add(module);
  const { plot, style } = module;
  module.plot = (gd, subplot, traces, layer, transition, done) => {
    const { xaxis, yaxis } = subplot;
    const axes = [xaxis, yaxis].map((axis) => [axis.type, axis.range, axis._length, axis._offset].join()).join();
    gd.nnvizReuse = Boolean(gd.nnvizUnchanged) && !transition && subplot.nnvizAxes === axes
      && traces.every(([{ trace }]) => gd.nnvizUnchanged.has(trace.index) && (trace.fill ?? "none") === "none")
      && layer.selectAll("g.trace").size() === traces.length;
    subplot.nnvizAxes = axes;
    if (!gd.nnvizReuse) plot(gd, subplot, traces, layer, transition, done);
  };
  module.style = (gd, ...rest) => {
    const alone = Object.keys(gd._fullLayout?._plots ?? {}).length === 1;
    if (!(gd.nnvizReuse && gd.nnvizUnchanged && alone)) style(gd, ...rest);
  };
}
