// Strangers: people nobody enrolled, each once for all videos.

import { openChooser } from "./chooser.js";
import {
  byId,
  count,
  countBoth,
  find,
  make,
  makeButton,
  nameOf,
  natural,
  notice,
  small,
  timesOf,
} from "./dom.js";
import { blank, face } from "./faces.js";
import { latePicture } from "./pictures.js";
import { getJson, postForLines, postJson, ServerError, storing, wordsOf } from "./server.js";
import { refreshStatus } from "./status.js";
import { makeStretches, nearEnd } from "./stretches.js";
import { mainButton, nobodyFound, trouble, unchanged } from "./troubles.js";

const AGAIN_MS = 2000; // until it is asked again for those who are not grouped yet

// A card keeps what was done on it while it is out of view.
/** @type {WeakMap<StrangerReply, HTMLElement>} */
const cards = new WeakMap();
const stretches = makeStretches((/** @type {StrangerReply} */ one) => cards.get(one) ?? card(one));

/** @type {string | null} */
let next = null;
let which = ""; // what is shown: all of them, "ignored", or the id of one
let expected = -1; // how many there should be after what was done here
let asked = 0;
let isLoading = false;
/** @type {StrangerReply | null} */
let joining = null; // whose other card is being looked for

const end = nearEnd(() => showMore());

function startStrangers() {
  byId("strangers-more").addEventListener("click", () => showMore(true));
  addEventListener("keydown", ({ key }) => {
    if (key === "Escape" && joining && !byId("strangers").hidden) endJoining();
  });
}

/**
 * Show all strangers, those who are "ignored", or one by id.
 *
 * @param {string} [wanted]
 */
export async function showStrangers(wanted = "") {
  showWhich(wanted);
  if (wanted === which && (await isCurrent())) return;
  which = wanted;
  await reload();
}

async function isCurrent() {
  if (expected < 1 || Number(which)) return false;
  try {
    return (await getJson(`${address()}&limit=1`)).total === expected;
  } catch {
    return false;
  }
}

/** @returns {`/library/strangers?${string}`} */
const address = () => `/library/strangers?ignored=${which === "ignored" ? "on" : "off"}`;

async function reload() {
  endJoining();
  next = null;
  expected = -1;
  stretches.clear();
  end.disconnect();
  byId("strangers-list").replaceChildren();
  byId("strangers-found").textContent = "";
  byId("strangers-more").hidden = true;
  if (Number(which)) await showOne(Number(which));
  else await load(true);
}

/** @param {string} wanted */
function showWhich(wanted) {
  const views = { "": "All", ignored: "Ignored" };
  byId("strangers-which").replaceChildren(
    ...Object.entries(views).map(([name, text]) =>
      make("a", {
        href: name ? `#strangers/${name}` : "#strangers",
        "aria-current": name === wanted ? "true" : null,
        text,
      }),
    ),
  );
}

/** @param {number} id */
async function showOne(id) {
  asked += 1;
  const own = asked;
  try {
    const reply = await getJson(`/library/stranger?id=${id}`);
    if (own === asked) append([reply.stranger]);
  } catch (error) {
    if (own === asked)
      byId("strangers-list").append(notice("This stranger cannot be shown", wordsOf(error)));
  }
}

async function showMore(focus = false) {
  if (isLoading || next === null) return;
  await load();
  const last = byId("strangers-list").lastElementChild;
  if (focus && last) find(last, "button")?.focus();
}

async function load(isFirst = false) {
  asked += 1;
  const own = asked;
  isLoading = true;
  try {
    const page = await getJson(`${address()}${isFirst ? "" : `&after=${next}`}`);
    if (own !== asked) return;
    if (isFirst) expected = page.total;
    next = page.next;
    showFound(page);
    if (page.strangers.length) append(page.strangers);
    else if (isFirst) byId("strangers-list").append(await nobody(page));
    byId("strangers-more").hidden = next === null;
    end.disconnect();
    if (next !== null) end.observe(byId("strangers-more"));
  } catch (error) {
    if (own !== asked) return;
    byId("strangers-list").append(trouble("The strangers cannot be shown", error, reload));
  } finally {
    if (own === asked) isLoading = false;
  }
}

