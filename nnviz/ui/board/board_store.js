// What has arrived: base figures, the changes that make each step's figures of them, and which steps there are.
// All of it belongs to one `identity`, the one that the server announced last: what is shown, of which runs, with which
// options; and of each figure to one mark, which says the values of its choices. Whatever belongs to another one is
// dropped, so it cannot be drawn, asked for or saved.
// A version of a figure is {identity, mark, name, base, isRaw, changes, size}; a change is [path, value] or, to take
// something away, [path]. Those of steps are kept raw, as they came, which takes a tenth of the memory of what is decoded. A
// version is null at a step at which there is no such figure.

// Pictures may go to make room (see board_memory.js): a place that one has left is asked for again.

import { pack } from "./board_images.js";
import { bytes } from "./board_memory.js";

const EVICTED = Symbol("evicted");
const TYPES = {
  i1: Int8Array, u1: Uint8Array, i2: Int16Array, u2: Uint16Array,
  i4: Int32Array, u4: Uint32Array, f4: Float32Array, f8: Float64Array,
};

export class Store {
  constructor() {
    this.left = new Set(); // sessions of before, whose messages come too late
    this.themes = { light: {}, dark: {} };
    this.steps = [];
    this.startOver({ session: null, generation: 0 });
  }

  // The server's memory of what this browser has is named by a session and, as it starts over, a generation.
  startOver(head) {
    const { session, generation } = head;
    if (this.session && this.session !== session) this.left.add(this.session);
    this.session = session;
    this.generation = generation;
    this.hasStarted = false; // whether its first message was here
    this.seq = 0;
    this.lost = new Set(); // numbers of messages that are missing or could not be used, until the server has heard of them
    this.bases = new Map(); // id -> {name, figure}
    this.names = new Map(); // title of a section -> its figures, as a message last said
    this.overSteps = new Set(); // figures that hold all of the past
    this.renew(null, head);
  }

  // From here on only figures of this identity are kept. The steps of the same subject stay until others come, which may
  // have been lost with the message that announced them: else the time slider could not be used meanwhile.
  renew(identity, { subject }) {
    this.identity = identity;
    this.now = {}; // name -> version, of figures over steps
    this.history = new Map(); // step -> {name: version}
    this.marks = {};
    if (subject !== this.head?.subject) this.steps = [];
  }

  // Takes a message in. Returns "applied"; "old" for what came before, or twice; or "unknown" when the server takes this
  // browser for another one and has to start over.
  apply({ head, bases, now, history }) {
    if (this.left.has(head.session)) return "old";
    const isSame = head.session === this.session && head.generation === this.generation;
    if (head.session === this.session && head.generation < this.generation) return "old";
    if (isSame && this.hasStarted && head.seq <= this.seq) return "old"; // also handed over again, as when the theme changes
    if (!isSame) this.startOver(head); // what is shown by now is something else
    if (!this.hasStarted && !head.full) return "unknown";
    if (head.full) {
      this.hasStarted = true;
      this.seq = head.seq;
      this.themes = head.themes;
    }
    for (let seq = this.seq + 1; seq < head.seq; seq++) this.lost.add(seq);
    for (const seq of head.recovered ?? []) this.lost.delete(seq);
    if (head.source !== this.head?.source) this.bases.clear();
    if (head.identity !== this.identity) this.renew(head.identity, head);
    this.seq = head.seq;
    this.head = head;
    if (head.newest !== null) this.names.set(head.section, head.names);
    for (const name of head.names) this.overSteps[head.now_names.includes(name) ? "add" : "delete"](name);
    this.remark(head.marks ?? {});
    for (const [id, name, figure] of bases) {
      const decoded = decode(pack(figure));
      this.bases.set(id, { name, figure: decoded, size: bytes(decoded) });
    }
    const decoded = (versions, isRaw) => {
      const found = {};
      for (const [name, version] of Object.entries(versions)) {
        const [base, changes] = version ?? [];
        if (version && this.bases.get(base)?.name !== name) {
          this.lost.add(head.seq);
          return undefined;
        }
        const own = { identity: head.identity, mark: this.marks[name], name, base };
        changes?.forEach((change) => pack(change));
        found[name] = version && { ...own, isRaw, changes: isRaw ? changes : changes.map(decode), size: bytes(changes) };
      }
      return found;
    };
    for (const [name, version] of Object.entries(now)) Object.assign(this.now, decoded({ [name]: version }, false));
    for (const [step, versions] of history) {
      const stored = decoded(versions, true);
      if (stored) this.history.set(step, Object.assign(this.history.get(step) ?? {}, stored));
    }
    if (head.steps) {
      this.steps = head.steps;
      const known = new Set(head.steps);
      for (const step of this.history.keys()) if (!known.has(step)) this.history.delete(step);
    }
    return "applied";
  }

