// The library: every video that was scanned or queued, and who is in it.

import {
  byId,
  choiceButton,
  clock,
  count,
  countBoth,
  damage,
  fillLater,
  find,
  make,
  nameOf,
  natural,
  notice,
  plain,
  small,
} from "./dom.js";
import { fillSaid } from "./said.js";
import { beginning, watchScan } from "./scan.js";
import { getJson } from "./server.js";
import { makeStretches } from "./stretches.js";
import { trouble } from "./troubles.js";

const ROWS = 50; // of one stretch
const MOST_SPANS = 20; // shown of one video
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
/** @type {WeakMap<VideoInBrief, string>} */
const sought = new WeakMap();
let loaded = ""; // what the server said, to notice what is new
let asked = 0;
let wanted = new URLSearchParams(); // text, performer, verdict, state: those that are set
/** @typedef {{ at: number, text: string, label: string, kind: string }} Moment */
/** @type {{ performer: string, videos: Map<string, Moment[]> }} Whose spans are known. */
let spans = { performer: "", videos: new Map() };
let saidOf = 0; // the performer of whom it is shown what was said
let drawn = ""; // what was wanted of the list that is seen

function startLibrary() {
  const form = byId("filters");
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", fillLater(filter));
  // Who presses a link right after typing leaves before the list is drawn.
  form.addEventListener("change", readFilters);
}

/**
 * Show the videos that fit what the address says, such as `performer=1&verdict=match`.
 *
 * @param {string} [query]
 */