/** @param {StrangersReply} page */
function showFound({ total, ungrouped, kept, stale, strangers }) {
  const isWaiting = stale || ungrouped > 0;
  const lines = [
    total ? count(total, "stranger") : "",
    kept.endsWith("d") ? `kept for ${count(Number.parseInt(kept, 10), "day")}` : "",
    isWaiting ? `${count(ungrouped, "more face", "more faces")} still being put together …` : "",
  ];
  byId("strangers-found").textContent = lines.filter(Boolean).join(", ");
  if (isWaiting && !strangers.length) setTimeout(unlessLeft(), AGAIN_MS);
}

function unlessLeft() {
  const own = asked;
  return () => byId("strangers").hidden || own !== asked || reload();
}

/** @param {StrangersReply} page */
async function nobody({ kept, ungrouped }) {
  if (which === "ignored") return notice("Nobody is ignored", "Whom you ignore is listed here.");
  if (ungrouped) return notice("One moment", "The faces are being put together across videos.");
  const isKept = kept && kept !== "off";
  return nobodyFound(
    "People you did not enrol are listed here.",
    unlessLeft(),
    isKept ? none() : unkept(),
  );
}

function none() {
  return notice(
    "No strangers",
    "Everybody seen so far has a name, or is uncertain.",
    make("a", { href: "#review", text: "Review the uncertain" }),
    make("a", { href: "#library", text: "Library" }),
  );
}

function unkept() {
  const keep = mainButton("Keep them, and scan again", async () => {
    await postJson("/library/scan", { strangers: "keep", again: true });
    location.hash = "#library"; // where the scan is shown
  });
  return notice(
    "Strangers are not kept",
    "To name people you did not enrol, keep them and scan everything again. If the server was started with STRANGERS=off, change that first.",
    keep,
  );
}

/** @param {StrangerReply[]} strangers */
function append(strangers) {
  const list = make("div", { class: "strangers" }, ...strangers.map(card));
  byId("strangers-list").append(stretches.add(list, strangers));
}

/** @param {StrangerReply} one */
function card(one) {
  const id = `stranger-${one.id}`;
  const element = make(
    "article",
    { class: "card stranger", "aria-labelledby": id },
    faces(one),
    make(
      "div",
      { class: "who" },
      make("h2", { id, text: `In ${countBoth(one.videos.length - one.albums, one.albums)}` }),
      make("p", { class: "detail", text: [count(one.faces, "face"), days(one)].join(", ") }),
      videosOf(one),
    ),
    actions(one),
  );
  cards.set(one, element);
  return element;
}

/** @param {StrangerReply} one */
function faces({ pictures }) {
  const [best, ...others] = pictures.map((source, number) =>
    latePicture(source, number ? "" : "Best face of this stranger"),
  );
  return make("div", { class: "looks" }, best ?? blank(), make("div", {}, ...others));
}

/** @param {StrangerReply} one */
function days({ days: [first, last] }) {
  return first === last ? `scanned ${first}` : `scanned ${first} to ${last}`;
}

/**
 * The videos, folded; when they are seen in each is asked for once it is opened.
 *
 * @param {StrangerReply} one
 */
function videosOf(one) {
  const named = natural(one.videos.map(nameOf), String);
  const words = named.slice(0, 3).join(", ") + (named.length > 3 ? " …" : "");
  const list = make("ul", { class: "seen" });
  const details = make("details", {}, make("summary", { text: words }), list);
  details.addEventListener("toggle", () => {
    if (details.open && !list.childElementCount) showSeen(one, list);
  });
  return details;
}

