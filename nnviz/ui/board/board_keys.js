// Keys for the time slider, wherever they mean nothing else: space plays and stops, arrows go from picture to picture, Home
// and End to the first and the newest.

// Here they are for the control that has the focus.
const OWN = 'input, textarea, select, [contenteditable="true"], [role="tablist"], [role="menu"], [role="dialog"], [role="radiogroup"]';

// `boards()` gives the boards that there are.
export function watchKeys(boards) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    const { target, key } = event;
    const onSlider = Boolean(target.matches?.(".nnviz-slider"));
    if (!onSlider && target.closest?.(OWN)) return;
    if (key === " " && target.closest?.("button, a, summary")) return; // presses it
    // On the board, or on what is around it, such as the page, while the board can be seen.
    const board = boards().find(({ root }) => root.isConnected && (root.contains(target) || (target.contains(root) && isSeen(root))));
    if (board?.header.key(key, onSlider)) event.preventDefault();
  });
}

function isSeen(root) {
  const { top, bottom } = root.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
}
