// Names a stranger: somebody new, or somebody enrolled.

import { openChooser } from "./chooser.js";
import { count, find, make, makeButton } from "./dom.js";
import { face } from "./faces.js";
import { codeOf, performersOf, postForLines, postJson, storing } from "./server.js";
import { refreshStatus } from "./status.js";
import { unchanged } from "./troubles.js";

/**
 * @param {StrangerCard} card
 * @param {HTMLElement} row What the card offers.
 */
export function askName(card, row) {
  /** @type {HTMLElement} */
  const chooser = openChooser("Who is this?", row, {
    nameFirst: true,
    onname: (name) => nameAs(card, row, chooser, { name }),
    onchoose: ({ id, name }) => askSame(card, row, chooser, name, [id]),
  });
}

/**
 * @param {StrangerCard} card
 * @param {HTMLElement} row
 * @param {HTMLElement} asking What stands in place of the row now.
 * @param {{ name: string, same?: number, new?: boolean }} fields
 */
async function nameAs(card, row, asking, fields) {
  const text = `Enrolling ${fields.name} …`;
  const news = make("p", { class: "actions", role: "status", tabindex: -1, text });
  asking.replaceWith(news);
  news.focus();
  await card.attempt(async () => {
    try {
      await storing(fillIn(card, row, news, fields));
    } catch (error) {
      const isEnrolled = news.textContent !== text;
      news.replaceWith(isEnrolled ? row : asking);
      if (isEnrolled)
        card.element.append(unchanged(error, "Enrolled; the rest is filled in later"));
      else if (codeOf(error) !== "name_taken") throw error;
      else askSame(card, row, asking, fields.name, performersOf(error));
    }
  });
}

/**
 * Name a stranger, and say how far it is: thousands of videos take a while.
 *
 * @param {StrangerCard} card
 * @param {HTMLElement} row
 * @param {HTMLElement} news
 * @param {{ name: string }} fields
 */
async function fillIn(card, row, news, fields) {
  const { one } = card;
  const asked = { stranger: one.id, ...fields };
  for await (const { filling, named } of postForLines("/library/strangers/name", asked)) {
    if (filling) {
      const { done, of } = filling;
      news.textContent = `Enrolled. Looking for ${fields.name}: ${done.toLocaleString("en")} of ${count(of, ...nounsFor(one))} …`;
    } else {
      news.replaceWith(row);
      showNamed(card, named);
    }
  }
}

/**
 * Ask whether a stranger is one of those who have the name, with their enrolled faces.
 *
 * @param {StrangerCard} card
 * @param {HTMLElement} row
 * @param {HTMLElement} before
 * @param {string} name
 * @param {number[]} performers
 */
function askSame(card, row, before, name, performers) {
  const [best] = card.one.pictures;
  /** @type {HTMLElement} */
  const question = make(
    "div",
    { class: "question", role: "group", "aria-label": `Is it the same ${name}?`, tabindex: -1 },
    make("p", { role: "status", text: `${name} is enrolled. Is it the same person?` }),
    best ? face(best, "Best face of this stranger", "Stranger") : null,
    ...performers.map((performer) => {
      const thumbnail = `/gallery/thumbnail?id=${performer}`;
      const enrolled = face(thumbnail, `Enrolled face of ${name}`, "Enrolled");
      const yes = () => nameAs(card, row, question, { name, same: performer });
      enrolled.append(makeButton("Yes, the same", yes, { class: "primary" }));
      return enrolled;
    }),
    make(
      "div",
      { class: "actions" },
      makeButton("No, somebody else of this name", () =>
        nameAs(card, row, question, { name, new: true }),
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
 * @param {StrangerCard} card
 * @param {NamedReply} reply
 */
function showNamed(card, reply) {
  const { name, filled_in: sure, uncertain, still_unknown: unknown } = reply;
  const words = [
    `${name}: in ${count(sure, ...nounsFor(card.one))}`,
    uncertain ? `uncertain in ${uncertain.toLocaleString("en")}` : "",
    unknown ? `still unknown in ${unknown.toLocaleString("en")}` : "",
  ];
  const undo = async () => {
    await postJson("/corrections/undo", { correction: reply.correction });
    refreshStatus();
    await showAgain(card);
  };
  card.settle(
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
 * Show a stranger again after a name was taken back: the id may be another one.
 *
 * @param {StrangerCard} card
 */
function showAgain(card) {
  const { pictures, id } = card.one;
  const shown = new URL(pictures[0] ?? "/", location.href).searchParams.get("sighting");
  return card.show(shown ? `sighting=${shown}` : `id=${id}`);
}
