// Cases, criteria and defects as the last turn left them.

import { badge, h } from "./dom.js";
import { fileLink } from "./files.js";

export class CasesView {
  constructor(run) {
    this.run = run;
    this.place = h("section.part.scroll", { "aria-label": "cases", tabindex: "0" });
    this.heard = () => { if (this.parts !== this.run.parts) this.tell(); };
  }

  begin() {
    this.run.listeners.add(this.heard);
    this.tell();
  }

  end() { this.run.listeners.delete(this.heard); }

  tell() {
    const parts = this.parts = this.run.parts;
    const home = (ref) => h("a", { href: `#home/${encodeURIComponent(ref)}` }, ref);
    const words = (items) => items.flatMap((item, place) => (place ? [" ", item] : [item]));
    this.place.replaceChildren(
      h("p.quiet.note", {}, "As the last turn left them."),
      table("Cases", ["case", "verdict", "what", "installations", "why"], parts.cases.map((one) => [
        one.id, badge(one.verdict), `${one.title}${one.mandatory ? " (mandatory)" : ""}`,
        h("span", {}, ...words(one.refs.slice(0, 6).map(home)),
          one.refs.length > 6 ? ` and ${one.refs.length - 6} more` : ""),
        one.waived_by ? `${one.reason}; waived by ${one.waived_by}` : one.reason])),
      table("Criteria", ["id", "verdict", "kind", "demands", "why"], parts.criteria.map((one) => [
        one.id, badge(one.verdict), one.kind, one.text, one.reason])),
      table("Defects", ["id", "severity", "whose", "what", "installation", "shown by"],
        parts.defects.map((one) => [one.id, String(one.severity), one.attribution, one.text,
          one.ref ? home(one.ref) : "", h("span", {}, ...words([
            ...one.events.slice(0, 4).map((n) => h("a", { href: `#log?line=${n}` }, `line ${n}`)),
            ...one.files.slice(0, 3).map((path) => h("a", { href: fileLink(path) }, path))]))])),
    );
  }
}

const MOST = 80;

function table(title, columns, rows) {
  if (!rows.length) return h("p.quiet.note", {}, `${title}: none so far.`);
  const more = rows.length > MOST ? `, the first ${MOST} of ${rows.length}; see the report` : "";
  return h("div.panel.wide", { tabindex: "0", role: "region", "aria-label": title },
    h("table", {}, h("caption", {}, title + more), h("thead", {}, h("tr", {},
      ...columns.map((name) => h("th", { scope: "col" }, name)))), h("tbody", {},
      ...rows.slice(0, MOST).map((cells) => h("tr", {}, ...cells.map((cell, place) =>
        (place ? h("td", {}, cell) : h("th", { scope: "row" }, cell))))))));
}