  // Figures whose mark is another one than before are dropped.
  remark(marks) {
    for (const name of new Set([...Object.keys(this.marks), ...Object.keys(marks)])) {
      if (this.marks[name] === marks[name]) continue;
      delete this.now[name];
      for (const versions of this.history.values()) delete versions[name];
    }
    this.marks = marks;
  }

  // The title of the section that is shown: `opened`, where the viewer has opened one that the server has not heard of.
  get section() {
    return this.opened ?? this.head.section;
  }

  // The rows of names of that section; undefined where there are no sections.
  get rows() {
    return this.head.sections?.[this.section];
  }

  // The figures of that section: those that there are as far as a message said, else all that it may have.
  get shown() {
    const names = this.names.get(this.section) ?? [];
    return names.length ? names : (this.rows?.flat() ?? []);
  }

  // Whether there is such a figure in that section, as far as is known.
  mayHave(name) {
    return this.names.get(this.section)?.includes(name) ?? true;
  }

  // Whether a figure of that section is not here for a step: it never came or, with `orWent`, went to make room.
  lacks(name, step, orWent = true) {
    if (this.overSteps.has(name)) return false;
    const version = this.history.get(step)?.[name];
    return (version === undefined || (orWent && version === EVICTED)) && this.mayHave(name);
  }

  // Whether the figures of the step are here.
  has(step) {
    return !this.shown.some((name) => this.lacks(name, step));
  }

  // Whether some of them never came.
  misses(step) {
    return this.shown.some((name) => this.lacks(name, step, false));
  }

  // How many of the steps are here, and how many never came.
  get loadedCount() {
    return this.steps.filter((step) => this.has(step)).length;
  }

  get missing() {
    return this.steps.filter((step) => this.misses(step)).length;
  }

  // [step, names of the figures that are not here], of the steps nearest to `step` that lack any, nearest first.
  around(step, most) {
    const near = (other) => Math.abs(other - step);
    return this.steps.filter((other) => !this.has(other)).sort((a, b) => near(a) - near(b)).slice(0, most)
      .map((other) => [other, this.shown.filter((name) => this.lacks(name, other))]);
  }

  // What is held for steps: {step, name, size in bytes}.
  *pictures() {
    for (const [step, versions] of this.history) {
      for (const [name, version] of Object.entries(versions)) if (version?.size) yield { step, name, size: version.size };
    }
  }

  // Bytes of all that is held.
  get size() {
    let whole = 0;
    for (const { size } of [...this.bases.values(), ...Object.values(this.now), ...this.pictures()]) whole += size;
    return whole;
  }

  evict(step, name) {
    this.history.get(step)[name] = EVICTED;
  }

  // The place in `steps` nearest to `step`; with `cached`, nearest among those whose figures are here.
  place(step, cached = false) {
    let best = -1;
    for (let i = 0; i < this.steps.length; i++) {
      if (cached && !this.has(this.steps[i])) continue;
      if (best < 0 || Math.abs(this.steps[i] - step) < Math.abs(this.steps[best] - step)) best = i;
    }
    return best;
  }

  version(name, step) {
    const version = this.overSteps.has(name) ? this.now[name] : this.history.get(step)?.[name];
    return version === EVICTED ? undefined : version;
  }

  // Whether a version is of the present identity and of its figure's present mark.
  isCurrent(version) {
    return version?.identity === this.identity && version.mark === this.marks[version.name];
  }

  // The figure of a current version; no other can be made.
  figure(version) {
    const { name, base, isRaw } = version;
    const known = this.bases.get(base);
    if (!this.isCurrent(version) || known?.name !== name) throw new Error(`${name} is a figure of something else`);
    let { figure } = known;
    const copied = new Set(); // containers that are no longer the base's own
    const own = (container) => {
      if (copied.has(container)) return container;
      const copy = Array.isArray(container) ? container.slice() : { ...container };
      copied.add(copy);
      return copy;
    };
    const changes = isRaw ? version.changes.map(decode) : version.changes;
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

// Plotly's typed arrays ({dtype, bdata, shape}) to real ones.
export function decode(value) {
  if (value === null || typeof value !== "object" || value instanceof Blob) return value;
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

// Whether two JSON values (with typed arrays, and Blobs, which equal themselves alone) are equal.
export function same(a, b) {
  if (a === b || (a !== a && b !== b)) return true;
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return false;
  if (a instanceof Blob || b instanceof Blob) return false;
  if (Array.isArray(a) || ArrayBuffer.isView(a)) {
    if (a.constructor !== b.constructor || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (!same(a[i], b[i])) return false;
    return true;
  }
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && same(a[key], b[key]));
}
