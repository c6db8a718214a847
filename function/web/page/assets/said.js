// What the user said of people in videos, each with Undo.

import { find, firstOf, make, makeButton, nameOf, small, timesOf } from "./dom.js";
import { latePicture } from "./pictures.js";
import { getJson, postJson } from "./server.js";
import { refreshStatus } from "./status.js";
import { unchanged } from "./troubles.js";

const MOST_SPANS = 4; // shown of one decision

/** @type {Record<DecisionListed["kind"], (name: string) => string>} */
const WORDS = {
  confirmed: (name) => `You said that this is ${name}.`,
  rejected: (name) => `You said that this is not ${name}.`,
  ignored: () => "You said that it does not matter who this is.",
  named: (name) => `You named ${name}, and enrolled them from here.`,
  unreadable: () => "What you said here is damaged and no longer counts.",
};

/**
 * A line of what was said; without an `undo` of its own, it is taken back here.
 *
 * @param {DecisionListed} decision
 * @param {() => unknown} [undo]
 * @param {...Node} before What comes first.
 */
export function saidRow(decision, undo, ...before) {
  const { kind, performer, at, damaged } = decision;
  const words = WORDS[damaged[0] ? "unreadable" : kind](performer ?? "somebody no longer enrolled");
  /** @type {HTMLElement} */
  const row = make(
    "li",
    {},
    ...before,
    make(
      "div",
      { class: "grow" },
      make("p", { text: words }),
      make("p", { class: "detail", text: `on ${at.slice(0, 10)}` }),
    ),
    makeButton("Undo", () => (undo ? undo() : takeBack(decision, row)), {
      class: "undo",
      "aria-label": `Undo: ${words}`,
    }),
  );
  return row;
}

/**
 * @param {DecisionListed} decision
 * @param {HTMLElement} row
 */
async function takeBack({ id }, row) {
  try {
    const { views } = await postJson("/library/undecide", { decision: id });
    const said = views ? "Taken back, and no longer enrolled from here." : "Taken back.";
    row.replaceChildren(make("p", { role: "status", tabindex: -1, text: said }));
    find(row, "p")?.focus({ preventScroll: true });
    refreshStatus();
    row.dispatchEvent(new CustomEvent("takenback", { bubbles: true, detail: id }));
  } catch (error) {
    find(row, ".trouble")?.remove();
    row.append(unchanged(error));
  }
}

/**
 * Fill a place with a folded list of what was said, or nothing. `onundone` gets the number of each that
 * is taken back.
 *
 * @param {HTMLElement} place
 * @param {string} title
 * @param {string} query Such as `performer=1`.
 * @param {(decision: number) => unknown} [onundone]
 */
export async function fillSaid(place, title, query, onundone = () => {}) {
  const list = make("ul", { class: "said" });
  const more = make("button", { type: "button", text: "Show more", hidden: true });
  /** @param {DecisionsReply} page */
  const show = (page) => {
    list.append(...page.decisions.map(inVideo));
    more.hidden = page.next === null;
    more.onclick = async () => {
      const shown = list.childElementCount;
      show(await ask(query, page.next));
      list.children[shown]?.querySelector("a")?.focus();
    };
  };
  list.addEventListener("takenback", (event) =>
    onundone(/** @type {CustomEvent<number>} */ (event).detail),
  );
  const isSame = place.dataset.query === query;
  place.dataset.query = query;
  // The rest of the view says what is wrong.
  const first = query ? await ask(query).catch(() => null) : null;
  if (place.dataset.query !== query) return; // something else was asked for meanwhile
  const open = isSame && Boolean(find(place, "details[open]"));
  if (first?.decisions.length) show(first);
  const isFocused = find(place, "summary") === document.activeElement;
  const summary = make("summary", { text: title });
  const folded = make("details", { class: "card adding", open }, summary, list, more);
  place.replaceChildren(...(list.childElementCount ? [folded] : []));
  if (isFocused) summary.focus({ preventScroll: true });
}

/**
 * @param {string} query
 * @param {number | null} before
 * @returns {Promise<DecisionsReply>}
 */
function ask(query, before = null) {
  const rest = before === null ? "" : `&before=${before}`;
  return getJson(/** @type {"/library/decisions"} */ (`/library/decisions?${query}${rest}`));
}

/** @param {DecisionListed} decision */
function inVideo(decision) {
  const { oshash, path, person, picture } = decision;
  const row = saidRow(decision, undefined, latePicture(picture, ""));
  find(row, ".detail")?.before(
    make(
      "p",
      {},
      make("a", {
        href: `#video/${oshash}${person === null ? "" : `//${person}`}`,
        title: path,
        text: nameOf(path),
      }),
      " ",
      small(firstOf(timesOf(decision), MOST_SPANS)),
    ),
  );
  return row;
}
