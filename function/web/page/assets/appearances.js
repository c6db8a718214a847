// When somebody is seen in a video, or on which pictures of an album.

import { clock, make, makeButton } from "./dom.js";

const MOST_PICTURES = 12; // of an album that are listed at a person before all are asked for

/**
 * @param {PersonReply} person
 * @param {number} seconds
 * @param {(start: number) => unknown} play
 */
export function timeline(person, seconds, play) {
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

/**
 * Buttons for the pictures somebody is on.
 *
 * @param {number[]} pictures
 * @param {(number: number) => unknown} show
 */
export function onPictures(pictures, show) {
  const button = (/** @type {number} */ number) =>
    makeButton(`picture ${number}`, () => show(number), { class: "span" });
  const row = make("p", { class: "on-pictures" }, ...pictures.slice(0, MOST_PICTURES).map(button));
  const rest = pictures.slice(MOST_PICTURES);
  const more = makeButton(
    `and ${rest.length.toLocaleString("en")} more`,
    () => {
      const others = rest.map(button);
      more.replaceWith(...others);
      others[0]?.focus();
    },
    { class: "span" },
  );
  if (rest.length) row.append(more);
  return row;
}

/** @type {Record<string, number>} */
const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

/**
 * Arrow keys move along a timeline; Tab passes it in one step.
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
