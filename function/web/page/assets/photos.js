// Photos are dropped or chosen here, and sent to the server one by one.

import { make } from "./dom.js";
import { getJson, wordsOf } from "./server.js";

let made = 0;

/**
 * Build a drop area for photos. `address()` returns the query that says whose they are, or "" if
 * that is not known yet; then the message `missing` is shown.
 *
 * @param {PhotoDropOptions} options
 */
export function photoDrop({ address, missing, ondone }) {
  made += 1;
  const said = make("ul", { class: "findings", role: "status" });
  const input = make("input", {
    id: `photos-${made}`,
    type: "file",
    accept: "image/*,.avif,.heic,.heif,.hif,.jxl", // systems that do not know these would hide them
    multiple: true,
  });
  const place = make(
    "div",
    { class: "drop" },
    make("label", {
      for: input.id,
      text: "Photos, each with one face; drop them here or choose them",
    }),
    input,
  );
  /** @param {FileList | null | undefined} files */
  const take = async (files) => {
    const whose = address();
    if (!whose) {
      said.replaceChildren(make("li", { class: "error", text: missing }));
      return;
    }
    await sendAll([...(files ?? [])], whose, said);
    input.value = "";
    ondone();
  };
  input.addEventListener("change", () => take(input.files));
  for (const kind of /** @type {const} */ (["dragenter", "dragover"])) {
    place.addEventListener(kind, (event) => {
      event.preventDefault();
      place.classList.add("over");
    });
  }
  place.addEventListener("dragleave", () => place.classList.remove("over"));
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    place.classList.remove("over");
    take(event.dataTransfer?.files);
  });
  return make("div", {}, place, said);
}

/**
 * @param {File[]} files
 * @param {string} whose
 * @param {HTMLElement} said
 */
async function sendAll(files, whose, said) {
  said.replaceChildren();
  for (const file of files) {
    const line = make("li", { text: `${file.name}: looking for the face …` });
    said.append(line);
    try {
      const { added, remark } = await getJson(
        `/gallery/photos?${whose}&file=${encodeURIComponent(file.name)}`,
        { method: "POST", body: file, type: file.type || "application/octet-stream" },
      );
      const outcome = remark ? `added, but ${remark}` : "added";
      line.textContent = `${file.name}: ${added ? outcome : "already there"}`;
      line.className = remark ? "warning" : "ok";
    } catch (error) {
      line.textContent = `${file.name}: ${wordsOf(error)}`;
      line.className = "error";
    }
  }
}
