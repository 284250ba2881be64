// Small helpers: elements, values, words.

/** Makes an element: h("a.quiet", {href: "/"}, "text", child). */
export function h(what, attributes = {}, ...children) {
  const [tag, ...classes] = what.split(".");
  const made = document.createElement(tag || "div");
  if (classes.length) made.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((one) => one !== null && one !== undefined && one !== ""));
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

/** Makes an element of a drawing. */
export function s(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** Fetches values; throws with the server's own words where it refuses. */
export async function values(address, names = {}, signal = undefined) {
  const query = new URLSearchParams(
    Object.entries(names).filter(([, value]) => value !== "" && value !== undefined));
  const text = query.toString();
  const answer = await fetch(text ? `${address}?${text}` : address, { signal });
  if (!answer.ok) throw new Error((await answer.text()).trim() || `status ${answer.status}`);
  return answer.json();
}

export const count = (number) => number.toLocaleString("en-GB");

export function size(octets) {
  if (octets < 1024) return `${octets} B`;
  if (octets < 1048576) return `${(octets / 1024).toFixed(1)} KiB`;
  return `${(octets / 1048576).toFixed(1)} MiB`;
}

/** Virtual moments as people read them: day and time, never in the reader's own zone. */
export const moment = (at) => (at ? at.slice(0, 19).replace("T", " ") : "");
export const clock = (at) => (at ? at.slice(11, 23).replace(/\.000$/, "") : "");

export function later(work, wait_ms) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...given), wait_ms);
  };
}

export function badge(verdict, other = "") {
  return h(`span.badge.v-${verdict || "NONE"}`, {}, verdict || other || "open");
}

export const chip = (state, tone) => h(`span.state.t-${tone}`, {}, state);

/** An identifier by its ends; other words as they are, as far as a lane has room for them. */
export const short = (name) => (/^[0-9A-F]{2}(-[0-9A-F]{2}){7}$/i.test(name)
  ? `${name.slice(0, 5)}…${name.slice(-5)}` : name);