/**
 * @param {StrangerReply} one
 * @param {HTMLElement} list
 */
async function showSeen(one, list) {
  list.replaceChildren(make("li", { class: "detail", text: "Looking them up …" }));
  try {
    const reply = await getJson(`/library/stranger?id=${one.id}`);
    const seen = natural(reply.seen, ({ path }) => path);
    list.replaceChildren(...seen.map((place) => sighting(one, place, seen.length > 1)));
  } catch (error) {
    list.replaceChildren(make("li", { class: "error", text: wordsOf(error) }));
  }
}

/**
 * @param {StrangerReply} one
 * @param {SeenReply} place
 * @param {boolean} canLeave
 */
function sighting(one, place, canLeave) {
  const name = nameOf(place.path);
  const spans = timesOf(place);
  const person = place.sighting.split(".")[1];
  /** @type {HTMLElement} */
  const row = make(
    "li",
    {},
    latePicture(place.picture, ""),
    make(
      "div",
      { class: "grow" },
      make("a", { href: `#video/${place.oshash}//${person}`, title: place.path, text: name }),
      small(spans.slice(0, 6).join(", ") + (spans.length > 6 ? " …" : "")),
    ),
    canLeave
      ? makeButton("Take out", () => takeOut(one, place, row), {
          "aria-label": `Not the same person: take ${name} out`,
        })
      : null,
  );
  return row;
}

/**
 * @param {StrangerReply} one
 * @param {SeenReply} place
 * @param {HTMLElement} row
 */
async function takeOut(one, place, row) {
  await attempt(one, async () => {
    const { new_id: other } = await postJson("/library/strangers/split", {
      stranger: one.id,
      sightings: [place.sighting],
    });
    expected += 1;
    const undo = () =>
      attempt(one, async () => {
        await postJson("/library/strangers/join", { kept: one.id, other });
        expected -= 1;
        done.replaceWith(row);
        find(row, "button")?.focus();
      });
    const done = make(
      "li",
      { class: "kept" },
      make("p", {
        role: "status",
        text: `${nameOf(place.path)} shows somebody else: a stranger of their own now.`,
      }),
      make("a", { href: `#strangers/${other}`, text: "Show them" }),
      makeButton("Undo", undo, { class: "undo" }),
    );
    row.replaceWith(done);
    find(done, ".undo")?.focus();
  });
}

/** @param {StrangerReply} one */
function actions(one) {
  /** @type {HTMLElement} */
  const row = make(
    "div",
    { class: "actions" },
    makeButton("Name this person …", () => askName(one, row), { class: "primary" }),
    makeButton("Same as …", () => startJoining(one), {
      class: "join-start",
      "aria-label": "The same person as another stranger",
    }),
    makeButton("It is this one", () => join(one), { class: "join-end" }),
    makeButton(one.ignored ? "List again" : "Ignore", () => ignore(one, !one.ignored)),
  );
  return row;
}

/**
 * @param {StrangerReply} one
 * @param {HTMLElement} row
 */
function askName(one, row) {
  /** @type {HTMLElement} */
  const chooser = openChooser("Who is this?", row, {
    nameFirst: true,
    onname: (name) => nameAs(one, row, chooser, { name }),
    onchoose: ({ id, name }) => askSame(one, row, chooser, name, [id]),
  });
}

/**
 * @param {StrangerReply} one
 * @param {HTMLElement} row
 * @param {HTMLElement} asking What stands in place of the row now.
 * @param {{ name: string, same?: number, new?: boolean }} fields
 */
async function nameAs(one, row, asking, fields) {
  const text = `Enrolling ${fields.name} …`;
  const news = make("p", { class: "actions", role: "status", tabindex: -1, text });
  asking.replaceWith(news);
  news.focus();
  await attempt(one, async () => {
    try {
      await storing(fillIn(one, row, news, fields));
    } catch (error) {
      const isEnrolled = news.textContent !== text;
      news.replaceWith(isEnrolled ? row : asking);
      if (isEnrolled) {
        cards.get(one)?.append(unchanged(error, "Enrolled; the rest is filled in later"));
        return;
      }
      if (!(error instanceof ServerError) || error.code !== "name_taken") throw error;
      askSame(one, row, asking, fields.name, error.performers);
    }
  });
}

