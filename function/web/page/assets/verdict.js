// What a card says of a person: who it may be, how likely and why, and when they are seen.

import { clock, count, link, make, makeButton, probability } from "./dom.js";
import { bestOf } from "./matches.js";

/**
 * The lines of a card. Without a corrector, nobody can be named.
 *
 * @param {PersonShown} person
 * @param {string} id Of the heading.
 * @param {Corrector | null} corrector
 * @param {(match: MatchReply) => unknown} choose Says that it is another candidate.
 */
export function linesOf(person, id, corrector, choose) {
  const best = bestOf(person);
  const others = person.matches.filter((one) => one !== best);
  return [
    heading(person, id),
    ...(best ? matchLines(person, best) : [unknownLine(person, corrector !== null)]),
    line("Seen", make("span", { text: seen(person) })),
    best && corrector?.refresh ? links(best) : "",
    corrector && others.length && person.decided !== "confirmed"
      ? otherCandidates(others, choose)
      : "",
  ];
}

/**
 * @param {PersonShown} person
 * @param {string} id
 */
function heading(person, id) {
  const name = bestOf(person)?.name ?? "Unknown";
  const words = {
    match: person.decided === "confirmed" ? "confirmed by you" : "match",
    uncertain: "uncertain: check it yourself",
    unknown: person.decided === "ignored" ? "ignored" : "nobody enrolled",
  };
  return make(
    "h3",
    { id },
    name,
    " ",
    make("span", { class: "verdict", text: words[person.verdict] }),
  );
}

const HINT_WORDS = {
  path: "named in the path",
  tag: "tagged in Stash",
};

/**
 * @param {PersonShown} person
 * @param {MatchReply} best
 */
function matchLines(person, best) {
  const rows = [];
  if (person.decided !== "confirmed") rows.push(line("Probability", probability(best)));
  if (best.hints.length) {
    const words = best.hints.map((kind) => HINT_WORDS[kind]).join(", ");
    rows.push(line("Raised by", make("span", { text: words })));
  }
  if (best.urls.length) {
    const row = line("Links", ...best.urls.map(link));
    row.classList.add("links");
    rows.push(row);
  }
  return rows;
}

/**
 * @param {PersonShown} person
 * @param {boolean} canBeNamed
 */
function unknownLine({ decided }, canBeNamed) {
  if (decided === "ignored") return make("p", { text: "It does not matter who this is." });
  if (decided === "rejected") return make("p", { text: "It is not who it seemed to be." });
  const what = canBeNamed ? " Name them to recognise them next time." : "";
  return make("p", { text: `Nobody in the gallery looks like this.${what}` });
}

/** @param {MatchReply} best */
function links({ id, name }) {
  return make(
    "p",
    { class: "line links" },
    make("a", { href: `#library/performer=${id}`, text: `Every video of ${name}` }),
    make("a", { href: `#performer/${id}`, text: `${name} in the gallery` }),
  );
}

/**
 * @param {MatchReply[]} others
 * @param {(match: MatchReply) => unknown} choose
 */
function otherCandidates(others, choose) {
  const rows = others.map((match) =>
    make(
      "li",
      {},
      match.poster.startsWith("data:")
        ? make("img", { src: match.poster, alt: "" })
        : make("span", { class: "blank" }),
      make("span", { class: "name", text: match.name }),
      probability(match),
      makeButton("It is this one", () => choose(match), { "aria-label": `It is ${match.name}` }),
    ),
  );
  return make(
    "details",
    { class: "others" },
    make("summary", { text: count(others.length, "other candidate") }),
    make("ul", {}, ...rows),
  );
}

/** @param {PersonShown} person */
function seen({ pictures = [], appearances: { length: spans }, faces, best_seconds: best }) {
  const many = count(faces, "face");
  if (pictures.length) return `on ${count(pictures.length, "picture")}, ${many}`;
  if (!spans) return many; // in a photo
  return `${spans === 1 ? "once" : `${spans} times`}, ${many}, best at ${clock(best)}`;
}

/**
 * @param {string} label
 * @param {...HTMLElement} what
 */
function line(label, ...what) {
  return make("p", { class: "line" }, make("span", { class: "label", text: label }), ...what);
}
