// One installation: where it stands, its devices, its sequence diagram, its files.

import { chip, clock, count, h, moment, s, short } from "./dom.js";
import { fileLink } from "./files.js";
import { cells } from "./grid.js";
import { Paged, VirtualList } from "./list.js";

const LANE = 90;
const NARROW = 600;

export class HomeView {
  constructor(run, ref) {
    Object.assign(this, { run, ref, lanes: [] });
    this.top = h("div.home", {});
    this.head = h("div.headrow", { role: "row" });
    this.list = new VirtualList({
      label: `sequence diagram of ${ref}`, look: "seq", source: { count: 0, row: () => undefined },
      head: this.head, nothing: "Nothing happened here yet.",
      draw: (line, row) => this.draw(line, row),
      name: (line) => `${moment(line.at)}, ${line.party}${line.receiver ? ` to ${line.receiver}`
        : ""}: ${line.step} ${line.text}`,
      open: (line) => { location.hash = `#log?ref=${encodeURIComponent(ref)}&line=${line.number}`; },
    });
    this.place = h("section.part", { "aria-label": `installation ${ref}` }, this.top,
      h("div.panel", {}, this.list.place));
    this.heard = () => this.hear();
  }

  begin() {
    this.run.listeners.add(this.heard);
    this.load();
  }

  end() {
    this.run.listeners.delete(this.heard);
    this.list.end();
  }

  async load() {
    try {
      this.told = await this.run.get("home", { ref: this.ref });
    } catch (error) {
      this.top.replaceChildren(h("a", { href: "#installations" }, "‹ installations"),
        h("p.trouble", { role: "alert" }, error.message));
      return;
    }
    this.shape();
    this.tell();
    const source = new Paged(
      (first, limit) => this.run.get("log", { ref: this.ref, order: "time", first, limit }),
      () => this.list.soon());
    await source.load(0);
    this.source = source;
    this.list.show(source);
  }

  async hear() {
    const row = this.run.rows.get(this.ref);
    if (!row || !this.source || row === this.known || this.busy) return;
    this.known = row;
    this.busy = true;
    try {
      this.told = await this.run.get("home", { ref: this.ref });
      if (this.told.lanes.length !== this.lanes.length) this.shape();
      this.tell();
      this.source.pages.clear();
      await this.source.load(0);
    } finally { this.busy = false; }
  }

  /** Lays out the lanes. */
  shape() {
    this.lanes = this.told.lanes;
    const narrow = innerWidth < NARROW;
    const room = narrow ? innerWidth - 40 : Math.min(innerWidth, 1680) - 620;
    const each = Math.floor(room / Math.max(1, this.lanes.length));
    this.lane = narrow ? each : Math.max(LANE / 2, Math.min(LANE, each));
    const types = new Map((this.told.record?.devices || []).map((one) =>
      [spelt(one.eui64), one.device_type]));
    this.wide = this.lane * this.lanes.length;
    this.list.place.style.setProperty("--lanes", `${this.wide}px`);
    const lanes = h("span.c.lanes", { role: "columnheader" }, ...this.lanes.map((name) => {
      const made = h("span.lane", { title: name },
        types.get(name) || short(name));
      made.style.width = `${this.lane}px`;
      return made;
    }));
    const column = (name, text) => h(`span.c.${name}`, { role: "columnheader" }, text);
    this.head.replaceChildren(column("time", "time"), lanes, column("step", "step"),
      column("text", "what"), column("code", "code"));
    this.list.clear();
  }

  draw(line, row) {
    row.classList.add(`l-${line.level}`);
    row.append(
      h("span.c.time.quiet", { role: "gridcell", title: moment(line.at) },
        h("span.day", {}, `${moment(line.at).slice(5, 10)} `), clock(line.at).slice(0, 8)),
      h("span.c.lanes", { role: "gridcell", "aria-hidden": "true" }, this.drawing(line)),
      h("span.c.step", { role: "gridcell" }, line.step),
      h("span.c.text", { role: "gridcell", title: line.text },
        line.state ? h("b.to", {}, line.state) : "", line.text, line.file
          ? h("a.file", { href: fileLink(line.file), tabindex: "-1" }, "file") : ""),
      h("span.c.code", { role: "gridcell" }, line.code),
    );
  }

