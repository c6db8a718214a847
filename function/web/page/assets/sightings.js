// The videos a stranger is in, folded; one can be taken out.

import { find, firstOf, make, makeButton, nameOf, small, timesOf } from "./dom.js";
import { natural } from "./order.js";
import { latePicture } from "./pictures.js";
import { getJson, postJson, wordsOf } from "./server.js";

/**
 * The names of the videos; opened, when the stranger is seen in each.
 *
 * @param {StrangerCard} card
 */
export function seenIn(card) {
  const named = natural(card.one.videos.map(nameOf), String);
  const list = make("ul", { class: "seen" });
  const details = make("details", {}, make("summary", { text: firstOf(named, 3) }), list);
  details.addEventListener("toggle", () => {
    if (details.open && !list.childElementCount) showSeen(card, list);
  });
  return details;
}

/**
 * @param {StrangerCard} card
 * @param {HTMLElement} list
 */
async function showSeen(card, list) {
  list.replaceChildren(make("li", { class: "detail", text: "Looking them up …" }));
  try {
    const reply = await getJson(`/library/stranger?id=${card.one.id}`);
    const seen = natural(reply.seen, ({ path }) => path);
    list.replaceChildren(...seen.map((place) => sighting(card, place, seen.length > 1)));
  } catch (error) {
    list.replaceChildren(make("li", { class: "error", text: wordsOf(error) }));
  }
}

/**
 * @param {StrangerCard} card
 * @param {SeenReply} place
 * @param {boolean} canLeave
 */
function sighting(card, place, canLeave) {
  const name = nameOf(place.path);
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
      small(firstOf(timesOf(place), 6)),
    ),
    canLeave
      ? makeButton("Take out", () => takeOut(card, place, row), {
          "aria-label": `Not the same person: take ${name} out`,
        })
      : null,
  );
  return row;
}

/**
 * @param {StrangerCard} card
 * @param {SeenReply} place
 * @param {HTMLElement} row
 */
async function takeOut(card, place, row) {
  const stranger = card.one.id;
  await card.attempt(async () => {
    const fields = { stranger, sightings: [place.sighting] };
    const { new_id: other } = await postJson("/library/strangers/split", fields);
    card.tell(1);
    const undo = () =>
      card.attempt(async () => {
        await postJson("/library/strangers/join", { kept: stranger, other });
        card.tell(-1);
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
