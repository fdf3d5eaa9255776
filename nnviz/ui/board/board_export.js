// Files made of a figure in the browser: CSV and Plotly JSON.

import { shortest, table } from "./board_table.js";

// Attributes of a trace that may hold one value a point, in the order of the columns.
const COLUMNS = [
  "x", "y", "z", "value", "values", "labels", "ids", "parents", "r", "theta", "a", "b", "c", "lat", "lon",
  "open", "high", "low", "close", "base", "width", "u", "v", "w", "i", "j", "k", "intensity", "text", "customdata",
];
const GRIDS = new Set(["heatmap", "contour", "surface", "image"]);

const isSingle = (values) => values instanceof Float32Array || values?.single;
const isList = (value) => Array.isArray(value) || ArrayBuffer.isView(value);

// The table that the figure states; of one that states none what is plotted, a row a point: the trace's name, then its
// columns.
export function csv(figure) {
  const stated = table(figure);
  const whole = stated && [stated.columns, ...stated.rows.map((row) => stated.columns.map((_, i) => row[i]))];
  return whole ? whole.map((row) => row.map(written).join(",")).join("\r\n") + "\r\n" : plotted(figure);
}

// What pandas and R read back: nan, inf and -inf for recorded numbers that are not finite, nothing where there is none.
function written(value) {
  if (typeof value !== "number" || Number.isFinite(value)) return cell(value);
  return value !== value ? "nan" : value > 0 ? "inf" : "-inf";
}

function plotted(figure) {
  const tables = (figure.data ?? []).map((trace, i) => columnsOf(trace, (trace.name ?? `trace ${i}`).replace("<br>", " ").replace(/<\/?(b|i|sub|sup)>/g, "")));
  const columns = COLUMNS.concat(["error_x", "error_y"]).filter((column) => tables.some((t) => t.columns[column]));
  const lines = [["trace", ...columns].join(",")];
  for (const { name, columns: has, length } of tables) {
    for (let i = 0; i < length; i++) lines.push([cell(name), ...columns.map((c) => cell(has[c]?.[i], isSingle(has[c])))].join(","));
  }
  return lines.join("\r\n") + "\r\n";
}

function columnsOf(trace, name) {
  if (GRIDS.has(trace.type) && isList(trace.z)) return { name, ...grid(trace) };
  const columns = {};
  for (const column of COLUMNS) if (isList(trace[column])) columns[column] = trace[column];
  for (const column of ["error_x", "error_y"]) if (isList(trace[column]?.array)) columns[column] = trace[column].array;
  const length = Math.max(0, ...Object.values(columns).map((values) => values.length));
  const along = (first, delta) => Array.from({ length }, (_, i) => (first ?? 0) + i * (delta ?? 1));
  if (columns.y && !columns.x) columns.x = along(trace.x0, trace.dx);
  else if (columns.x && !columns.y) columns.y = along(trace.y0, trace.dy);
  return { name, columns, length };
}

// A grid as one row a cell, row by row; x and y are the cell's own where they are given.
function grid(trace) {
  const columns = { x: [], y: [], z: [] };
  const texts = isList(trace.text) && isList(trace.text[0]);
  if (texts) columns.text = [];
  for (const column of ["x", "y"]) columns[column].single = isSingle(trace[column]);
  columns.z.single = isSingle(trace.z[0]);
  trace.z.forEach((row, r) => row.forEach((value, c) => {
    columns.x.push(at(trace.x, r, c, c, trace.x0, trace.dx));
    columns.y.push(at(trace.y, r, c, r, trace.y0, trace.dy));
    columns.z.push(isList(value) ? Array.from(value).join(" ") : value);
    if (texts) columns.text.push(trace.text[r]?.[c]);
  }));
  return { columns, length: columns.z.length };
}

function at(values, r, c, place, first, delta) {
  if (!isList(values)) return (first ?? 0) + place * (delta ?? 1);
  return isList(values[0]) ? values[r][c] : values[place];
}

function cell(value, single = false) {
  if (value === null || value === undefined || value !== value) return "";
  if (isList(value)) value = Array.from(value).join(" ");
  const text = typeof value === "number" && single ? shortest(value) : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

// Plotly JSON that plotly.js and plotly.py read, with the theme in it and typed arrays as lists.
export function json(figure, template) {
  const plain = (_, value) => (ArrayBuffer.isView(value) ? Array.from(value, (v) => (Number.isFinite(v) ? v : null)) : value);
  const { table: _, ...meta } = figure.layout?.meta ?? {};
  return JSON.stringify({ data: figure.data, layout: { template, ...figure.layout, meta } }, plain);
}

export function download(name, content, type) {
  const link = document.createElement("a");
  link.download = name;
  link.href = type ? URL.createObjectURL(new Blob([content], { type })) : content;
  link.click();
  if (type) setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