/**
 * Name a stranger, and say how far it is: thousands of videos take a while.
 *
 * @param {StrangerReply} one
 * @param {HTMLElement} row
 * @param {HTMLElement} news
 * @param {{ name: string }} fields
 */
async function fillIn(one, row, news, fields) {
  const asked = { stranger: one.id, ...fields };
  for await (const { filling, named } of postForLines("/library/strangers/name", asked)) {
    if (filling) {
      const { done, of } = filling;
      news.textContent = `Enrolled. Looking for ${fields.name}: ${done.toLocaleString("en")} of ${count(of, ...nounsFor(one))} …`;
    } else {
      news.replaceWith(row);
      showNamed(one, named);
    }
  }
}

/**
 * Ask whether a stranger is one of those who have the name, with their enrolled faces.
 *
 * @param {StrangerReply} one
 * @param {HTMLElement} row
 * @param {HTMLElement} before
 * @param {string} name
 * @param {number[]} performers
 */
function askSame(one, row, before, name, performers) {
  /** @type {HTMLElement} */
  const question = make(
    "div",
    { class: "question", role: "group", "aria-label": `Is it the same ${name}?`, tabindex: -1 },
    make("p", { role: "status", text: `${name} is enrolled. Is it the same person?` }),
    one.pictures[0] ? face(one.pictures[0], "Best face of this stranger", "Stranger") : null,
    ...performers.map((performer) => {
      const thumbnail = `/gallery/thumbnail?id=${performer}`;
      const enrolled = face(thumbnail, `Enrolled face of ${name}`, "Enrolled");
      const yes = () => nameAs(one, row, question, { name, same: performer });
      enrolled.append(makeButton("Yes, the same", yes, { class: "primary" }));
      return enrolled;
    }),
    make(
      "div",
      { class: "actions" },
      makeButton("No, somebody else of this name", () =>
        nameAs(one, row, question, { name, new: true }),
      ),
      makeButton("Back", () => {
        question.replaceWith(row);
        find(row, "button")?.focus();
      }),
    ),
  );
  before.replaceWith(question);
  question.focus(); // no button: an Enter too many must not answer
}

/**
 * @param {StrangerReply} one
 * @param {NamedReply} reply
 */
function showNamed(one, reply) {
  const { name, filled_in: sure, uncertain, still_unknown: unknown } = reply;
  const words = [
    `${name}: in ${count(sure, ...nounsFor(one))}`,
    uncertain ? `uncertain in ${uncertain.toLocaleString("en")}` : "",
    unknown ? `still unknown in ${unknown.toLocaleString("en")}` : "",
  ];
  expected -= 1;
  const undo = async () => {
    await postJson("/corrections/undo", { correction: reply.correction });
    expected += 1;
    refreshStatus();
    await renew(one);
  };
  settle(
    one,
    `${words.filter(Boolean).join(", ")}.`,
    undo,
    make("a", { href: `#library/performer=${reply.performer}`, text: `Every video of ${name}` }),
    uncertain ? make("a", { href: "#review", text: "Review the uncertain" }) : "",
  );
  refreshStatus();
}

/**
 * What a stranger is seen in, one and many.
 *
 * @param {StrangerReply} one
 * @returns {[string, string]}
 */
function nounsFor({ videos, albums }) {
  if (!albums) return ["video", "videos"];
  return albums === videos.length ? ["album", "albums"] : ["video or album", "videos and albums"];
}

/**
 * Show again who is a stranger again: after a name was taken back, the id may be another one.
 *
 * @param {StrangerReply} one
 */
