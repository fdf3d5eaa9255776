// Figures that hold all of a run at once: each trace is cut at the chosen step, here and without asking anyone.
// trace.meta = {steps, show}: `steps` ascending, one for each of the trace's entries; "until" shows those up to the
// chosen step, "at" those of the chosen step alone, or of the last before it that there are any of.

export const reveals = (figure) => figure?.layout?.meta?.reveals === true;

// The traces as they are to be drawn at `step`; those that are shown whole stay the same objects.
export function cut(data, step) {
  return data.map((trace) => {
    const { steps, show } = trace.meta ?? {};
    if (!steps?.length) return trace;
    const end = after(steps, step);
    const start = show === "at" && end > 0 ? after(steps, steps[end - 1] - 1e-9) : 0;
    return start === 0 && end === steps.length ? trace : slice(trace, start, end, steps.length);
  });
}

// How many of the ascending `values` are at most `limit`.
export function after(values, limit) {
  let low = 0, high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

// A trace with all its lists of `length` cut to [start, end), the first level of nested objects included.
function slice(trace, start, end, length, deep = true) {
  const found = {};
  for (const [key, value] of Object.entries(trace)) {
    if (ArrayBuffer.isView(value) && value.length === length) found[key] = value.subarray(start, end);
    else if (Array.isArray(value) && value.length === length) found[key] = value.slice(start, end);
    else if (deep && key !== "meta" && value && value.constructor === Object) found[key] = slice(value, start, end, length, false);
    else found[key] = value;
  }
  return found;
}
