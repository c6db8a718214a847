// One person in a video: who it may be, when they are seen, and the user's corrections.

import { performerChooser } from "/page/chooser.js";
import { clock, count, find, link, make, meter, notice } from "/page/dom.js";
import { fillImage, postJson, wordsOf } from "/page/server.js";
import { refreshStatus } from "/page/status.js";

/**
 * The last child: of a card, the buttons, the type-ahead or what was saved.
 *
 * @param {HTMLElement} parent
 */
const lastOf = (parent) => /** @type {HTMLElement} */ (parent.lastElementChild);

let cards = 0;

/**
 * Arrange cards: who is seen most comes first, and strangers seen less than a tenth as often are
 * folded away as bystanders.
 *
 * @template {{ verdict: PersonReply["verdict"], faces: number }} Person
 * @param {Person[]} people
 * @param {(person: Person, number: number) => HTMLElement} card
 * @returns {HTMLElement[]}
 */
export function arrangePeople(people, card) {
  const most = Math.max(...people.map((one) => one.faces));
  const all = people
    .map((person, number) => ({ person, element: card(person, number) }))
    .sort((one, other) => other.person.faces - one.person.faces);
  /** @param {{ person: Person }} one */
  const isBystander = ({ person }) => person.verdict === "unknown" && person.faces * 10 < most;
  const leads = all.filter((one) => !isBystander(one)).map((one) => one.element);
  const others = all.filter(isBystander).map((one) => one.element);
  if (!others.length) return leads;
  const words = `${count(others.length, "bystander")}, seen only briefly`;
  const folded = make(
    "details",
    { class: "bystanders" },
    make("summary", { text: words }),
    ...others,
  );
  return [...leads, folded];
}

/**
 * Build a card. The video lasts `seconds`, and `play` plays it; `place` holds the result's id and the
 * person's number in it. Without a place, nothing can be corrected.
 *
 * @param {PersonReply} person
 * @param {number} seconds
 * @param {Player["play"]} play
 * @param {PersonOfResult | null} place
 */
export function personCard(person, seconds, play, place) {
  const best = person.matches[0];
  cards += 1;
  const id = `person-${cards}`;
  const card = make("article", { class: `person card ${person.verdict}`, "aria-labelledby": id });
  const image = `data:image/jpeg;base64,${person.image}`;
  card.append(
    faces(image, best),
    make(
      "div",
      { class: "who" },
      ...heading(person, id),
      ...(best ? matchLines(best) : [unknownLine(place !== null)]),
      seen(person),
      place && otherCandidates(person, card, place),
    ),
    timeline(person, seconds, (start) => play(start, image)),
  );
  if (place) card.append(actions(person, card, place));
  else if (best) card.append(links(best));
  return card;
}

/**
 * @param {string} image
 * @param {MatchReply} [best]
 */
function faces(image, best) {
  const row = make("div", { class: "faces" }, picture(image, "Face in the video", "In the video"));
  // Pictures stored elsewhere are not loaded: the page makes no requests to other hosts.
  if (best) row.append(enrolled(best));
  return row;
}

/** @param {MatchReply} best */
function enrolled({ name, poster }) {
  const words = `Enrolled face of ${name}`;
  if (!poster.startsWith("/gallery/thumbnail?"))
    return picture(poster.startsWith("data:") ? poster : "", words, "Enrolled");
  const image = make("img", { alt: words });
  const figure = make("figure", {}, image, make("figcaption", { text: "Enrolled" }));
  fillImage(image, poster).then(() => {
    if (!image.hasAttribute("src")) image.replaceWith(blank());
  });
  return figure;
}

const blank = () =>
  make("span", { class: "blank", role: "img", "aria-label": "No picture is stored" });

/**
 * @param {string} source
 * @param {string} words
 * @param {string} caption
 */
function picture(source, words, caption) {
  const image = source ? make("img", { src: source, alt: words }) : blank();
  return make("figure", {}, image, make("figcaption", { text: caption }));
}

/**
 * @param {PersonReply} person
 * @param {string} id
 */
function heading(person, id) {
  const name = person.matches[0]?.name ?? "Unknown";
  const words = {
    match: "match",
    uncertain: "uncertain: check it yourself",
    unknown: "nobody enrolled",
  };
  return [
    make("h3", { id }, name, " ", make("span", { class: "verdict", text: words[person.verdict] })),
  ];
}