  drawing(line) {
    const high = 26;
    const middle = (name) => (this.lanes.indexOf(name) + 0.5) * this.lane;
    const made = s("svg", { width: this.wide, height: high, class: `msg r-${line.result || "none"}` });
    for (const name of this.lanes) {
      const x = middle(name);
      made.append(s("path", { class: "life", d: `M${x} 0V${high}` }));
    }
    const from = middle(line.party);
    const y = high / 2;
    if (line.party && line.receiver && line.receiver !== line.party) {
      const to = middle(line.receiver);
      const back = to > from ? -7 : 7;
      made.append(s("path", { class: "way", d: `M${from} ${y}H${to}` }),
        s("path", { class: "tip", d: `M${to} ${y}l${back} -4v8z` }));
    } else if (line.party) {
      made.append(line.state
        ? s("rect", { class: "dot", x: from - 6, y: y - 4, width: 12, height: 8, rx: 2 })
        : s("circle", { class: "dot", cx: from, cy: y, r: 4 }));
    }
    return made;
  }

  // -- what stands above the diagram -------------------------------------------------------------

  tell() {
    const { row, record, steps, files, more_files: more, lines } = this.told;
    const [ref, state, tone, code, at] = row;
    const strip = h("span.strip", { "aria-hidden": "true" }, cells(row, steps));
    this.top.replaceChildren(
      h("div.tools", {}, h("a", { href: "#installations" }, "‹ installations"), h("h2", {}, ref),
        chip(state, tone), code ? h("code", {}, code) : "", strip,
        h("a", { href: `#log?ref=${encodeURIComponent(ref)}` }, `${count(lines)} lines`),
        h("span.quiet.shown", {}, moment(at))),
      record ? this.devices(record) : h("p.quiet.note", {},
        "Devices are told at the end of each turn."),
      files.length ? h("p.files-of", {}, "Files: ", ...files.flatMap((file) =>
        [h("a", { href: fileLink(file.path) }, file.path.split("/").pop()), " "]),
      more ? `and ${more} more` : "") : "",
    );
  }

  devices(record) {
    const facts = [["class", record.installation_class], ["shape", record.shape],
      ["attempts", record.attempts], ["SIM", record.sim_owner],
      ["stranded", record.stranded_cause], ["excluded", record.exclusion]]
      .filter(([, value]) => value !== null && value !== undefined && value !== "");
    const columns = ["device", "EUI-64", "owner", "firmware", "declared", "counters"];
    const row = (one) => h("tr", {},
      h("th", { scope: "row" }, one.device_type, one.holder ? "" : h("span.quiet", {},
        " no holder")),
      h("td.mono", {}, spelt(one.eui64)), h("td", {}, one.owner),
      one.firmware_running
        ? h(`td.mono${one.firmware_running === one.firmware_declared ? "" : ".differs"}`, {},
          one.firmware_running) : h("td.quiet", {}, "not asked"),
      h("td.mono", {}, one.firmware_declared),
      h("td.mono", {}, Object.entries(one.counters || {}).map(([name, n]) => `${name} ${n}`)
        .join(", ")));
    return h("div.panel.wide", { tabindex: "0", role: "region", "aria-label": "devices" },
      h("table.devices", {}, h("caption", {}, `as turn ${this.run.head.turn} left it: `,
        facts.map(([name, value]) => `${name} ${value}`).join(" · ")),
      h("thead", {}, h("tr", {}, ...columns.map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, ...(record.devices || []).map(row))));
  }
}

const spelt = (eui64) => (/^[0-9a-f]{16}$/i.test(eui64)
  ? eui64.toUpperCase().match(/../g).join("-") : eui64);
