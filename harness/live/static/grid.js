// Installations by step.

import { chip, count, h, later, moment } from "./dom.js";
import { Here, VirtualList } from "./list.js";

const SAID = { k: "ok", f: "failed", w: "warned", s: "skipped" };
const PHASES = { P: "planning", M: "resubmission", V: "validation", H: "hand-over", T: "testing",
  C: "commissioning", R: "rollback" };
const GRAVITY = { bad: 0, warn: 1, wait: 2, going: 3, quiet: 4, good: 5 };

const drawn = new Map();
const MOST_DRAWN = 400;
const MOST_JOINED = 9;

/** The cells of a row. Most rows look like others: what was drawn once is copied. */
export function cells(row, steps) {
  const key = `${row[6]}|${steps.length}`;
  let held = drawn.get(key);
  if (!held || held.steps !== steps) {
    held = { steps, made: document.createDocumentFragment() };
    for (const [first, behind] of runs(row[6], steps)) {
      held.made.append(run(row[6][first], first, behind, steps));
    }
    if (drawn.size >= MOST_DRAWN) drawn.clear();
    drawn.set(key, held);
  }
  return held.made.cloneNode(true);
}

/** Neighbours that look alike, within a phase: one element for all of them scrolls faster. */
function runs(letters, steps) {
  const found = [];
  for (let place = 0; place < letters.length; place += 1) {
    const last = found[found.length - 1];
    const joins = last && letters[place] === letters[last[0]] && !begins(steps, place)
      && !"fws".includes(letters[place]) && place - last[0] < MOST_JOINED;
    if (joins) last[1] = place + 1;
    else found.push([place, place + 1]);
  }
  return found;
}

function run(letter, first, behind, steps) {
  const made = document.createElement("i");
  const many = behind - first;
  made.className = `x x-${letter === " " ? "n" : letter}${many > 1 ? ` n${many}` : ""}${
    begins(steps, first) ? " begins" : ""}`;
  const named = many > 1 ? `${steps[first]} to ${steps[behind - 1]}` : steps[first];
  made.title = `${named} ${SAID[letter] || "not reached"}`;
  return made;
}

const begins = (steps, place) => place > 0 && steps[place][0] !== steps[place - 1][0];

function spoken(row, steps) {
  const bad = [...row[6]].map((letter, place) => (letter === "f" ? steps[place] : ""))
    .filter(Boolean);
  const code = row[3] ? `, code ${row[3]}` : "";
  return `${row[0]}, ${row[1]}${code}${bad.length ? `, failed at ${bad.join(", ")}` : ""}`;
}

export class GridView {
  constructor(run, _path, query) {
    this.run = run;
    this.find = h("input", { type: "search", placeholder: "installation, state, code, step",
      value: query.get("text") || "", autocomplete: "off", spellcheck: "false" });
    this.state = query.get("state") || "";
    this.order = h("select", {}, ...[["listed", "as listed"], ["trouble", "trouble first"],
      ["last", "last change first"]].map(([value, text]) => h("option", { value }, text)));
    this.chips = h("div.chips", { role: "group", "aria-label": "only one state" });
    this.shown = h("span.quiet.shown", { role: "status" });
    this.list = new VirtualList({
      label: "installations by step", look: "grid", source: new Here(),
      head: h("div.headrow", { role: "row" }),
      nothing: "No installation fits.",
      draw: (row, place) => this.draw(row, place),
      name: (row) => spoken(row, run.steps),
      open: (row) => { location.hash = `#home/${encodeURIComponent(row[0])}`; },
    });
    this.place = h("section.part", { "aria-label": "installations" },
      h("div.tools", {}, h("label.field", {}, "Find ", this.find),
        h("label.field", {}, "Order ", this.order), this.chips, this.shown),
      h("div.panel", {}, this.list.place), legend());
    const sift = () => this.sift();
    this.find.addEventListener("input", later(sift, 80));
    this.order.addEventListener("change", sift);
    this.heard = (what) => this.hear(what);
    this.late = later(sift, 1500);
  }

  begin() {
    this.run.listeners.add(this.heard);
    this.headed();
    this.sift();
  }

  end() {
    this.run.listeners.delete(this.heard);
    this.list.end();
  }

  hear({ reset, moved }) {
    if (moved) this.headed();
    if (reset || moved || this.order.value === "listed") this.sift();
    else {
      const rows = this.list.source.rows.map((row) => this.run.rows.get(row[0]) || row);
      this.list.source = new Here(rows);
      this.list.soon();
      this.late();
    }
  }

  headed() {
    const column = (name, text) => h(`span.c.${name}`, { role: "columnheader" }, text);
    const { steps } = this.run;
    const names = steps.map((step, place) => h(`span.s${begins(steps, place) ? ".begins" : ""}`,
      { title: `${step}, ${PHASES[step[0]] || ""}` }, step));
    this.list.head.replaceChildren(column("ref", "installation"), column("st", "state"),
      column("code", "code"), h("span.c.steps", { role: "columnheader" }, ...names),
      column("at", "last line"));
    this.list.clear();
  }

  sift() {
    const part = this.find.value.trim().toLowerCase();
    const all = [...this.run.rows.values()];
    const fits = (row) => (!this.state || row[1] === this.state) && (!part
      || `${row[0]} ${row[1]} ${row[3]} ${row[5]}`.toLowerCase().includes(part));
    const rows = all.filter(fits);
    if (this.order.value === "trouble") rows.sort((a, b) => GRAVITY[a[2]] - GRAVITY[b[2]]);
    if (this.order.value === "last") rows.sort((a, b) => (a[4] < b[4] ? 1 : -1));
    this.list.source = new Here(rows);
    this.shown.textContent = rows.length === all.length ? ""
      : `${count(rows.length)} of ${count(all.length)}`;
    this.chosen();
    this.list.soon();
  }

  chosen() {
    const states = this.run.summary.states;
    const now = JSON.stringify([states, this.state]);
    if (now === this.told) return;
    this.told = now;
    const focused = this.chips.contains(document.activeElement)
      ? document.activeElement.dataset.state : null;
    this.chips.replaceChildren(...states.map(([state, number, tone]) => h(`button.chip.t-${tone}`, {
      type: "button", "data-state": state, "aria-pressed": String(state === this.state),
      onclick: () => { this.state = this.state === state ? "" : state; this.sift(); },
    }, state, h("b", {}, count(number)))));
    this.chips.querySelector(`[data-state="${focused}"]`)?.focus();
  }

  draw(row, place) {
    const [ref, state, tone, code, at, step] = row;
    place.append(
      h("span.c.ref", { role: "gridcell" }, ref),
      h("span.c.st", { role: "gridcell" }, chip(state, tone)),
      h("span.c.code", { role: "gridcell" }, code),
      h("span.c.steps", { role: "gridcell", "aria-hidden": "true" },
        cells(row, this.run.steps)),
      h("span.c.at.quiet", { role: "gridcell" }, step ? `${step} ` : "", moment(at).slice(5)),
    );
  }
}

function legend() {
  const one = (letter, text) => h("li", {}, h(`i.x.x-${letter}`, {}), ` ${text}`);
  return h("ul.legend.keys", { "aria-label": "signs" }, one("k", "done"), one("f", "failed"),
    one("w", "warned"), one("s", "skipped"), one("n", "not reached"));
}
