// Takes photos, and sends them one by one.

import { make } from "./dom.js";
import { askWhetherSame } from "./names.js";
import { changesSoFar, codeOf, getJson, wordsOf } from "./server.js";

let made = 0;

/**
 * Build a drop area for photos. `whose()` says whose they are; where it is null, `missing` is shown.
 * A name is somebody new, unless the user says otherwise. More photos for a name go to the same person
 * until its `field` is edited or something else changes: the name may be another's then.
 *
 * @param {PhotoDropOptions} options
 */
export function photoDrop({ whose, missing, ondone, field }) {
  made += 1;
  const said = make("ul", { class: "findings", role: "status" });
  const input = make("input", {
    id: `photos-${made}`,
    type: "file",
    accept: "image/*,.avif,.heic,.heif,.hif,.jxl", // systems that do not know these would hide them
    multiple: true,
  });
  /** @type {PhotosOf | undefined} Whose the last photos were: more of them are no question. */
  let last;
  let changesThen = 0;
  field?.addEventListener("input", () => (last = undefined));
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
    const chosen = whose();
    if (!chosen) {
      said.replaceChildren(make("li", { class: "error", text: missing }));
      input.value = ""; // or choosing the same again would be no change
      return;
    }
    const isCurrent = chosen.name !== undefined && changesThen === changesSoFar();
    const same = isCurrent && chosen.name === last?.name;
    last = await sendAll([...(files ?? [])], same ? { ...last } : chosen, said);
    changesThen = changesSoFar();
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
 * Send the photos one by one. Returns whose they are, with the id if one of them was added.
 *
 * @param {File[]} files
 * @param {PhotosOf} whose
 * @param {HTMLElement} said
 */
async function sendAll(files, whose, said) {
  said.replaceChildren();
  /** @type {PhotosOf | null} */
  let known = whose;
  for (const file of files) {
    const line = make("li", { text: `${file.name}: looking for the face …` });
    said.append(line);
    known = await sendOne(file, known, line);
    if (!known) return whose;
  }
  return known;
}

/**
 * Send one photo and show the outcome. Returns whose it is, or null if the user goes back.
 *
 * @param {File} file
 * @param {PhotosOf} whose
 * @param {HTMLElement} line
 * @returns {Promise<PhotosOf | null>}
 */
async function sendOne(file, whose, line) {
  try {
    const { added, remark, id } = await getJson(`/gallery/photos?${queryOf(file, whose)}`, {
      method: "POST",
      body: file,
      type: file.type || "application/octet-stream",
    });
    const outcome = remark ? `added, but ${remark}` : "added";
    line.textContent = `${file.name}: ${added ? outcome : "already there"}`;
    line.className = remark ? "warning" : "ok";
    return { ...whose, id };
  } catch (error) {
    const { name } = whose;
    if (codeOf(error) === "name_taken" && name) {
      const same = await askWhetherSame(error, name, new Set());
      if (same)
        return sendOne(file, same === "new" ? { name, isNew: true } : { name, id: same.id }, line);
      line.textContent = `${file.name}: not added`;
      return null;
    }
    line.textContent = `${file.name}: ${wordsOf(error)}`;
    line.className = "error";
    return whose;
  }
}

/**
 * @param {File} file
 * @param {PhotosOf} whose
 */
function queryOf(file, { id, name = "", isNew = false }) {
  const asked = `name=${encodeURIComponent(name)}&taken=${isNew ? "new" : "ask"}`;
  return `${id === undefined ? asked : `id=${id}`}&file=${encodeURIComponent(file.name)}`;
}
