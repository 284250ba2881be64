// A list of any length of which only the rows in sight are in the document.

import { h } from "./dom.js";

const BEYOND = 8;
const MOST = 120;

/** Rows that are all here already. */
export class Here {
  constructor(rows = []) { this.rows = rows; }
  get count() { return this.rows.length; }
  row(index) { return this.rows[index]; }
}

/** Rows that are fetched by the page when they come in sight. */
export class Paged {
  /** fetch(first, limit) resolves to {total, rows}; pages are counted from the oldest row. */
  constructor(fetch, changed, { backwards = false, limit = 100 } = {}) {
    Object.assign(this, { fetch, changed, backwards, limit, count: 0, pages: new Map() });
  }

  row(index) {
    const place = this.backwards ? this.count - 1 - index : index;
    const number = Math.floor(place / this.limit);
    const page = this.pages.get(number);
    if (page === undefined) this.load(number);
    return Array.isArray(page) ? page[place - number * this.limit] : undefined;
  }

  async load(number) {
    if (this.pages.get(number) === null) return;
    this.pages.set(number, null);
    try {
      const told = await this.fetch(number * this.limit, this.limit);
      this.pages.set(number, told.rows);
      this.count = told.total;
    } catch (error) {
      this.pages.delete(number);
      if (error.name !== "AbortError") this.failed?.(error);
      return;
    }
    this.changed();
  }

  /** Learns how many rows there are by now; pages that were whole stay. */
  async grow() {
    const last = Math.max(0, Math.ceil(this.count / this.limit) - 1);
    const told = await this.fetch(last * this.limit, this.limit);
    this.pages.set(last, told.rows);
    const grown = told.total - this.count;
    this.count = told.total;
    return grown;
  }
}

let lists = 0;

export class VirtualList {
  /**
   * @param {{label: string, source: object, head?: HTMLElement,
   *   draw: (row: any, place: HTMLElement) => void, name?: (row: any) => string,
   *   open?: (row: any, index: number) => void, look?: string, nothing?: string}} told
   */
  constructor(told) {
    Object.assign(this, told);
    this.id = `list${++lists}`;
    this.drawn = new Map();
    this.active = -1;
    this.body = h("div.rows", { role: "rowgroup" });
    this.empty = h("p.empty", { hidden: true }, this.nothing || "Nothing to show.");
    this.place = h(`div.list.${this.look || "plain"}`, {
      role: "grid", tabindex: "0", "aria-label": this.label, "aria-readonly": "true",
    }, this.head ? h("div.head", { role: "rowgroup" }, this.head) : null, this.body, this.empty);
    this.place.addEventListener("scroll", () => this.soon(), { passive: true });
    this.place.addEventListener("keydown", (event) => this.key(event));
    this.body.addEventListener("click", (event) => this.click(event));
    this.watcher = new ResizeObserver(() => { this.measure(); this.soon(); });
    this.watcher.observe(this.place);
  }

  measure() {
    const told = getComputedStyle(this.place).getPropertyValue("--row");
    const height = Number.parseFloat(told) || 26;
    if (height !== this.height) {
      this.height = height;
      this.clear();
    }
  }

  clear() {
    for (const row of this.drawn.values()) row.remove();
    this.drawn.clear();
  }

  /** Shows another source, from its beginning. */
  show(source) {
    this.source = source;
    this.active = -1;
    this.clear();
    this.place.scrollTop = 0;
    this.soon();
  }

  soon() {
    this.asked ||= requestAnimationFrame(() => { this.asked = 0; this.render(); });
  }

  /** Keeps the rows in sight where they are when rows come in above them. */
  grewAbove(number) {
    this.clear();
    if (this.active >= 0) this.active += number;
    if (this.place.scrollTop > this.height) this.place.scrollTop += number * this.height;
    this.soon();
  }

  render() {
    if (!this.height) this.measure();
    const total = this.source.count;
    this.body.style.height = `${total * this.height}px`;
    this.place.setAttribute("aria-rowcount", String(total + (this.head ? 1 : 0)));
    this.empty.hidden = total > 0;
    const above = this.head ? this.head.offsetHeight : 0;
    const seen = Math.ceil((this.place.clientHeight - above) / this.height);
    const first = Math.max(0, Math.floor(this.place.scrollTop / this.height) - BEYOND);
    const behind = Math.min(total, first + Math.min(seen + 2 * BEYOND, MOST));
    for (const [index, row] of this.drawn) {
      if (index < first || index >= behind) {
        row.remove();
        this.drawn.delete(index);
      }
    }
    const fresh = document.createDocumentFragment();
    for (let index = first; index < behind; index += 1) this.put(index, fresh);
    this.body.append(fresh);
    this.mark();
  }

  put(index, fresh) {
    const value = this.source.row(index);
    let row = this.drawn.get(index);
    if (row && row.value === value) return;
    if (!row) {
      row = h("div.row", { role: "row", id: `${this.id}-${index}` });
      row.style.transform = `translateY(${index * this.height}px)`;
      row.setAttribute("aria-rowindex", String(index + 1 + (this.head ? 1 : 0)));
      this.drawn.set(index, row);
      fresh.append(row);
    }
    row.value = value;
    row.replaceChildren();
    row.classList.toggle("waiting", value === undefined);
    if (value === undefined) return;
    this.draw(value, row);
    if (this.name) row.setAttribute("aria-label", this.name(value));
  }

  mark() {
    for (const [index, row] of this.drawn) {
      row.classList.toggle("active", index === this.active);
      row.setAttribute("aria-selected", String(index === this.active));
    }
    if (this.drawn.has(this.active)) {
      this.place.setAttribute("aria-activedescendant", `${this.id}-${this.active}`);
    } else this.place.removeAttribute("aria-activedescendant");
  }

  go(index) {
    const total = this.source.count;
    if (!total) return;
    this.active = Math.max(0, Math.min(total - 1, index));
    const above = this.head ? this.head.offsetHeight : 0;
    const top = this.active * this.height;
    const sight = this.place.clientHeight - above;
    if (top < this.place.scrollTop) this.place.scrollTop = top;
    else if (top + this.height > this.place.scrollTop + sight) {
      this.place.scrollTop = top + this.height - sight;
    }
    this.render();
  }

  key(event) {
    if (event.target !== this.place || event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(this.place.clientHeight / this.height) - 2);
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page };
    if (event.key in moves) this.go(Math.max(0, this.active + moves[event.key]));
    else if (event.key === "Home") this.go(0);
    else if (event.key === "End") this.go(this.source.count - 1);
    else if (event.key === "Enter" && this.active >= 0) this.choose(this.active);
    else return;
    event.preventDefault();
  }

  click(event) {
    const row = event.target.closest(".row");
    if (!row || event.target.closest("a, button")) return;
    if (String(getSelection())) return;
    this.active = Number(row.id.slice(this.id.length + 1));
    this.mark();
    this.choose(this.active);
  }

  choose(index) {
    const value = this.source.row(index);
    if (value !== undefined && this.open) this.open(value, index);
  }

  /** Ends it. */
  end() {
    this.watcher.disconnect();
    cancelAnimationFrame(this.asked);
  }
}