const HINT_WORDS = {
  path: "named in the path",
  tag: "tagged in Stash",
  folder: "often in this folder",
};

/** @param {MatchReply} best */
function matchLines(best) {
  return [
    make(
      "p",
      { class: "line" },
      make("span", { class: "label", text: "Probability" }),
      meter(`Probability that this is ${best.name}`, best.score, 100, `${best.score.toFixed(1)} %`),
    ),
    best.hints.length
      ? make(
          "p",
          { class: "line" },
          make("span", { class: "label", text: "Raised by" }),
          make("span", { text: best.hints.map((kind) => HINT_WORDS[kind]).join(", ") }),
        )
      : null,
    best.urls.length
      ? make(
          "p",
          { class: "line links" },
          make("span", { class: "label", text: "Links" }),
          ...best.urls.map(link),
        )
      : null,
  ];
}

/** @param {boolean} canBeNamed */
function unknownLine(canBeNamed) {
  const what = canBeNamed ? " Name them to recognise them next time." : "";
  return make("p", { text: `Nobody in the gallery looks like this.${what}` });
}

/** @param {MatchReply} best */
function links({ id, name }) {
  return make(
    "div",
    { class: "actions" },
    make("a", { href: `#library/performer=${id}`, text: `Every video of ${name}` }),
    make("a", { href: `#performer/${id}`, text: `${name} in the gallery` }),
  );
}

/** @param {PersonReply} person */
function seen(person) {
  const spans = person.appearances.length;
  const words = `${spans === 1 ? "once" : `${spans} times`}, ${count(person.faces, "face")}, best at ${clock(person.best_seconds)}`;
  return make(
    "p",
    { class: "line" },
    make("span", { class: "label", text: "Seen" }),
    make("span", { text: words }),
  );
}

/**
 * @param {PersonReply} person
 * @param {HTMLElement} card
 * @param {PersonOfResult} place
 */
function otherCandidates(person, card, place) {
  const [best, ...others] = person.matches;
  if (!best || !others.length) return null;
  const rows = others.map((match) =>
    make(
      "li",
      {},
      match.poster.startsWith("data:")
        ? make("img", { src: match.poster, alt: "" })
        : make("span", { class: "blank" }),
      make("span", { class: "name", text: match.name }),
      meter(
        `Probability that this is ${match.name}`,
        match.score,
        100,
        `${match.score.toFixed(1)} %`,
      ),
      make("button", {
        type: "button",
        text: "It is this one",
        "aria-label": `It is ${match.name}`,
        onclick: () =>
          correct(card, place, "/corrections/assign", {
            ...place,
            performer: Number(match.id),
            instead_of: Number(best.id),
          }),
      }),
    ),
  );
  return make(
    "details",
    { class: "others" },
    make("summary", { text: count(others.length, "other candidate") }),
    make("ul", {}, ...rows),
  );
}

/**
 * @param {PersonReply} person
 * @param {number} seconds
 * @param {(start: number) => unknown} play
 */
function timeline(person, seconds, play) {
  const most = Math.max(seconds, ...person.appearances.map(([, end]) => end), 0.001);
  const track = make("div", {
    class: "track",
    role: "group",
    "aria-label": "Appearances; choose one to play it",
  });
  person.appearances.forEach(([start, end], index) => {
    const words = `Play from ${clock(start)} to ${clock(end)}`;
    const mark = make("button", {
      type: "button",
      title: words,
      "aria-label": words,
      tabindex: index ? -1 : 0,
      onclick: () => play(start),
    });
    mark.style.left = `${(100 * start) / most}%`;
    mark.style.width = `${(100 * (end - start)) / most}%`;
    track.append(mark);
  });
  track.addEventListener("keydown", moveAlong);
  const ends = make(
    "div",
    { class: "ends", "aria-hidden": "true" },
    make("span", { text: "0:00" }),
    make("span", { text: clock(most) }),
  );
  return make("div", { class: "timeline" }, track, ends);
}

/** @type {Record<string, number>} */
const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

/**
 * The arrow keys move along a timeline, so that Tab passes it in one step.
 *
 * @this {HTMLElement}
 * @param {KeyboardEvent} event
 */
