// Review: those who are uncertain, one at a time.

import {
  byId,
  count,
  fillLater,
  find,
  make,
  makeButton,
  nameOf,
  notice,
  probability,
  small,
  timesOf,
} from "./dom.js";
import { face } from "./faces.js";
import { fillSaid } from "./said.js";
import { getJson, postJson, storing } from "./server.js";
import { nobodyFound, trouble, unchanged } from "./troubles.js";

const AHEAD = 5; // so many before the end of what is known, the next are asked for
const AGAIN_MS = 1500; // until it is asked again, if names are not yet those of today

/** @type {Record<string, Answer | "undo">} */
const KEYS = { y: "confirmed", n: "rejected", s: "skipped", i: "ignored", u: "undo" };

const WORDS = /** @type {const} */ ({
  confirmed: "Yes",
  rejected: "No",
  skipped: "Skip",
  ignored: "Of no interest",
  undo: "Undo",
});

/** @type {ReviewedReply[]} */
let people = [];
let place = 0; // of the one who is shown
let total = 0;
/** @type {string | null} */
let next = null;
let asked = 0;
let isAsking = false;
let isBroken = false; // why is said in place of whoever would be next
/** @type {HTMLElement | null} */
let nobody = null; // what is said instead, if nobody is uncertain

/** @type {{ person: ReviewedReply, answer: Answer, decision: Promise<number> }[]} */
let given = [];
/** @type {Promise<unknown>} */
let sending = Promise.resolve(); // answers are stored in the order in which they were given

/** @type {WeakMap<ReviewedReply, HTMLElement>} */
const drawn = new WeakMap();

byId("review-answers").append(
  ...Object.entries(KEYS).map(([key, answer]) =>
    make(
      "button",
      {
        type: "button",
        class: answer === "confirmed" ? "primary" : answer,
        "aria-keyshortcuts": key,
        onclick: () => act(answer),
      },
      `${WORDS[answer]} `,
      make("kbd", { "aria-hidden": "true", text: key }),
    ),
  ),
);
addEventListener("keydown", pressed);

/** @param {KeyboardEvent} event */
function pressed(event) {
  const answer = KEYS[event.key.toLowerCase()];
  if (!answer || byId("review").hidden || byId("dialog").open) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target instanceof HTMLInputElement) return;
  event.preventDefault();
  act(answer);
}

/** Show who is uncertain, from the person shown last. */
export async function showReview() {
  if (place >= people.length) await restart();
  else render();
  showSaid();
}

/** Bring the list of what was said up to date; if it is folded, once it is opened. */
const showSaidLater = fillLater(() => {
  const list = find(byId("review-said"), "details");
  if (!list || list.hasAttribute("open")) showSaid();
  else list.addEventListener("toggle", showSaid, { once: true });
});

/** What was said before: here, elsewhere on the page, or in a shell. */
function showSaid() {
  fillSaid(byId("review-said"), "What you said before", "limit=20", async (number) => {
    const made = await Promise.all(given.map(({ decision }) => decision.catch(() => 0)));
    given = given.filter((_, index) => made[index] !== number);
    if (people[place]) render();
    else await restart();
  });
}

async function restart() {
  people = [];
  given = [];
  place = 0;
  next = null;
  isBroken = false;
  await load(true);
}

async function load(isFirst = false) {
  if (isAsking) return;
  asked += 1;
  const own = asked;
  isAsking = true;
  try {
    const page = await getJson(`/library/review?${isFirst || !next ? "" : `after=${next}`}`);
    if (own !== asked) return;
    if (isFirst) total = page.total;
    const again = () => byId("review").hidden || own !== asked || restart();
    if (!page.total)
      nobody = await nobodyFound("Whoever is uncertain is asked about here.", again, certain());
    people.push(...page.people);
    next = page.next;
    if (page.stale && !people.length) setTimeout(again, AGAIN_MS);
  } catch (error) {
    if (own !== asked) return;
    next = null;
    isBroken = true;
    byId("review-text").textContent = "";
    byId("review-person").replaceChildren(
      trouble("Those who are uncertain cannot be shown", error, restart),
    );
  } finally {
    isAsking = false;
  }
  if (!isBroken) render();
}

/** @param {Answer | "undo"} answer */
function act(answer) {
  byId("review-trouble").replaceChildren();
  showSaidLater();
  if (answer === "undo") {
    undo();
    return;
  }
  const person = people[place];
  if (!person) return;
  const decision = answer === "skipped" ? Promise.resolve(0) : decide(person, answer);
  given.push({ person, answer, decision });
  place += 1;
  render();
  if (next !== null && people.length - place < AHEAD) load();
}

