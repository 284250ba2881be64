// The page of one run: follows it, and shows one of its parts at a time.

import { badge, count, h, moment, values } from "./dom.js";
import { CasesView } from "./cases.js";
import { FileView, FilesView } from "./files.js";
import { GridView } from "./grid.js";
import { HomeView } from "./home.js";
import { LogView } from "./log.js";

const base = document.body.dataset.base;
const kind = document.body.dataset.kind;
const by = (id) => document.getElementById(id);

/** What is known of the run; parts of the page are told when it changes. */
const run = {
  base, kind, cursor: "", steps: [], rows: new Map(), summary: null, head: null, parts: null,
  listeners: new Set(),
  get: (what, names, signal) => values(`${base}${what}.json`, names, signal),
};

const PARTS = { installations: GridView, log: LogView, files: FilesView, cases: CasesView,
  home: HomeView, file: FileView };
const TAB_OF = { home: "installations", file: "files" };
let shown = null;

function route() {
  const [path, query = ""] = location.hash.slice(1).split("?");
  const [name, ...rest] = path.split("/");
  const first = kind === "scenario" ? "log" : "installations";
  const part = name in PARTS && !(kind === "scenario" && name === "installations") ? name : first;
  shown?.end?.();
  shown = new PARTS[part](run, rest.map(decodeURIComponent).join("/"), new URLSearchParams(query));
  by("view").replaceChildren(shown.place);
  for (const tab of document.querySelectorAll(".tabs a")) {
    const is = tab.getAttribute("href") === `#${TAB_OF[part] || part}`;
    if (is) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
  shown.begin?.();
}

// -- following -----------------------------------------------------------------------------------

function take(news) {
  const moved = news.steps.length !== run.steps.length;
  if (news.reset) run.rows.clear();
  else if (moved) respell(run.steps, news.steps);
  run.steps = news.steps;
  for (const row of news.rows) run.rows.set(row[0], row);
  Object.assign(run, { cursor: news.cursor, summary: news.summary, head: news.head });
  tell();
  for (const listener of run.listeners) listener({ reset: news.reset, moved });
}

/** Puts the cells of rows that did not change under the steps as they are now. */
function respell(old, fresh) {
  const places = fresh.map((step) => old.indexOf(step));
  for (const [ref, row] of run.rows) {
    const cells = places.map((place) => (place < 0 ? " " : row[6][place])).join("");
    run.rows.set(ref, [...row.slice(0, 6), cells]);
  }
}

function pulse(word, look) {
  by("pulse").textContent = word;
  by("pulse").className = `pulse p-${look}`;
}

function follow() {
  const source = new EventSource(`${base}live?after=${encodeURIComponent(run.cursor)}`);
  pulse("live", "live");
  source.addEventListener("news", (event) => {
    pulse("live", "live");
    take(JSON.parse(event.data));
  });
  source.addEventListener("over", () => {
    source.close();
    pulse(run.head.state, "done");
  });
  source.onerror = () => pulse(source.readyState === 2 ? "not followed" : "reconnecting", "lost");
  addEventListener("pagehide", () => source.close());
}

// -- the top -------------------------------------------------------------------------------------

const LOOKS = { "planning": "quiet", "migrated": "good", "not migrated": "bad",
  "rolling back": "warn", "awaiting hub": "wait", "left out": "quiet" };

function tell() {
  const { summary, head } = run;
  by("moment").textContent = moment(summary.at);
  by("reason").textContent = head.reason;
  by("verdict").replaceWith(Object.assign(badge(head.verdict, head.state), { id: "verdict" }));
  by("report").hidden = !head.has_report;
  by("foot").textContent = head.identifiers || by("foot").textContent;
  by("n-log").textContent = count(summary.last);
  if (by("n-installations")) by("n-installations").textContent = count(run.rows.size);
  if (kind !== "scenario") progress(summary);
  const words = [summary.turn ? `Turn ${summary.turn}` : "", summary.day,
    summary.waits_for ? `waits for ${summary.waits_for}` : ""].filter(Boolean);
  const rests = summary.over || head.state === "done";
  by("waits").hidden = !words.length || rests;
  by("waits").textContent = words.join(" · ");
  loud(rests ? [] : summary.loud);
}

function progress(summary) {
  const total = Math.max(1, summary.installations);
  const bar = h("div.meter", { role: "img", "aria-label": summary.phases
    .filter(([, number]) => number).map(([name, number]) => `${number} ${name}`).join(", ") });
  const legend = h("ul.legend", {});
  for (const [name, number] of summary.phases) {
    if (!number) continue;
    const look = LOOKS[name] || "going";
    const piece = h(`span.piece.t-${look}`, {});
    piece.style.width = `${(100 * number) / total}%`;
    bar.append(piece);
    legend.append(h(`li.t-${look}`, {}, h("b", {}, count(number)), ` ${name}`));
  }
  by("progress").hidden = false;
  by("progress").replaceChildren(bar, legend);
}

let said = "";
function loud(lines) {
  const now = JSON.stringify(lines);
  if (now === said) return;
  said = now;
  by("loud").hidden = !lines.length;
  by("loud").replaceChildren(...lines.slice(-3).reverse().map(([number, at, level, ref, text]) =>
    h(`li.l-${level}`, {}, h("span.time", {}, moment(at)), " ", ref
      ? h("a", { href: `#home/${encodeURIComponent(ref)}` }, ref) : "", " ",
      h("a.plain", { href: `#log?line=${number}` }, text))));
}

async function parts() {
  run.parts = await run.get("parts");
  if (by("n-cases")) by("n-cases").textContent = count(run.parts.cases.length);
  const files = await run.get("files", { limit: 1 });
  by("n-files").textContent = count(files.total);
}

async function begin() {
  try {
    take(await run.get("grid"));
    await parts();
    route();
    if (run.head.state === "done") pulse("done", "done");
    else follow();
  } catch (error) {
    by("view").replaceChildren(h("p.trouble", { role: "alert" }, error.message));
    pulse("not reached", "lost");
  }
}

addEventListener("hashchange", route);
begin();

// Cases, files and devices are told anew at the end of each turn.
let known = "";
run.listeners.add(() => {
  const now = `${run.head.turn} ${run.head.state} ${run.head.verdict}`;
  if (known && known !== now) parts().catch(() => pulse("not reached", "lost"));
  known = now;
});
