// The library: every video that was scanned or queued, and who is in it.

import {
  byId,
  choiceButton,
  count,
  countBoth,
  damage,
  fillLater,
  find,
  lengthOf,
  make,
  nameOf,
  notice,
  small,
} from "./dom.js";
import { fits, readFilters, showFilters, want, wanted, wantOnly } from "./filters.js";
import { natural } from "./order.js";
import { fillSaid } from "./said.js";
import { beginning, watchScan } from "./scan.js";
import { getJson } from "./server.js";
import { findSpans, forgetSpans, spansOf } from "./spans.js";
import { makeStretches } from "./stretches.js";
import { trouble } from "./troubles.js";

const ROWS = 50; // of one stretch
const AGAIN_MS = 1500; // until names are asked for again that are not yet those of today

const STATES = /** @type {const} */ ({
  done: "Scanned",
  queued: "Queued",
  working: "In work",
  failed: "Failed",
  gone: "Without a file",
});

const stretches = makeStretches(row);

/** @type {VideoInBrief[]} */
let videos = [];
/** @type {Map<number, string>} */
let names = new Map();
let loaded = ""; // what the server said, to notice what is new
let asked = 0;
let saidOf = 0; // the performer of whom it is shown what was said
let drawn = ""; // what was wanted of the list that is seen

const list = byId("videos");
const found = byId("library-found");
const form = byId("filters");
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("input", fillLater(filter));
// A link pressed right after typing leaves before the list is drawn.
form.addEventListener("change", readFilters);

/**
 * Show the videos that fit what the address says, such as `performer=1&verdict=match`.
 *
 * @param {string} [query]
 */
export async function showLibrary(query = "") {
  wantOnly(query);
  const early = new FormData(form).get("text"); // before this script was there
  if (!loaded && early) want([["text", early]]);
  offerFilters();
  if (query !== drawn && loaded) {
    render();
    scrollTo(0, 0);
  }
  watchScan(load);
  await load();
  showSaid();
}

/** What was said of the performer whose videos are listed. */
function showSaid() {
  saidOf = Number(wanted.get("performer"));
  const title = `What you said about ${names.get(saidOf) ?? "this performer"}`;
  fillSaid(byId("library-said"), title, saidOf ? `performer=${saidOf}` : "", load);
}

function filter() {
  if (byId("library").hidden) return;
  readFilters();
  render();
}

async function load() {
  asked += 1;
  const own = asked;
  if (!loaded) found.textContent = "Reading the library …";
  try {
    /** @type {OverviewReply} */
    const all = { videos: [], performers: [], next: 0, stale: false };
    while (all.next !== null) {
      const part = await getJson(`/library/overview?after=${all.next}`);
      if (own !== asked) return;
      all.videos.push(...part.videos);
      all.performers.push(...part.performers);
      all.next = part.next;
      all.stale = part.stale;
      if (!videos.length || part.next === null) take(all);
    }
    if (all.stale) setTimeout(() => byId("library").hidden || own !== asked || load(), AGAIN_MS);
  } catch (error) {
    if (own !== asked) return;
    videos = [];
    loaded = "";
    showStates();
    form.hidden = !wanted.size;
    found.textContent = "";
    list.replaceChildren(trouble("The library cannot be shown", error, load));
  }
}

/** @param {OverviewReply} all */
function take(all) {
  const said = JSON.stringify(all);
  if (said === loaded) return;
  loaded = said;
  forgetSpans();
  names = new Map(all.performers.map(({ id, name }) => [id, name]));
  // Videos without a file come last.
  videos = natural(all.videos, ({ state, path }) => (state === "gone" ? "\uffff" : "") + path);
  offerFilters();
  render();
}

function offerFilters() {
  form.hidden = Boolean(loaded) && !videos.length && !wanted.size;
  showFilters(videos, nameFor);
}

/** @param {number} id */
const nameFor = (id) => names.get(id) ?? `Performer ${id}`;

