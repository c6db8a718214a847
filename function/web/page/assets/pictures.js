// Pictures that are requested only when they come near the view.

import { make } from "./dom.js";
import { fillImage } from "./server.js";

const observer = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      observer.unobserve(target);
      const image = /** @type {HTMLImageElement} */ (target);
      fillImage(image, image.dataset.source ?? "");
    }
  },
  { rootMargin: "300px" },
);

/**
 * An <img> of this server, empty until it is near the view; a blank without a URL.
 *
 * @param {string | null} source
 * @param {string} alt
 */
export function latePicture(source, alt) {
  if (!source) return make("span", { class: "blank" });
  const image = make("img", { alt, "data-source": source });
  observer.observe(image);
  return image;
}
