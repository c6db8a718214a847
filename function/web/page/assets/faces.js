// Pictures of faces, with a silhouette where there is none.

import { make } from "./dom.js";
import { fillImage } from "./server.js";

export const blank = () =>
  make("span", { class: "blank", role: "img", "aria-label": "No picture is stored" });

/**
 * A face with a caption. Only `data:` URIs and this server's pictures are shown: the page makes no
 * requests to other hosts.
 *
 * @param {string} source
 * @param {string} words
 * @param {string} caption
 */
export function face(source, words, caption) {
  const image = make("img", { alt: words });
  const isOurs = /^\/(gallery|library)\//.test(source);
  const isShown = isOurs || source.startsWith("data:");
  const figure = make(
    "figure",
    {},
    isShown ? image : blank(),
    make("figcaption", { text: caption }),
  );
  if (!isOurs) {
    if (isShown) image.src = source;
    return figure;
  }
  fillImage(image, source).then(() => {
    if (!image.hasAttribute("src")) image.replaceWith(blank());
  });
  return figure;
}

/**
 * The enrolled faces of performers, side by side.
 *
 * @param {Named[]} performers
 */
export function facesOf(performers) {
  const shown = performers.map(({ id, name }) =>
    face(`/gallery/thumbnail?id=${id}`, `Enrolled face of ${name}`, name),
  );
  return make("div", { class: "faces" }, ...shown);
}
