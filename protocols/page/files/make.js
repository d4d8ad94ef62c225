// Elements, made piece by piece: text stays text, so nothing that anybody named can become markup.

const SVG = "http://www.w3.org/2000/svg";

/** make("li", {class: "x"}, "text", child): attributes, `on…` handlers, children. */
export function make(tag, attributes = {}, ...children) {
  return dressed(document.createElement(tag), attributes, children);
}

export function draw(tag, attributes = {}, ...children) {
  return dressed(document.createElementNS(SVG, tag), attributes, children);
}

/** Replaces what is in the element of that id. Who had the focus by its `data-key` keeps it. */
export function fill(id, ...children) {
  const box = byId(id);
  const key = box.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  box.replaceChildren(...children.flat().filter(Boolean));
  if (key !== undefined) box.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
}

export function byId(id) {
  return document.getElementById(id);
}

function dressed(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}
