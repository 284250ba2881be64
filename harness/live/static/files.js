// Files of a run, and one of them as text or octets.

import { count, h, later, moment, short, size } from "./dom.js";
import { Paged, VirtualList } from "./list.js";

export const fileLink = (path) => `#file/${path.split("/").map(encodeURIComponent).join("/")}`;

export class FilesView {
  constructor(run) {
    this.run = run;
    this.find = h("input", { type: "search", placeholder: "name, kind, party, result",
      autocomplete: "off", spellcheck: "false" });
    this.shown = h("span.quiet.shown", { role: "status" });
    const column = (name, text) => h(`span.c.${name}`, { role: "columnheader" }, text);
    this.list = new VirtualList({
      label: "files", look: "files", source: { count: 0, row: () => undefined },
      nothing: "No file fits.", draw, name: (file) => `${file.path}, ${file.kind}, ${file.result}`,
      open: (file) => { location.hash = fileLink(file.path); },
      head: h("div.headrow", { role: "row" }, column("path", "path"), column("kind", "kind"),
        column("ways", "from → to"), column("result", "result"), column("size", "size"),
        column("at", "when")),
    });
    this.place = h("section.part", { "aria-label": "files" },
      h("div.tools", {}, h("label.field", {}, "Find ", this.find), this.shown),
      h("div.panel", {}, this.list.place));
    this.find.addEventListener("input", later(() => this.ask(), 200));
  }

  begin() { this.ask(); }

  end() { this.list.end(); }

  async ask() {
    const text = this.find.value.trim();
    const source = new Paged((first, limit) => this.run.get("files", { text, first, limit }),
      () => this.list.soon());
    await source.load(0);
    this.shown.textContent = text ? `${count(source.count)} files` : "";
    this.list.show(source);
  }
}

function draw(file, row) {
  const ends = [file.sender, file.receiver].filter(Boolean);
  const ways = ends.join(" → ");
  row.append(
    h("span.c.path", { role: "gridcell", title: file.path },
      h("a", { href: fileLink(file.path), tabindex: "-1" }, file.path)),
    h("span.c.kind", { role: "gridcell" }, file.kind),
    h("span.c.ways", { role: "gridcell", title: ways },
      ends.map(short).join(" → ")),
    h("span.c.result", { role: "gridcell" }, file.result,
      file.signature ? h("span.quiet", {}, ` ${file.signature}`) : ""),
    h("span.c.size.quiet", { role: "gridcell" }, file.size_bytes ? size(file.size_bytes) : ""),
    h("span.c.at.quiet", { role: "gridcell" }, moment(file.at).slice(5)),
  );
}

export class FileView {
  constructor(run, path) {
    Object.assign(this, { run, path, mode: "", first: 0 });
    const address = path.split("/").map(encodeURIComponent).join("/");
    this.text = h("button.chip", { type: "button", onclick: () => this.as("text") }, "Text");
    this.hex = h("button.chip", { type: "button", onclick: () => this.as("hex") }, "Octets");
    this.before = h("button.chip", { type: "button", onclick: () => this.go(this.told.previous) },
      "‹ Before");
    this.behind = h("button.chip", { type: "button", onclick: () => this.go(this.told.next) },
      "Further ›");
    this.where = h("span.quiet.shown", { role: "status" });
    this.body = h("pre.content", { tabindex: "0", "aria-label": `content of ${path}` });
    this.place = h("section.part", { "aria-label": path },
      h("div.tools", {}, h("a", { href: "#files" }, "‹ files"), h("h2", {}, path),
        h("span.chips", {}, this.text, this.hex), this.before, this.behind,
        h("a.chip", { href: `${run.base}download/${address}`, download: true }, "Download"),
        this.where),
      h("div.panel", {}, this.body));
  }

  begin() { this.load(); }

  as(mode) {
    Object.assign(this, { mode, first: 0 });
    this.load();
  }

  go(first) {
    this.first = first;
    this.load();
  }

  async load() {
    try {
      const { mode, first, path } = this;
      this.told = await this.run.get("view", { path, mode, first });
    } catch (error) {
      this.body.textContent = error.message;
      this.told = { mode: "", previous: null, next: null };
    }
    const { told } = this;
    if (told.text !== undefined) this.body.textContent = told.text;
    this.body.scrollTop = 0;
    this.text.setAttribute("aria-pressed", String(told.mode === "text"));
    this.hex.setAttribute("aria-pressed", String(told.mode === "hex"));
    this.before.disabled = told.previous === null;
    this.behind.disabled = told.next === null;
    if (told.size !== undefined) {
      this.where.textContent = told.next === null && told.previous === null ? size(told.size)
        : `from octet ${count(told.first)} of ${count(told.size)}`;
    }
  }
}