function moveAlong(event) {
  const step = STEPS[event.key];
  if (!step) return;
  const marks = [...this.querySelectorAll("button")];
  const current = /** @type {HTMLButtonElement} */ (document.activeElement);
  const next = marks[marks.indexOf(current) + step];
  if (!next) return;
  event.preventDefault();
  for (const mark of marks) mark.tabIndex = mark === next ? 0 : -1;
  next.focus();
}

/**
 * @param {PersonReply} person
 * @param {HTMLElement} card
 * @param {PersonOfResult} place
 */
function actions(person, card, place) {
  const row = make("div", { class: "actions" });
  const best = person.matches[0];
  const choose = make("button", {
    type: "button",
    class: best ? null : "primary",
    text: best ? "Someone else …" : "Name this person …",
    onclick: () => openChooser(card, place, row, best ? Number(best.id) : 0),
  });
  if (best) {
    row.append(
      make("button", {
        type: "button",
        class: "primary",
        text: "Yes, right",
        "aria-label": `Yes, this is ${best.name}`,
        onclick: () =>
          correct(card, place, "/corrections/assign", {
            ...place,
            performer: Number(best.id),
            instead_of: 0,
          }),
      }),
      make("button", {
        type: "button",
        text: "Not this person",
        "aria-label": `Not ${best.name}`,
        onclick: () =>
          correct(card, place, "/corrections/reject", { ...place, performer: Number(best.id) }),
      }),
    );
  }
  row.append(choose);
  return row;
}

/**
 * Replace `row` by a type-ahead; the chosen one is saved, and `instead` (an id or 0) rejected.
 *
 * @param {HTMLElement} card
 * @param {PersonOfResult} place
 * @param {HTMLElement} row
 * @param {number} instead
 */
function openChooser(card, place, row, instead) {
  const chooser = performerChooser("Who is this?", {
    leaveOut: instead,
    onchoose: (performer) =>
      correct(card, place, "/corrections/assign", {
        ...place,
        performer: performer.id,
        instead_of: instead,
      }),
    onname: (name) =>
      correct(card, place, "/corrections/name", { ...place, name, instead_of: instead }),
    oncancel: () => {
      chooser.replaceWith(row);
      lastOf(row).focus();
    },
  });
  row.replaceWith(chooser);
  chooser.querySelector("input")?.focus();
}

/**
 * Send a correction; the card then says what was saved, with a button to undo it.
 *
 * @template {"/corrections/assign" | "/corrections/name" | "/corrections/reject"} Asked
 * @param {HTMLElement} card
 * @param {PersonOfResult} place
 * @param {Asked} path
 * @param {Fields[Asked]} fields
 */
async function correct(card, place, path, fields) {
  const controls = lastOf(card);
  card.querySelector(".trouble")?.remove();
  try {
    const reply = await postJson(path, fields);
    const line = kept(card, place, controls, reply, path === "/corrections/reject");
    controls.replaceWith(line);
    find(line, ".undo")?.focus();
    refreshStatus();
  } catch (error) {
    complain(card, error);
  }
}

/**
 * @param {HTMLElement} card
 * @param {PersonOfResult} place
 * @param {HTMLElement} controls
 * @param {CorrectionReply} reply
 * @param {boolean} isRejection
 */
function kept(card, place, controls, { correction, said }, isRejection) {
  const undo = async () => {
    card.querySelector(".trouble")?.remove();
    try {
      await postJson("/corrections/undo", { correction });
      line.replaceWith(controls);
      find(controls, "button, input")?.focus();
      refreshStatus();
    } catch (error) {
      complain(card, error);
    }
  };
  const line = make(
    "div",
    { class: "actions kept" },
    make("p", { role: "status", text: said }),
    make("button", { type: "button", class: "undo", text: "Undo", onclick: undo }),
  );
  if (isRejection) {
    line.append(
      make("button", {
        type: "button",
        text: "Who is it then …",
        onclick: () => openChooser(card, place, line, 0),
      }),
    );
  }
  return line;
}

/**
 * @param {HTMLElement} card
 * @param {unknown} error
 */
function complain(card, error) {
  const trouble = notice("Nothing was changed", wordsOf(error));
  trouble.classList.add("trouble");
  trouble.setAttribute("role", "alert");
  lastOf(card).before(trouble);
}
