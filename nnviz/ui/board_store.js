// What has arrived: base figures, the changes that make each step's figures of them, and which steps there are.
// A version of a figure is [base id, changes]; a change is [path, value] or, to take something away, [path].

const TYPES = {
  i1: Int8Array, u1: Uint8Array, i2: Int16Array, u2: Uint16Array,
  i4: Int32Array, u4: Uint32Array, f4: Float32Array, f8: Float64Array,
};

export class Store {
  constructor() {
    this.token = null; // names the server's memory of what this browser has
    this.seq = 0;
    this.themes = { light: {}, dark: {} };
    this.forget();
  }

  forget() {
    this.bases = new Map();
    this.now = {}; // name -> version, of figures over steps
    this.history = new Map(); // step -> {name: version}
    this.steps = [];
  }

  // Takes a message in. Returns the numbers of messages that are missing or could not be used, or null when the
  // server takes this browser for another one and has to start over.
  apply({ head, bases, now, history }) {
    if (head.token === this.token && head.seq <= this.seq) return []; // handed over again, as when the theme changes
    if (!head.full && head.token !== this.token) return null;
    const lost = [];
    if (head.full) {
      this.forget();
      this.token = head.token;
      this.themes = head.themes;
    } else {
      for (let seq = this.seq + 1; seq < head.seq; seq++) lost.push(seq);
      if (head.source !== this.head.source) this.forget();
      if (head.forget) this.history.clear();
    }
    this.seq = head.seq;
    this.head = head;
    for (const [id, figure] of bases) this.bases.set(id, decode(figure));
    let unusable = false;
    const take = (versions) => {
      for (const [name, version] of Object.entries(versions)) {
        if (!this.bases.has(version[0])) unusable = true;
        else versions[name] = [version[0], version[1].map((change) => change.map(decode))];
      }
      return versions;
    };
    Object.assign(this.now, take(now));
    for (const [step, versions] of history) {
      take(versions);
      if (!unusable) this.history.set(step, versions);
    }
    if (head.steps) {
      this.steps = head.steps;
      const known = new Set(head.steps);
      for (const step of this.history.keys()) if (!known.has(step)) this.history.delete(step);
    }
    if (unusable) lost.push(head.seq);
    return lost;
  }

  // The place in `steps` nearest to `step`; with `cached`, nearest among those whose figures are here.
  place(step, cached = false) {
    let best = -1;
    for (let i = 0; i < this.steps.length; i++) {
      if (cached && !this.history.has(this.steps[i])) continue;
      if (best < 0 || Math.abs(this.steps[i] - step) < Math.abs(this.steps[best] - step)) best = i;
    }
    return best;
  }

  version(name, step) {
    const usable = (version) => (version && this.bases.has(version[0]) ? version : undefined);
    if (this.head.now_names.includes(name)) return usable(this.now[name]);
    return usable(this.history.get(step)?.[name]);
  }

  figure([id, changes]) {
    let figure = this.bases.get(id);
    const copied = new Set(); // containers that are no longer the base's own
    const own = (container) => {
      if (copied.has(container)) return container;
      const copy = Array.isArray(container) ? container.slice() : { ...container };
      copied.add(copy);
      return copy;
    };
    for (const [path, ...value] of changes) {
      if (!path.length) {
        figure = value[0];
        continue;
      }
      let at = (figure = own(figure));
      for (const key of path.slice(0, -1)) at = at[key] = own(at[key]);
      if (value.length) at[path.at(-1)] = value[0];
      else delete at[path.at(-1)];
    }
    return figure;
  }
}

// Plotly's typed arrays ({dtype, bdata, shape}) to real ones, once, so that drawing a step again needs no decoding.
export function decode(value) {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) {
    return value.some((part) => part !== null && typeof part === "object") ? value.map(decode) : value;
  }
  if (value.bdata !== undefined && value.dtype) {
    const bytes = Uint8Array.fromBase64?.(value.bdata) ?? Uint8Array.from(atob(value.bdata), (c) => c.charCodeAt(0));
    return rows(new TYPES[value.dtype](bytes.buffer), value.shape?.split(",").map(Number) ?? []);
  }
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, decode(part)]));
}

function rows(flat, shape) {
  if (shape.length < 2) return flat;
  const width = flat.length / shape[0];
  return Array.from({ length: shape[0] }, (_, i) => rows(flat.subarray(i * width, (i + 1) * width), shape.slice(1)));
}

// Whether two JSON values (with typed arrays) are equal.
export function same(a, b) {
  if (a === b || (a !== a && b !== b)) return true;
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return false;
  if (Array.isArray(a) || ArrayBuffer.isView(a)) {
    if (a.constructor !== b.constructor || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (!same(a[i], b[i])) return false;
    return true;
  }
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && same(a[key], b[key]));
}
