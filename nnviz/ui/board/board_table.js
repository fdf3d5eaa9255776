// The table that a figure states in layout.meta.table, row by row; nnviz/figures/kit/tables.py says what its parts are.

const isTable = (values) => Array.isArray(values) || ArrayBuffer.isView(values);

// {columns: names, rows: arrays of values, singles: names of columns in single precision}; undefined without a table.
export function table({ data, layout }) {
  const parts = layout?.meta?.table;
  if (!parts) return undefined;
  const columns = [], rows = [], add = (row, name, value) => {
    let place = columns.indexOf(name);
    if (place < 0) place = columns.push(name) - 1;
    row[place] = value;
  };
  for (const part of parts) {
    const down = filled(part.down, data), across = filled(part.across, data);
    const cells = part.cells.map(([names, values]) => [names, found(values, data)]);
    const edges = part.edges && filled(part.edges, data);
    const high = (down[0]?.[1] ?? cells[0]?.[1] ?? [0]).length;
    const bins = edges && cells[0][1][0]?.length;
    const wide = bins ?? (across.length ? across[0][1].length : 1);
    for (let i = 0; i < high; i++) {
      for (let j = 0; j < wide; j++) {
        const row = [];
        for (const [name, value] of Object.entries(part.same)) add(row, name, value);
        for (const [name, values] of down) add(row, name, at(values, i));
        for (const [name, values] of across) add(row, name, at(values, j));
        if (edges) {
          const [low, top] = edges.map(([, values]) => values[i]), width = (top - low) / bins;
          add(row, "low", low + j * width);
          add(row, "high", j === bins - 1 ? top : low + (j + 1) * width);
        }
        for (const [names, values] of cells) {
          const cell = at(values[i], j);
          if (names.length === 1) add(row, names[0], cell);
          else names.forEach((name, k) => add(row, name, at(values[i][j], k)));
        }
        rows.push(row);
      }
    }
  }
  return { columns, rows };
}

// A value of a list; one in single precision as the shortest text that reads back as the same.
function at(values, i) {
  const value = values?.[i];
  return values instanceof Float32Array && Number.isFinite(value) ? shortest(value) : value;
}

function filled(columns, data) {
  return Object.entries(columns).map(([name, values]) => [name, found(values, data)]);
}

// A column's values, from where they are.
function found(values, data) {
  if (values.of) return data[values.of[0]][values.of[1]];
  if (values.half) return halves(values.half);
  return isTable(values) ? values : [];
}

function halves(bits) {
  if (Array.isArray(bits) && isTable(bits[0])) return bits.map(halves);
  return Float32Array.from(bits, (word) => {
    const sign = word >> 15 ? -1 : 1, exponent = (word >> 10) & 31, rest = word & 1023;
    if (exponent === 31) return rest ? NaN : sign * Infinity;
    return sign * (exponent ? 2 ** (exponent - 15) * (1 + rest / 1024) : 2 ** -14 * (rest / 1024));
  });
}

// The shortest text that reads back as the same float32: 0.1, not 0.10000000149011612.
export function shortest(value) {
  for (let digits = 6; digits <= 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(value);
}