/**
 * @param {ReviewedReply} person
 * @param {"confirmed" | "rejected" | "ignored"} kind
 */
function decide(person, kind) {
  const { oshash, person: number, scanned_at, performer } = person;
  const about = kind === "ignored" ? {} : { performer };
  const decision = storing(
    sending.then(async () => {
      const fields = { oshash, person: number, kind, scanned_at, ...about };
      return (await postJson("/library/decide", fields)).decision;
    }),
  );
  sending = decision.catch((error) => {
    given = given.filter((one) => one.person !== person);
    complain(`Nothing was stored for ${nameOf(person.path)}`, error);
    render();
  });
  return decision;
}

function undo() {
  const last = given.pop();
  if (!last) return;
  place = people.indexOf(last.person);
  render(); // at once: the next key is about whoever is shown then
  sending = storing(
    sending.then(async () => {
      const decision = await last.decision;
      if (decision) await postJson("/library/undecide", { decision });
    }),
  ).catch((error) => complain("That could not be taken back", error));
}

/**
 * @param {string} title
 * @param {unknown} error
 */
function complain(title, error) {
  byId("review-trouble").replaceChildren(unchanged(error, title));
}

function render() {
  const person = people[place];
  const bar = byId("review-bar");
  bar.hidden = !people.length;
  bar.max = Math.max(1, total);
  bar.value = place;
  for (const button of byId("review-answers").querySelectorAll("button"))
    button.disabled = button.classList.contains("undo") ? !given.length : !person;
  byId("review-answers").hidden = !people.length;
  if (person) {
    const most = Math.max(total, people.length);
    byId("review-text").textContent =
      `${(place + 1).toLocaleString("en")} of ${most.toLocaleString("en")}`;
    byId("review-person").replaceChildren(draw(person));
    const following = people[place + 1];
    if (following) draw(following); // its pictures are loaded by the time it is shown
  } else if (isAsking) {
    byId("review-text").textContent = "Asking who is next …";
    byId("review-person").replaceChildren();
  } else {
    byId("review-text").textContent = people.length ? summary() : "";
    byId("review-person").replaceChildren(finished());
  }
}

function summary() {
  /** @param {Answer} answer */
  const number = (answer) => given.filter((one) => one.answer === answer).length;
  const kinds = /** @type {const} */ (["confirmed", "rejected", "ignored", "skipped"]);
  const words = { confirmed: "yes", rejected: "no", ignored: "of no interest", skipped: "skipped" };
  return kinds
    .filter(number)
    .map((kind) => `${number(kind).toLocaleString("en")} ${words[kind]}`)
    .join(", ");
}

function certain() {
  return notice(
    "Nobody is uncertain",
    "Everyone seen so far is surely somebody you enrolled, or surely not.",
    make("a", { href: "#strangers", text: "Name strangers" }),
    make("a", { href: "#library", text: "Library" }),
  );
}

function finished() {
  if (!people.length && nobody) return nobody;
  const again = makeButton("Look again", restart);
  return notice(
    "That was everyone",
    "Those you skipped come again, as do those who may be somebody else.",
    again,
  );
}

/** @param {ReviewedReply} person */
function draw(person) {
  const known = drawn.get(person);
  if (known) return known;
  const spans = timesOf(person);
  const where = person.kind === "album" ? "In the album" : "In the video";
  const id = `reviewed-${person.sighting.replace(".", "-")}`;
  const element = make(
    "article",
    { class: "card reviewed uncertain", "aria-labelledby": id },
    make("h2", { id, text: `Is this ${person.name}?` }),
    make(
      "div",
      { class: "pair" },
      face(person.picture, where.replace("In", "Face in"), where),
      face(person.poster, `Enrolled face of ${person.name}`, "Enrolled"),
    ),
    probability(person),
    make(
      "p",
      {},
      make("a", {
        href: `#video/${person.oshash}//${person.person}`,
        text: nameOf(person.path),
        title: person.path,
      }),
      " ",
      small(
        `${spans.slice(0, 4).join(", ")}${spans.length > 4 ? ` and ${count(spans.length - 4, person.kind === "album" ? "more picture" : "more time")}` : ""}`,
      ),
    ),
  );
  drawn.set(person, element);
  return element;
}
