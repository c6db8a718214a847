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
 * An <img> of a URL on this server; it stays empty until it is near the view.
 *
 * @param {string} source
 * @param {string} alt
 */
export function latePicture(source, alt) {
  const image = make("img", { alt, "data-source": source });
  observer.observe(image);
  return image;
}