async function renew(one) {
  const shown = new URL(one.pictures[0] ?? "/", location.href).searchParams.get("sighting");
  const wanted = shown ? `sighting=${shown}` : `id=${one.id}`;
  Object.assign(one, (await getJson(`/library/stranger?${wanted}`)).stranger);
  replaceCard(one);
}

/** @param {StrangerReply} one */
function replaceCard(one) {
  const before = cards.get(one);
  const after = card(one);
  before?.replaceWith(after);
  find(after, "button")?.focus();
}

/**
 * @param {StrangerReply} one
 * @param {boolean} ignored
 */
async function ignore(one, ignored) {
  await attempt(one, async () => {
    await postJson("/library/strangers/ignore", { stranger: one.id, ignored });
    expected -= 1;
    const undo = async () => {
      await postJson("/library/strangers/ignore", { stranger: one.id, ignored: !ignored });
      expected += 1;
      replaceCard(one);
    };
    settle(one, ignored ? "Ignored: not listed from now on." : "Listed again.", undo);
  });
}

/** @param {StrangerReply} one */
function startJoining(one) {
  endJoining();
  joining = one;
  cards.get(one)?.classList.add("meant");
  byId("strangers-list").classList.add("joining-now");
  byId("joining").replaceChildren(
    make("p", { text: "Now press “It is this one” where the same person is listed again." }),
    makeButton("Cancel", endJoining),
  );
  byId("joining").hidden = false;
}

function endJoining() {
  if (joining) {
    const element = cards.get(joining);
    element?.classList.remove("meant");
    if (element) find(element, ".join-start")?.focus();
  }
  joining = null;
  byId("strangers-list").classList.remove("joining-now");
  byId("joining").hidden = true;
}

/** @param {StrangerReply} other */
async function join(other) {
  const kept = joining;
  if (!kept || kept === other) return;
  await attempt(other, async () => {
    const { joined } = await postJson("/library/strangers/join", {
      kept: kept.id,
      other: other.id,
    });
    expected -= 1;
    endJoining();
    const undo = async () => {
      const { new_id: id } = await postJson("/library/strangers/split", {
        stranger: kept.id,
        sightings: joined,
      });
      expected += 1;
      await Promise.all([show(kept, kept.id), show(other, id)]);
    };
    await show(kept, kept.id);
    settle(other, "Joined: both are one stranger now.", undo);
  });
}

/**
 * Show in a card what the server knows by now of a stranger.
 *
 * @param {StrangerReply} one
 * @param {number} id
 */
async function show(one, id) {
  Object.assign(one, (await getJson(`/library/stranger?id=${id}`)).stranger);
  replaceCard(one);
}

/**
 * Replace what a card offers by what was done, with a button to undo it.
 *
 * @param {StrangerReply} one
 * @param {string} words
 * @param {() => Promise<void>} undo
 * @param {...(Node | string)} links
 */
function settle(one, words, undo, ...links) {
  const element = cards.get(one);
  if (!element) return;
  const said = make("p", { role: "status", text: words });
  const takeBack = () => {
    said.textContent = "Taking it back …";
    return undo().finally(() => (said.textContent = words));
  };
  const line = make(
    "div",
    { class: "actions kept" },
    said,
    ...links,
    makeButton("Undo", () => attempt(one, takeBack), { class: "undo" }),
  );
  element.classList.add("settled");
  find(element, ":scope > .actions")?.replaceWith(line);
  find(line, ".undo")?.focus();
}

/**
 * Do what was asked on a card; what goes wrong is said on it.
 *
 * @param {StrangerReply} one
 * @param {() => Promise<void>} action
 */
async function attempt(one, action) {
  const element = cards.get(one);
  if (!element) return;
  find(element, ":scope > .trouble")?.remove();
  try {
    await action();
  } catch (error) {
    element.append(unchanged(error));
  }
}

startStrangers();
