// An album: its pictures in order, with a frame around each face that is known or kept.

import { byId, count, find, make } from "./dom.js";
import { fillImage } from "./server.js";

// The server makes one small copy at a time; more at once would only wait there.
/** @type {Promise<unknown>} */
let turn = Promise.resolve();

const observer = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      observer.unobserve(target);
      const image = /** @type {HTMLImageElement} */ (target);
      turn = turn.then(() => (image.isConnected ? fill(image) : undefined));
    }
  },
  { rootMargin: "300px" },
);

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
  const seen = pictures.slice(0, album.picture_count);
  const others = pictures.slice(album.picture_count);
  /** @type {Map<number, string>} */
  const names = new Map(people.map(({ person, performer }) => [person, performer ?? "Unknown"]));
  return make(
    "section",
    { "aria-labelledby": "pictures-title" },
    make("h2", { id: "pictures-title", text: count(seen.length, "picture") }),
    make("ol", { class: "album" }, ...seen.map((picture) => item(album, names, picture))),
    others.length ? leftOut(others) : null,
  );
}

/**
 * Scroll to a picture of the album that is shown, by its number from 1.
 *
 * @param {number} number
 */
export function showPicture(number) {
  const picture = find(byId("video"), `[data-picture="${Number(number)}"]`);
  if (!picture) return;
  picture.tabIndex = -1;
  picture.focus({ preventScroll: true });
  picture.scrollIntoView({ block: "center" });
}

/**
 * @param {NumberedVideo} album
 * @param {Map<number, string>} names
 * @param {PictureListed} picture
 */
function item({ oshash, state }, names, { number, name, reason, faces }) {
  const who = faces.map(({ person }) => names.get(person) ?? "Unknown");
  const words = reason || who.join(", ") || "nobody";
  const isShown = !reason && state !== "gone";
  return make(
    "li",
    { "data-picture": number },
    isShown ? framed(oshash, number, faces, who) : make("span", { class: "unseen" }),
    make("p", {}, make("strong", { text: `${number}. ` }), words),
    make("p", { class: "detail", text: name }),
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
