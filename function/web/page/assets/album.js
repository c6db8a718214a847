// An album: its pictures in order, each known or kept face framed.

import { byId, choiceButton, count, find, make } from "./dom.js";
import { fillImage } from "./server.js";
import { makeStretches } from "./stretches.js";

const PICTURES = 30; // of one stretch: whole rows of 1, 2, 3, 5 and 6

// The server makes one small copy at a time, of the newest in view first.
/** @type {HTMLImageElement[]} */
let waiting = [];
let isFilling = false;

const observer = new IntersectionObserver(
  (entries) => {
    const seen = (/** @type {boolean} */ isSeen) =>
      entries
        .filter(({ isIntersecting }) => isIntersecting === isSeen)
        .map(({ target }) => /** @type {HTMLImageElement} */ (target));
    const gone = new Set(seen(false));
    waiting = [...seen(true), ...waiting.filter((image) => !gone.has(image))];
    fillNext();
  },
  { rootMargin: "300px" },
);

const stretches = makeStretches(item);
/** @type {HTMLElement[]} */
let lists = [];

async function fillNext() {
  if (isFilling) return;
  isFilling = true;
  for (let image = waiting.shift(); image; image = waiting.shift()) {
    observer.unobserve(image);
    if (image.isConnected) await fill(image);
  }
  isFilling = false;
}

/** @param {HTMLImageElement} image */
async function fill(image) {
  await fillImage(image, image.dataset.source ?? "");
  image.alt = image.dataset.words ?? ""; // earlier, it would be shown as broken
}

/**
 * The pictures of an album, and who is on each.
 *
 * @param {NumberedVideo} album
 * @param {PicturedPerson[]} people
 * @param {PictureListed[]} pictures
 */
export function pictureList(album, people, pictures) {
  /** @type {Map<number, string>} */
  const names = new Map(people.map(({ person, performer }) => [person, performer ?? "Unknown"]));
  const all = pictures.slice(0, album.picture_count).map((picture) => ({
    album,
    picture,
    who: picture.faces.map(({ person }) => names.get(person) ?? "Unknown"),
  }));
  const others = pictures.slice(album.picture_count);
  const peopled = all.filter(({ who }) => who.length);
  const place = make("div", { class: "pictures" });
  show(place, all);
  const isMixed = peopled.length > 0 && peopled.length < all.length;
  return make(
    "section",
    { "aria-labelledby": "pictures-title" },
    make("h2", { id: "pictures-title", text: count(all.length, "picture") }),
    isMixed ? choice(place, all, peopled) : null,
    place,
    others.length ? leftOut(others) : null,
  );
}

/**
 * @param {HTMLElement} place
 * @param {PictureShown[]} pictures
 */
function show(place, pictures) {
  stretches.clear();
  lists = [];
  for (let first = 0; first < pictures.length; first += PICTURES) {
    const part = pictures.slice(first, first + PICTURES);
    const start = part[0]?.picture.number ?? 1;
    const list = make("ol", { class: "album", "data-first": start, start });
    list.style.setProperty("--pictures", String(part.length));
    stretches.add(list, part);
    if (!lists.length)
      stretches.fill(list); // at once, not a frame later
    else list.classList.add("unfilled");
    lists.push(list);
  }
  place.replaceChildren(...lists);
}

/**
 * Choose between all pictures and those with somebody on them.
 *
 * @param {HTMLElement} place
 * @param {PictureShown[]} all
 * @param {PictureShown[]} peopled
 */
function choice(place, all, peopled) {
  const row = make("div", { class: "states", role: "group", "aria-label": "Which pictures" });
  const kinds = /** @type {const} */ ([
    ["All", all],
    ["With somebody on them", peopled],
  ]);
  const buttons = kinds.map(([words, some]) =>
    choiceButton(words, some.length, some === all, (event) => {
      for (const one of buttons)
        one.setAttribute("aria-pressed", String(one === event.currentTarget));
      show(place, some);
    }),
  );
  row.append(...buttons);
  return row;
}

/**
 * Scroll to a picture of the album, by its number from 1.
 *
 * @param {number} number
 */
export function showPicture(number) {
  const list = lists.findLast((one) => Number(one.dataset.first) <= number);
  if (list) stretches.fill(list);
  const picture = find(byId("video"), `[data-picture="${Number(number)}"]`);
  if (!picture) return;
  picture.tabIndex = -1;
  picture.focus({ preventScroll: true });
  picture.scrollIntoView({ block: "center" });
}

/** @param {PictureShown} shown */
function item({ album: { oshash, state }, picture: { number, name, reason, faces }, who }) {
  const words = reason || who.join(", ") || "nobody";
  const isShown = !reason && state !== "gone";
  return make(
    "li",
    { "data-picture": number, class: reason ? "broken" : null },
    make(
      "div",
      { class: "plate" },
      isShown ? framed(oshash, number, faces, who) : make("span", { class: "unseen" }),
    ),
    make("p", { title: words }, make("strong", { text: `${number}. ` }), words),
    make("p", { class: "detail", text: name, title: name }),
  );
}

/**
 * @param {string} oshash
 * @param {number} number
 * @param {FaceListed[]} faces
 * @param {string[]} who
 */
function framed(oshash, number, faces, who) {
  const source = `/library/picture?oshash=${encodeURIComponent(oshash)}&number=${number}`;
  const image = make("img", {
    alt: "",
    "data-words": `Picture ${number}`,
    "data-source": source,
  });
  observer.observe(image);
  const frames = faces.map(({ area }, place) => frame(area, who[place] ?? ""));
  return make("div", { class: "framed" }, image, ...frames);
}

/**
 * @param {number[]} area
 * @param {string} name
 */
function frame([left = 0, top = 0, right = 1, bottom = 1], name) {
  const element = make("span", { class: "frame", title: name, "aria-hidden": "true" });
  element.style.left = `${100 * left}%`;
  element.style.top = `${100 * top}%`;
  element.style.width = `${100 * (right - left)}%`;
  element.style.height = `${100 * (bottom - top)}%`;
  return element;
}

/** @param {PictureListed[]} others */
function leftOut(others) {
  return make(
    "details",
    {},
    make("summary", { text: `${count(others.length, "file")} left out` }),
    make("ul", {}, ...others.map(({ name, reason }) => make("li", { text: `${name}: ${reason}` }))),
  );
}
