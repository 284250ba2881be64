// The list of runs.

import { badge, count, h, later, moment, values } from "./dom.js";
import { Here, VirtualList } from "./list.js";

const LOOK_MS = 4000;
const find = document.getElementById("find");
let runs = [];
let told = "";

const written = (seconds) => new Date(seconds * 1000).toLocaleString("en-GB", {
  day: "2-digit", month: "short", hour: "2-digit", minute: "2-digit" });

function draw(run, row) {
  row.append(
    h("span.c.verdict", { role: "gridcell" }, badge(run.verdict, run.state)),
    h("span.c.name", { role: "gridcell" },
      h("a", { href: `/runs/${encodeURIComponent(run.name)}/` }, run.name),
      run.title ? h("span.quiet", {}, ` ${run.title}`) : ""),
    h("span.c.kind", { role: "gridcell" }, run.kind),
    h("span.c.cohort", { role: "gridcell" }, run.cohort),
    h("span.c.asof", { role: "gridcell" }, run.as_of || moment(run.began).slice(0, 10)),
    h("span.c.written", { role: "gridcell", title: "last written to" }, written(run.written_s)),
    h("span.c.why.quiet", { role: "gridcell", title: run.reason }, run.reason),
  );
}

const column = (name, text) => h(`span.c.${name}`, { role: "columnheader" }, text);
const list = new VirtualList({
  label: "runs, the newest first", look: "runs", source: new Here(), draw,
  nothing: "No runs here yet: smetsbench dust run FILE.toml --out runs/NAME",
  name: (run) => `${run.name}, ${run.kind} run, ${run.verdict || run.state}, ${run.title}`,
  open: (run) => { location.href = `/runs/${encodeURIComponent(run.name)}/`; },
  head: h("div.headrow", { role: "row" }, column("verdict", "verdict"), column("name", "run"),
    column("kind", "kind"), column("cohort", "cohort"), column("asof", "as of"),
    column("written", "written"), column("why", "why")),
});
document.getElementById("runs").append(list.place);

function sift() {
  const part = find.value.trim().toLowerCase();
  const said = (run) => [run.name, run.run_id, run.title, run.kind, run.cohort, run.verdict,
    run.state, run.reason].join(" ").toLowerCase();
  list.source = new Here(part ? runs.filter((run) => said(run).includes(part)) : runs);
  list.soon();
}

async function look() {
  try {
    const found = [];
    for (let total = 1; found.length < total;) {
      const page = await values("/runs.json", { first: found.length || "" });
      if (!page.rows.length) break;
      total = page.total;
      found.push(...page.rows);
    }
    const now = JSON.stringify(found);
    if (now !== told) {
      told = now;
      runs = found;
      sift();
    }
    document.getElementById("count").textContent = `${count(found.length)} runs`;
  } catch (error) {
    document.getElementById("count").textContent = `not reached: ${error.message}`;
  }
  setTimeout(look, document.hidden ? LOOK_MS * 5 : LOOK_MS);
}

find.addEventListener("input", later(sift, 80));
look();
