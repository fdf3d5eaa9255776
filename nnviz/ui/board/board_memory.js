// How much the pictures take that the boards of the page hold, and which go first when that is too much: those of boards
// out of the page, then of sections that are not open, then the finest in time far from the slider. What went is asked
// for again when it is looked at.

const limits = ((window.nnviz ??= {}).memory ??= { most: 200e6 }); // bytes, less in tests
const AFTER = 0.9; // of the most, what is left after making room, so that not every message has to
const FULL = 0.8; // of the most; from here on nothing is asked for ahead

// What a value takes, about; texts are mostly base64, a byte a character.
export function bytes(value) {
  if (ArrayBuffer.isView(value)) return 100 + value.byteLength;
  if (typeof value === "string") return 20 + value.length;
  if (value instanceof Blob) return 100 + value.size;
  if (value === null || typeof value !== "object") return 8;
  let whole = 50;
  for (const part of Array.isArray(value) ? value : Object.values(value)) whole += bytes(part);
  return whole;
}

// Brings what all boards hold below the limit. What a board shows now, and its first and last picture, stay.
export function makeRoom(boards) {
  let whole = boards.reduce((sum, { store }) => sum + store.size, 0);
  if (whole <= limits.most) return;
  const found = boards.flatMap((board) => candidates(board));
  found.sort((a, b) => a.rank - b.rank || b.far - a.far);
  for (const { store, step, name, size } of found) {
    if (whole <= AFTER * limits.most) break;
    store.evict(step, name);
    whole -= size;
  }
}

// Whether what a board shows leaves no room for more.
export function isFull({ store }) {
  const shown = new Set(store.shown);
  let whole = 0;
  for (const { name, size } of store.pictures()) if (shown.has(name)) whole += size;
  return whole > FULL * limits.most;
}

function candidates({ store, root, wanted }) {
  const shown = new Set(store.shown), last = store.steps.length - 1, at = store.place(wanted);
  const places = new Map(store.steps.map((step, place) => [step, place]));
  const found = [];
  for (const { step, name, size } of store.pictures()) {
    const rank = !root.isConnected ? 0 : shown.has(name) ? 2 : 1;
    const place = places.get(step);
    const spacing = place === 0 || place === last ? Infinity : place & -place; // of the level in which it came, coarse first
    const far = Math.abs(place - at) / spacing;
    if (rank < 2 || far > 0) found.push({ store, step, name, size, rank, far });
  }
  return found;
}