function render() {
  drawn = wanted.toString();
  list.classList.toggle("with-spans", wanted.has("performer"));
  // Without them, the video's own page says when.
  findSpans(wanted.get("performer") ?? "").catch(() => {});
  const rows = videos.filter((video) => fits(video, nameFor));
  const performer = Number(wanted.get("performer"));
  byId("library-title").textContent = performer
    ? `Every video of ${nameFor(performer)}`
    : "Library";
  if (performer !== saidOf) showSaid();
  showStates();
  const isPart = rows.length && rows.length < videos.length;
  found.textContent = isPart ? `${rows.length.toLocaleString("en")} of ${countAll(videos)}` : "";
  show(rows);
}

/** @param {VideoInBrief[]} all */
function countAll(all) {
  const albums = all.filter(({ kind }) => kind === "album").length;
  return countBoth(all.length - albums, albums);
}

/** @param {VideoInBrief[]} rows */
function show(rows) {
  const before = [...list.children].map((part) => part.childElementCount > 0);
  const focused = list.contains(document.activeElement)
    ? document.activeElement?.getAttribute("href")
    : null;
  stretches.clear();
  const lists = [];
  for (let first = 0; first < rows.length; first += ROWS) {
    const some = rows.slice(first, first + ROWS);
    const words = `${first + 1} to ${first + some.length} of ${countAll(rows)}`;
    const part = make("ul", { class: "videos", "aria-label": words });
    part.style.height = `calc(${some.length} * var(--row))`;
    stretches.add(part, some);
    if (!lists.length || before[lists.length]) stretches.fill(part); // at once, not a frame later
    lists.push(part);
  }
  const [first = nothing(), ...rest] = lists;
  // Replaced, it loses a click.
  if (first !== list.firstChild) list.replaceChildren(first, ...rest);
  if (focused) [...list.querySelectorAll("a")].find((one) => one.hash === focused)?.focus();
}

function showStates() {
  /** @type {Record<string, number>} */
  const counts = {};
  for (const { state } of videos) counts[state] = (counts[state] ?? 0) + 1;
  const known = Object.entries(STATES).filter(([state]) => counts[state]);
  const state = wanted.get("state") ?? "";
  const choices = byId("states");
  const focused = choices.contains(document.activeElement);
  choices.replaceChildren(
    ...[["", "All"], ...known].map(([value = "", words = ""]) =>
      choiceButton(words, value ? (counts[value] ?? 0) : videos.length, value === state, () => {
        want([["state", value]]);
        render();
      }),
    ),
  );
  if (focused) find(choices, "[aria-pressed=true]")?.focus();
  choices.hidden = !videos.length;
}

function nothing() {
  if (!videos.length) return beginning();
  return notice(
    "Nothing fits",
    "Take back one of the filters above.",
    make("a", { href: "#library", text: "Show everything" }),
  );
}

/** @param {VideoInBrief} video */
function row(video) {
  const name = nameOf(video.path);
  const performer = wanted.get("performer");
  return make(
    "li",
    { class: video.state === "failed" ? "failed" : null },
    make(
      "a",
      {
        class: "path",
        href: `#video/${video.oshash}${performer ? `/${performer}` : ""}`,
        title: video.path,
      },
      make("span", { class: "folder", text: video.path.slice(0, -name.length || undefined) }),
      make("span", {
        class: "name",
        text: video.state === "gone" ? `${STATES.gone}: ${name || video.oshash}` : name,
      }),
    ),
    small([lengthOf(video), damage(video)].filter(Boolean).join(", ")),
    make("p", { class: "chips" }, ...chips(video)),
    performer ? spansOf(video) : null,
  );
}

/** @param {VideoInBrief} video */
function chips({ named, strangers, state, reason }) {
  const words = { match: "", uncertain: ": check", unknown: "" };
  const people = named.map(({ performer, verdict, score }) =>
    make(
      "a",
      {
        class: `chip ${verdict}`,
        href: `#library/performer=${performer}`,
        title: `${verdict}, ${score.toFixed(1)} %`,
      },
      make("span", { text: nameFor(performer) }),
      words[verdict],
    ),
  );
  const others = [
    state === "done" ? "" : [STATES[state], reason].filter(Boolean).join(": "),
    strangers ? count(strangers, "stranger") : "",
    state === "done" && !named.length && !strangers ? "nobody seen" : "",
  ];
  return [...people, ...others.filter(Boolean).map((text) => small(text))];
}
