// The parts of figures that linked cards share, and that outlast a chart.

// The x ranges that a zoom or pan set, in the axis's own values: {xaxis: [0, 300]}, null for automatic; undefined for none.
export function ranges(change, full) {
  const found = {};
  for (const key of Object.keys(change)) {
    const [, axis, what] = key.match(/^(xaxis\d*)\.(range|autorange)/) ?? [];
    if (what === "autorange") found[axis] = null;
    else if (axis) found[axis] = full[axis].range.map((value) => (full[axis].type === "log" ? 10 ** value : value));
  }
  return Object.keys(found).length ? found : undefined;
}

export function fit(range, type) {
  return type === "log" ? range.map((value) => Math.log10(Math.max(value, Number.MIN_VALUE))) : range;
}

// {scene: {uirevision, camera}} of a chart: how its scenes are turned.
export function cameras(full) {
  const scenes = Object.entries(full ?? {}).filter(([name, part]) => /^scene\d*$/.test(name) && part._scene);
  return Object.fromEntries(scenes.map(([name, { uirevision, _scene }]) => [name, { uirevision, camera: _scene.getCamera() }]));
}
