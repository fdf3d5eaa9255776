// Images inside figures. They arrive as data URLs of PNGs; large ones are kept as Blobs, which are compressed and out of the
// memory of scripts, and drawn on canvases under the chart: of each image that an SVG document or an <img> ever showed,
// browsers keep decoded copies, which for a grid of 100 images are megabytes a step.

import { element } from "./board_element.js";

const LARGE = 40_000; // pixels from which on it matters
const START = "data:image/png;base64,";

// A JSON value, with Blobs put in place of its large images.
export function pack(value) {
  if (typeof value === "string") return value.startsWith(START) ? packed(value) : value;
  if (value === null || typeof value !== "object" || value.bdata !== undefined) return value;
  for (const key in value) if (typeof value[key] === "string" || typeof value[key] === "object") value[key] = pack(value[key]);
  return value;
}

function packed(url) {
  const text = url.slice(START.length);
  const { buffer } = decoded(text.slice(0, 32)); // 24 bytes: signature, length and name of the header, width, height
  if (buffer.byteLength < 24) return url;
  const header = new DataView(buffer);
  return header.getUint32(16) * header.getUint32(20) < LARGE ? url : new Blob([decoded(text)], { type: "image/png" });
}

const decoded = (text) => Uint8Array.fromBase64?.(text) ?? Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

// The layout with data URLs again, as files need them.
export async function unpacked(layout) {
  if (!layout.images?.some(isPacked)) return layout;
  return { ...layout, images: await Promise.all(layout.images.map(async (image) => ({ ...image, source: await dataUrl(image.source) }))) };
}

const isPacked = ({ source }) => source instanceof Blob;

function dataUrl(source) {
  if (!(source instanceof Blob)) return source;
  return new Promise((resolve, reject) => {
    const reader = Object.assign(new FileReader(), { onload: () => resolve(reader.result), onerror: () => reject(reader.error) });
    reader.readAsDataURL(source);
  });
}

// The canvases of one card.
export class Images {
  constructor() {
    this.root = element("div", "nnviz-images", { "aria-hidden": "true" });
    this.clear();
  }

  // What plotly.js gets of a layout, and the images that it does not, decoded.
  async decoded(layout) {
    const own = (layout.images ?? []).filter(isPacked);
    if (!own.length) return { layout, images: [] };
    const images = await Promise.all(own.map(async (image, i) => {
      const isShown = this.shown[i]?.source === image.source;
      return { image, bitmap: isShown ? undefined : await createImageBitmap(image.source) };
    }));
    return { layout: { ...layout, images: layout.images.filter((image) => !isPacked(image)) }, images };
  }

  // Paints what `decoded` gave, over a chart that has been drawn.
  paint(images, plot) {
    while (this.root.children.length > images.length) this.root.lastChild.remove();
    images.forEach(({ bitmap }, i) => {
      const canvas = this.root.children[i] ?? this.root.appendChild(document.createElement("canvas"));
      if (!bitmap) return;
      const { width, height } = bitmap;
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
      const pen = canvas.getContext("2d");
      pen.clearRect(0, 0, width, height);
      pen.drawImage(bitmap, 0, 0);
      bitmap.close();
    });
    this.shown = images.map(({ image }) => image);
    this.place(plot);
  }

  // Where the axes are by now, cut at the edges of the plot; as plotly.js places images, by their upper left corners.
  place(plot) {
    if (!this.shown.length || !plot._fullLayout) return;
    this.shown.forEach(({ xref, yref, x, y, sizex, sizey, opacity = 1 }, i) => {
      const [across, down] = [xref, yref].map((name) => plot._fullLayout[`${name[0]}axis${name.slice(1)}`]);
      const left = across.d2p(x), top = down.d2p(y);
      const width = Math.abs(across.d2p(x + sizex) - left), height = Math.abs(down.d2p(y + sizey) - top);
      const cut = [-top, left + width - across._length, top + height - down._length, -left].map((beyond) => `${Math.max(0, beyond)}px`);
      Object.assign(this.root.children[i].style, {
        left: `${across._offset + left}px`, top: `${down._offset + top}px`, width: `${width}px`, height: `${height}px`,
        opacity, clipPath: `inset(${cut.join(" ")})`,
      });
    });
  }

  clear() {
    this.shown = [];
    this.root.replaceChildren();
  }
}
