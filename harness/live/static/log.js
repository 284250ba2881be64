// The log: any length, filtered by the server, the newest line first.

import { count, h, later, moment, short } from "./dom.js";
import { Paged, VirtualList } from "./list.js";

export class LogView {
  constructor(run, _path, query) {
    this.run = run;
    const given = (name) => query.get(name) || "";
    const levels = [["", "all"], ["info", "info and above"], ["warning", "warnings and errors"],
      ["error", "errors"]];
    this.fields = {
      level: h("select", {}, ...levels.map(([value, text]) => h("option", { value }, text))),
      party: h("select", {}, h("option", { value: "" }, "any")),
      ref: h("input", { type: "search", placeholder: "dual-001", spellcheck: "false" }),
      device: h("input", { type: "search", placeholder: "part of an EUI-64", spellcheck: "false" }),
      text: h("input", { type: "search", placeholder: "words, code, step", spellcheck: "false" }),
    };
    for (const party of run.parts?.parties || []) {
      this.fields.party.append(h("option", { value: party }, party));
    }
    for (const [name, field] of Object.entries(this.fields)) {
      field.value = given(name);
      field.setAttribute("autocomplete", "off");
      const asked = later(() => this.ask(), field.tagName === "SELECT" ? 0 : 250);
      field.addEventListener("input", asked);
    }
    this.line = Number(given("line")) || 0;
    this.hold = h("button.chip", { type: "button", "aria-pressed": "false",
      onclick: () => this.held() }, "Hold");
    this.shown = h("span.quiet.shown", { role: "status" });
    this.whole = h("pre.whole", { tabindex: "0", "aria-label": "the line as it is written",
      hidden: true });
    const column = (name, text) => h(`span.c.${name}`, { role: "columnheader" }, text);
    this.list = new VirtualList({
      label: "log, the newest line first", look: "log", source: { count: 0, row: () => undefined },
      nothing: "No line fits.", draw: (line, row) => this.draw(line, row),
      name: (line) => `${line.level}: ${line.text}`,
      open: (line) => this.open(line.number),
      head: h("div.headrow", { role: "row" }, column("num", "line"), column("time", "time"),
        column("party", "party"), column("ref", "installation"), column("step", "step"),
        column("text", "what"), column("code", "code")),
    });
    const label = { level: "Level", party: "Party", ref: run.kind === "scenario" ? "Scenario"
      : "Installation", device: "Device", text: "Text" };
    this.place = h("section.part", { "aria-label": "log" },
      h("div.tools.log-tools", {}, ...Object.entries(this.fields).map(([name, field]) =>
        h("label.field", {}, `${label[name]} `, field)), this.hold, this.shown),
      h("div.panel", {}, this.list.place, this.whole));
    this.heard = () => { if (this.hold.getAttribute("aria-pressed") === "false") this.grow(); };
  }

  begin() {
    this.run.listeners.add(this.heard);
    this.ask();
    if (this.line) this.open(this.line);
  }

  end() {
    this.run.listeners.delete(this.heard);
    this.list.end();
  }

  wanted() {
    return Object.fromEntries(Object.entries(this.fields).map(([name, field]) =>
      [name, field.value.trim()]));
  }

  ask() {
    const wanted = this.wanted();
    const source = new Paged(
      (first, limit) => this.run.get("log", { ...wanted, first, limit }),
      () => this.list.soon(), { backwards: true });
    source.failed = (error) => { this.shown.textContent = error.message; };
    this.source = source;
    const query = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value));
    history.replaceState(null, "", `#log${query.size ? `?${query}` : ""}`);
    this.first();
  }

  /** Learns how long the list is, then shows its end. */
  async first() {
    const source = this.source;
    try {
      await source.grow();
    } catch (error) {
      source.failed(error);
      return;
    }
    if (source !== this.source) return;
    if (source.count > source.limit) source.pages.delete(0);
    this.say();
    this.list.show(source);
  }

  async grow() {
    const source = this.source;
    if (this.busy || !source) return;
    this.busy = true;
    try {
      const grown = await source.grow();
      if (source === this.source && grown > 0) {
        this.list.grewAbove(grown);
        this.say();
      } else if (grown < 0) this.ask();
    } finally { this.busy = false; }
  }

  say() {
    const all = this.run.summary.last;
    this.shown.textContent = this.source.count === all ? ""
      : `${count(this.source.count)} of ${count(all)}`;
  }

  held() {
    const is = this.hold.getAttribute("aria-pressed") === "true";
    this.hold.setAttribute("aria-pressed", String(!is));
    if (is) this.grow();
  }

  async open(number) {
    const told = await this.run.get("line", { number });
    this.whole.textContent = told.text;
    this.whole.hidden = false;
  }

  draw(line, row) {
    const ways = [line.party, line.receiver].filter(Boolean).join(" → ");
    row.classList.add(`l-${line.level}`);
    const ref = line.ref && this.run.kind !== "scenario"
      ? h("a", { href: `#home/${encodeURIComponent(line.ref)}`, tabindex: "-1" }, line.ref)
      : line.ref;
    row.append(
      h("span.c.num.quiet", { role: "gridcell" }, count(line.number)),
      h("span.c.time.quiet", { role: "gridcell" }, moment(line.at)),
      h("span.c.party", { role: "gridcell", title: ways },
        [line.party, line.receiver].filter(Boolean).map(short).join(" → ")),
      h("span.c.ref", { role: "gridcell" }, ref),
      h("span.c.step", { role: "gridcell" }, line.step),
      h("span.c.text", { role: "gridcell", title: line.text },
        line.level === "info" || line.level === "debug" ? "" : h(`b.level.l-${line.level}`, {},
          line.level), line.state ? h("b.to", {}, line.state) : "",
        line.kind && !["step", "state"].includes(line.kind) ? h("span.kind", {}, line.kind) : "",
        line.text, line.file ? h("a.file", { href: `#file/${line.file.split("/")
          .map(encodeURIComponent).join("/")}`, tabindex: "-1" }, "file") : ""),
      h("span.c.code", { role: "gridcell" }, line.code),
    );
  }
}
