// What the board needs of the page around it: its style, loaded once, the colors of Streamlit's theme, a history to go
// back in.

const styles = new Map();

export function loadStyle(url) {
  if (!styles.has(url.href)) {
    styles.set(url.href, new Promise((resolve) => {
      const link = document.createElement("link");
      link.rel = "stylesheet";
      link.href = url;
      link.onload = link.onerror = resolve;
      document.head.append(link);
    }));
  }
  return styles.get(url.href);
}

// {dark, background, text, font} as Streamlit's theme has them where `element` is.
export function theme(element) {
  const style = getComputedStyle(element);
  const background = style.getPropertyValue("--st-background-color").trim() || "#ffffff";
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  canvas.fillStyle = background;
  canvas.fillRect(0, 0, 1, 1);
  const [r, g, b] = canvas.getImageData(0, 0, 1, 1).data;
  return {
    dark: 0.2126 * r + 0.7152 * g + 0.0722 * b < 128,
    background,
    text: style.getPropertyValue("--st-text-color").trim() || "#222222",
    font: style.getPropertyValue("--st-font").trim() || "sans-serif",
  };
}

// Calls `changed` when the page's background changes. A transition on the variable is the one event that tells.
export function watchTheme(element, changed) {
  const sentinel = document.createElement("i");
  sentinel.className = "nnviz-sentinel";
  sentinel.ariaHidden = "true";
  element.append(sentinel);
  sentinel.addEventListener("transitionend", changed);
}

// Lets the browser do what waits, such as painting.
export function nextTask() {
  return new Promise((resolve) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => resolve();
    channel.port2.postMessage(null);
  });
}

// Calls `left` when the viewer goes to another page of the app, by a link or by the browser's Back.
export function watchLeaving(left) {
  window.addEventListener("popstate", left);
  document.addEventListener("click", ({ target }) => {
    const link = target.closest?.("a[href]");
    if (link && new URL(link.href).pathname !== location.pathname) left();
  }, true);
}

// A button of the transport is another element after each click (see buttons.py): the focus of the keyboard goes along.
export function keepFocus() {
  document.addEventListener("click", ({ target, detail }) => {
    const place = detail === 0 && target.closest?.('[class*="st-key-turns-"]');
    if (!place) return;
    const observer = new MutationObserver(() => {
      const button = [...place.querySelectorAll("button:not(:disabled)")].find((one) => one.offsetParent);
      if (!button || document.activeElement !== document.body) return;
      button.focus({ preventScroll: true });
      observer.disconnect();
    });
    observer.observe(place, { childList: true, subtree: true, attributes: true });
    setTimeout(() => observer.disconnect(), 3000);
  }, true);
}

// Streamlit enters every change of the address into the browser's history: "Back" would have to be pressed once for each
// setting that was changed, before it leaves the page. So what stays on the page takes the place of the last entry.
export function keepHistoryShort() {
  if (history.isShort) return;
  history.isShort = true;
  const { pushState } = history;
  history.pushState = (state, title, url) => {
    const stays = new URL(url ?? "", location.href).pathname === location.pathname;
    return stays ? history.replaceState(state, title, url) : pushState.call(history, state, title, url);
  };
}
