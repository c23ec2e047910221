// SPDX-License-Identifier: GPL-2.0-only
// Elements of the page.  Text goes in as text: nothing here reads HTML, so nothing in a spec can be any.

/** An element.  Attributes whose value is false are left out; children are elements or strings. */
function make(name, attributes, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** The same in SVG. */
function draw(name, attributes, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function filled(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (value !== false) element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children);
  return element;
}

function byId(id) {
  return document.getElementById(id);
}

/** Text that only a screen reader gets. */
function unseen(text) {
  return make("span", { class: "unseen" }, text);
}

/** Put an element where the reader of its scrolling box sees it, without moving the page. */
function reveal(element, box) {
  const outer = box.getBoundingClientRect();
  const inner = element.getBoundingClientRect();
  if (inner.top < outer.top + 40 || inner.bottom > outer.bottom - 20) {
    box.scrollTop += inner.top - outer.top - box.clientHeight / 3;
  }
  if (inner.left < outer.left || inner.left > outer.right - 60) {
    box.scrollLeft += inner.left - outer.left - 60;
  }
}

/** `text`, or its beginning. */
function cut(text, most) {
  const signs = [...text];
  return signs.length <= most ? text : signs.slice(0, most - 1).join("") + "\u2026";
}
