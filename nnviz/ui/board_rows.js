// How figures share rows: up to four side by side, fewer where the board is narrow.

const TWO = 900, ONE = 520; // below these widths (px)

export function columns(width) {
  return width < ONE ? 1 : width < TWO ? 2 : 4;
}

// [[name, how many share its row]] in order: the rows, then what is in none of them, two by two.
export function placed(rows, shown, most) {
  const given = (rows ?? []).map((row) => row.filter((name) => shown.includes(name)));
  const rest = shown.filter((name) => !given.flat().includes(name));
  while (rest.length) given.push(rest.splice(0, 2));
  const found = [];
  for (const row of given) {
    while (row.length) {
      const part = row.splice(0, most);
      found.push(...part.map((name) => [name, part.length]));
    }
  }
  return found;
}
