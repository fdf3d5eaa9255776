// An element of the page with its class, attributes and children.

export function element(tag, className, attributes = {}, ...children) {
  const node = Object.assign(document.createElement(tag), { className });
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}
