// Legends that tell values: those at the chosen step in place of the last ones. layout.meta.legend_follows says that there
// are such, trace.meta.follow = {name, as_percent, is_count, steps, values} of which traces; steps and values are the
// trace's own x and y where they are not given.

import { after } from "./board_reveal.js";

const LAST = "last:"; // how the title of a legend of last values begins

export const follows = (figure) => figure?.layout?.meta?.legend_follows === true;

// The names of traces and the legend's title at `step`, as the figure has them where that is undefined.
export function legendTexts(figure, step, unit) {
  const { data = [], layout } = figure;
  const title = layout?.legend?.title?.text;
  const isLast = step === undefined || !follows(figure);
  return {
    names: data.map((trace) => (isLast || !trace.meta?.follow ? trace.name : named(trace, step))),
    title: isLast || !title?.startsWith(LAST) ? title : `${unit} ${step.toLocaleString("en-US")}:`,
  };
}

// The figure with the names and the title that `legendTexts` gave.
export function renamed({ data, layout }, { names, title }) {
  const called = data.map((trace, i) => (trace.name === names[i] ? trace : { ...trace, name: names[i] }));
  if (layout?.legend?.title?.text === title) return { data: called, layout };
  return { data: called, layout: { ...layout, legend: { ...layout.legend, title: { ...layout.legend.title, text: title } } } };
}

// Writes names and title into the legend as it is drawn, without laying it out anew, which takes ten times as long.
export function write(plot, { names, title }) {
  for (const item of plot.querySelectorAll(".legend .traces")) {
    const name = names[item.__data__?.[0]?.trace?.index], text = item.querySelector(".legendtext");
    if (text && name !== undefined && !/<(?!\/?sup>)/.test(name)) text.textContent = name.replace(/<sup>(.*?)<\/sup>/g, (_, power) => raised(power));
  }
  const text = plot.querySelector(".legendtitletext");
  if (text && title !== undefined) text.textContent = title;
}

const raised = (power) => [...power].map((sign) => (sign === "−" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[sign])).join("");

function named({ x, y, meta: { follow } }, step) {
  const { name, as_percent, is_count, steps = x, values = y } = follow;
  const place = after(steps, step) - 1;
  const written = as_percent ? percent : is_count ? String : number;
  return `${name} ${place < 0 ? "–" : written(values[place])}`;
}

// Three significant digits, as labels.number of nnviz/figures.
export function number(value, digits = 3) {
  if (!Number.isFinite(value)) return value > 0 ? "∞" : value < 0 ? "−∞" : "NaN";
  if (value === 0) return "0";
  const [mantissa, exponent] = even(value, digits - 1, "toExponential").split("e");
  const text = exponent >= -4 && exponent < 5
    ? even(value, Math.max(0, digits - 1 - exponent), "toFixed")
    : `${mantissa} × 10<sup>${Number(exponent)}</sup>`;
  return text.replaceAll("-", "−");
}

// A fraction in percent with one decimal, as labels.percent.
export function percent(fraction) {
  return Number.isFinite(fraction) ? `${even(100 * fraction, 1, "toFixed")}%` : `${fraction === null ? "nan" : String(fraction).toLowerCase()}%`;
}

// What toFixed and toExponential give, with ties rounded to the even digit, as Python does.
function even(value, digits, format) {
  const exact = Math.abs(value)[format](digits + 40);
  const point = exact.indexOf(".") + 1, end = point + digits;
  const [, tail, exponent = ""] = exact.slice(end).match(/^(\d+)(e.*)?$/) ?? [];
  const kept = digits ? exact.slice(0, end) : exact.slice(0, point - 1);
  const isDown = /^50*$/.test(tail) && Number(kept.at(-1)) % 2 === 0;
  return (value < 0 ? "-" : "") + (isDown ? kept + exponent : Math.abs(value)[format](digits));
}