export async function showLibrary(query = "") {
  wanted = new URLSearchParams(query);
  const early = new FormData(byId("filters")).get("text"); // before this script was there
  if (!loaded && early) {
    want("text", String(early).trim());
    keepAddress();
  }
  showFilters();
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

/** When the chosen performer is seen in each video; asked once they are chosen. */
async function findSpans() {
  const performer = wanted.get("performer") ?? "";
  if (performer === spans.performer) return;
  const own = { performer, videos: new Map() };
  spans = own;
  /** @type {number | null} */
  let next = performer ? 0 : null;
  while (next !== null) {
    const address = `/library/people?performer=${performer}&limit=200&after=${next}`;
    /** @type {VideosReply} */
    const part = await getJson(/** @type {"/library/people"} */ (address));
    if (spans !== own) return;
    for (const { oshash, people } of part.videos) own.videos.set(oshash, people.flatMap(momentsOf));
    next = part.next;
    for (const place of byId("videos").querySelectorAll("[data-spans]")) fillSpans(place);
  }
}

/**
 * When somebody is seen in a video, or on which pictures of an album.
 *
 * @param {PersonListed} person
 * @returns {Moment[]}
 */
function momentsOf({ appearances, pictures }) {
  return [
    ...appearances.map(([start, end]) => ({
      at: start,
      text: `${clock(start)}–${clock(end)}`,
      label: `Play from ${clock(start)} to ${clock(end)}`,
      kind: "span",
    })),
    ...pictures.map((number) => ({
      at: number,
      text: `picture ${number}`,
      label: `Show picture ${number}`,
      kind: "span still",
    })),
  ];
}

/** @param {Element} place */
function fillSpans(place) {
  const oshash = place.getAttribute("data-spans") ?? "";
  const found = [...(spans.videos.get(oshash) ?? [])].sort((one, other) => one.at - other.at);
  if (!found.length || place.childElementCount) return;
  const links = found.slice(0, MOST_SPANS).map(({ at, text, label, kind }) =>
    make("a", {
      class: kind,
      href: `#video/${oshash}/${spans.performer}//${at}`,
      text,
      "aria-label": label,
    }),
  );
  const more = found.length - links.length;
  place.replaceChildren(...links, more > 0 ? small(`and ${more} more`) : "");
}

/** The address of the library as it was last seen. */
export const libraryAddress = () => (wanted.size ? `#library/${wanted}` : "#library");

function filter() {
  if (byId("library").hidden) return;
  readFilters();
  render();
}

function readFilters() {
  for (const [name, value] of new FormData(byId("filters"))) want(name, String(value).trim());
  keepAddress();
}

/**
 * @param {string} name
 * @param {string} value
 */
function want(name, value) {
  if (value) wanted.set(name, value);
  else wanted.delete(name);
}

function keepAddress() {
  if (/^#lib/.test(location.hash)) history.replaceState(null, "", libraryAddress());
}

async function load() {
  asked += 1;
  const own = asked;
  if (!loaded) byId("library-found").textContent = "Reading the library …";
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
    byId("filters").hidden = !wanted.size;
    byId("library-found").textContent = "";
    byId("videos").replaceChildren(trouble("The library cannot be shown", error, load));
  }
}

/** @param {OverviewReply} all */
function take(all) {
  const said = JSON.stringify(all);
  if (said === loaded) return;
  loaded = said;
  spans = { performer: "", videos: new Map() };
  names = new Map(all.performers.map(({ id, name }) => [id, name]));
  // Videos without a file come last.
  videos = natural(all.videos, ({ state, path }) => (state === "gone" ? "\uffff" : "") + path);
  showFilters();
  render();
}

function showFilters() {
  /** @type {Map<number, number>} */
  const often = new Map();
  for (const { performer } of videos.flatMap((video) => video.named))
    often.set(performer, (often.get(performer) ?? 0) + 1);
  const performer = Number(wanted.get("performer"));
  if (performer && !often.has(performer)) often.set(performer, 0);
  const options = natural(
    [...often].map(([id, number]) => ({
      id,
      text: `${nameFor(id)} (${number.toLocaleString("en")})`,
    })),
    ({ text }) => text,
  );
  const { text, performer: who, verdict, kind } = fields();
  who.replaceChildren(
    make("option", { value: "", text: "anybody" }),
    ...options.map(({ id, text: label }) => make("option", { value: id, text: label })),
  );
  who.value = wanted.get("performer") ?? "";
  verdict.value = wanted.get("verdict") ?? "";
  kind.value = wanted.get("kind") ?? "";
  const hasAlbums = videos.some((video) => video.kind === "album");
  byId("filters").hidden = Boolean(loaded) && !videos.length && !wanted.size;
  kind.closest("label")?.toggleAttribute("hidden", !hasAlbums && !kind.value);
  if (document.activeElement !== text) text.value = wanted.get("text") ?? "";
}

const fields = () => ({
  text: byId("library-text"),
  performer: byId("library-performer"),
  verdict: byId("library-verdict"),
  kind: byId("library-kind"),
});

/** @param {number} id */
const nameFor = (id) => names.get(id) ?? `Performer ${id}`;

function render() {
  drawn = wanted.toString();
  byId("videos").classList.toggle("with-spans", wanted.has("performer"));
  findSpans().catch(() => {}); // without them, the video's own page says when
  const rows = videos.filter(fits);
  const performer = Number(wanted.get("performer"));
  byId("library-title").textContent = performer
    ? `Every video of ${nameFor(performer)}`
    : "Library";
  if (performer !== saidOf) showSaid();
  showStates();
  const isPart = rows.length && rows.length < videos.length;
  byId("library-found").textContent = isPart
    ? `${rows.length.toLocaleString("en")} of ${countAll(videos)}`
    : "";
  show(rows);
}

/** @param {VideoInBrief[]} all */
function countAll(all) {
  const albums = all.filter(({ kind }) => kind === "album").length;
  return countBoth(all.length - albums, albums);
}

/** @param {VideoInBrief[]} rows */
function show(rows) {
  const before = [...byId("videos").children].map((list) => list.childElementCount > 0);
  const focused = byId("videos").contains(document.activeElement)
    ? document.activeElement?.getAttribute("href")
    : null;
  stretches.clear();
  const lists = [];
  for (let first = 0; first < rows.length; first += ROWS) {
    const part = rows.slice(first, first + ROWS);
    const words = `${first + 1} to ${first + part.length} of ${countAll(rows)}`;
    const list = make("ul", { class: "videos", "aria-label": words });
    list.style.height = `calc(${part.length} * var(--row))`;
    stretches.add(list, part);
    if (!lists.length || before[lists.length]) stretches.fill(list); // at once, not a frame later
    lists.push(list);
  }
  const [first = nothing(), ...rest] = lists;
  // Replaced, it loses a click.
  if (first !== byId("videos").firstChild) byId("videos").replaceChildren(first, ...rest);
  if (focused)
    [...byId("videos").querySelectorAll("a")].find((one) => one.hash === focused)?.focus();
}

/** @param {VideoInBrief} video */
function fits(video) {
  const state = wanted.get("state");
  if (state && video.state !== state) return false;
  const kind = wanted.get("kind");
  if (kind && video.kind !== kind) return false;
  const performer = Number(wanted.get("performer"));
  const verdict = wanted.get("verdict");
  if (verdict === "unknown") {
    if (performer || !video.strangers) return false;
  } else if (performer || verdict) {
    /** @param {NamedInBrief} one */
    const isMeant = (one) =>
      (!performer || one.performer === performer) && (!verdict || one.verdict === verdict);
    if (!video.named.some(isMeant)) return false;
  }
  const words = plain(wanted.get("text") ?? "").split(" ");
  return words.every((word) => textOf(video).includes(word));
}

/** @param {VideoInBrief} video */
function textOf(video) {
  let text = sought.get(video);
  if (text === undefined) {
    text = plain([video.path, ...video.named.map((one) => nameFor(one.performer))].join(" "));
    sought.set(video, text);
  }
  return text;
}

function showStates() {
  /** @type {Record<string, number>} */
  const counts = {};
  for (const { state } of videos) counts[state] = (counts[state] ?? 0) + 1;
  const known = Object.entries(STATES).filter(([state]) => counts[state]);
  const state = wanted.get("state") ?? "";
  const focused = byId("states").contains(document.activeElement);
  byId("states").replaceChildren(
    ...[["", "All"], ...known].map(([value = "", words = ""]) =>
      choiceButton(words, value ? (counts[value] ?? 0) : videos.length, value === state, () => {
        want("state", value);
        keepAddress();
        render();
      }),
    ),
  );
  if (focused) find(byId("states"), "[aria-pressed=true]")?.focus();
  byId("states").hidden = !videos.length;
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

/** @param {Pick<VideoInBrief, "picture_count" | "duration_seconds">} video */
export function lengthOf({ picture_count: pictures, duration_seconds: seconds }) {
  return pictures ? count(pictures, "picture") : seconds ? clock(seconds) : "";
}

/** @param {VideoInBrief} video */
function spansOf({ oshash }) {
  const place = make("p", { class: "chips spans", "data-spans": oshash });
  fillSpans(place);
  return place;
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

startLibrary();
