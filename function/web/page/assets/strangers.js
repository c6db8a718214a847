// Strangers: people who are not enrolled, each once for all videos.

import { byId, count, find, make, notice } from "./dom.js";
import { endJoining } from "./joining.js";
import { getJson, postJson, wordsOf } from "./server.js";
import { StrangerCard } from "./stranger.js";
import { makeStretches, nearEnd } from "./stretches.js";
import { mainButton, nobodyFound, trouble } from "./troubles.js";

const AGAIN_MS = 2000; // until it is asked again for those who are not grouped yet

// A card keeps what was done on it while it is out of view.
const stretches = makeStretches((/** @type {StrangerCard} */ { element }) => element);
const list = byId("strangers-list");
const more = byId("strangers-more");

/** @type {string | null} */
let next = null;
let which = ""; // what is shown: all of them, "ignored", or the id of one
let expected = -1; // how many there should be after what was done here
let asked = 0;
let isLoading = false;

const end = nearEnd(() => showMore());

more.addEventListener("click", () => showMore(true));

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
  list.replaceChildren();
  byId("strangers-found").textContent = "";
  more.hidden = true;
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
    if (own === asked) list.append(notice("This stranger cannot be shown", wordsOf(error)));
  }
}

async function showMore(focus = false) {
  if (isLoading || next === null) return;
  await load();
  const last = list.lastElementChild;
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
    else if (isFirst) list.append(await nobody(page));
    more.hidden = next === null;
    end.disconnect();
    if (next !== null) end.observe(more);
  } catch (error) {
    if (own !== asked) return;
    list.append(trouble("The strangers cannot be shown", error, reload));
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
  const cards = strangers.map((one) => new StrangerCard(one, (by) => (expected += by)));
  const part = make("div", { class: "strangers" }, ...cards.map(({ element }) => element));
  list.append(stretches.add(part, cards));
}
