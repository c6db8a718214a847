// One performer: names, links and photos.

import { change, changes } from "./changes.js";
import {
  byId,
  confirmInDialog,
  count,
  find,
  link,
  make,
  makeButton,
  meter,
  notice,
  small,
} from "./dom.js";
import { photoDrop } from "./photos.js";
import { latePicture } from "./pictures.js";
import { fillSaid } from "./said.js";
import { getJson, wordsOf } from "./server.js";
import { refreshStatus } from "./status.js";

let asked = 0; // a slow answer must not replace a later one

/** @type {string | number | undefined} */
let shown;

addEventListener("performer-changed", (event) =>
  reload(/** @type {CustomEvent<string>} */ (event).detail),
);

/**
 * Show one performer; `photo` is the number of the photo to point out, counted from 1.
 *
 * @param {string | number} [id]
 * @param {string} [photo]
 */
export async function showPerformer(id, photo) {
  const view = byId("performer");
  shown = id;
  asked += 1;
  const question = asked;
  try {
    const performer = await getJson(`/gallery/performer?id=${encodeURIComponent(id ?? "")}`);
    if (question !== asked) return;
    view.replaceChildren(
      back(),
      head(performer),
      photoTable(performer),
      adding(performer),
      said(performer),
      changes(performer),
    );
    if (photo) pointOut(view.querySelectorAll(".photos li")[Number(photo) - 1]);
  } catch (error) {
    if (question !== asked) return;
    view.replaceChildren(
      back(),
      make("h1", { id: "performer-title", text: "Performer" }),
      notice("This performer cannot be shown", wordsOf(error)),
    );
  }
}

/**
 * Highlight and focus what a link refers to.
 *
 * @param {Element} [element]
 */
function pointOut(element) {
  if (!(element instanceof HTMLElement)) return;
  element.classList.add("meant");
  element.tabIndex = -1;
  element.focus({ preventScroll: true });
  element.scrollIntoView({ block: "center" });
}

function back() {
  return make("p", {}, make("a", { href: "#gallery", text: "← Gallery" }));
}

/** @param {PerformerReply} performer */
function head(performer) {
  return make(
    "div",
    { class: "head" },
    latePicture(performer.thumbnail, `Face of ${performer.name}`),
    make(
      "div",
      {},
      make(
        "h1",
        { id: "performer-title", tabindex: -1 },
        performer.name,
        performer.disambiguation ? small(` (${performer.disambiguation})`) : null,
      ),
      performer.aliases.length ? aliases(performer) : null,
      performer.urls.length ? make("p", { class: "links" }, ...performer.urls.map(link)) : null,
      make("p", {
        class: "detail",
        text: `${count(performer.photos.length, "photo")}, from ${performer.source}`,
      }),
      make(
        "p",
        {},
        make("a", {
          href: `#library/performer=${performer.id}`,
          text: `Every video of ${performer.name}`,
        }),
      ),
    ),
  );
}

/** @param {PerformerReply} performer */
function aliases(performer) {
  const each = performer.aliases.map((alias) =>
    make(
      "span",
      { class: "alias" },
      alias,
      makeButton("×", () => removeAlias(performer, alias), {
        title: `Remove the alias ${alias}`,
        "aria-label": `Remove the alias ${alias}`,
      }),
    ),
  );
  return make("p", { class: "detail aliases" }, "Also ", ...each);
}

/**
 * @param {PerformerReply} performer
 * @param {string} alias
 */
async function removeAlias(performer, alias) {
  const agreed = await confirmInDialog(
    `Remove the alias ${alias}?`,
    [
      `${performer.name} is then no longer found by it, and paths that hold it are no hint. An import that still lists it adds it again.`,
    ],
    "Remove",
  );
  if (agreed)
    await change("/gallery/remove-alias", { id: performer.id, alias }, "#performer-title");
}

/** @param {PerformerReply} performer */
function photoTable(performer) {
  /** @param {...HTMLElement} shown */
  const photos = (...shown) =>
    make(
      "section",
      { "aria-labelledby": "photos-title" },
      make("h2", { id: "photos-title", tabindex: -1, text: "Photos" }),
      ...shown,
    );
  if (!performer.photos.length)
    return photos(
      make("p", {
        text: "None. Without photos this performer cannot be recognised; add some below.",
      }),
    );
  const rows = performer.photos.map((photo, index) =>
    make(
      "li",
      {},
      latePicture(photo.face, ""),
      make(
        "div",
        { class: "grow" },
        make("span", { class: "name", text: photo.origin }),
        small([`Photo ${index + 1}`, photo.remark].filter(Boolean).join("; ")),
      ),
      meter(`Quality of ${photo.origin}`, photo.quality, 1, `${Math.round(100 * photo.quality)} %`),
      makeButton("Remove", () => removePhoto(performer, photo), {
        "aria-label": `Remove ${photo.origin}`,
      }),
    ),
  );
  return photos(
    make("p", {
      class: "detail",
      text: "Photos are not stored, only their encodings and a small picture of the face.",
    }),
    make("ul", { class: "photos" }, ...rows),
  );
}

/**
 * @param {PerformerReply} performer
 * @param {PhotoReply} photo
 */
async function removePhoto(performer, photo) {
  const agreed = await confirmInDialog(
    `Remove ${photo.origin}?`,
    [
      `${performer.name} is then recognised by ${count(performer.photos.length - 1, "photo")}. Only the same photo, added again, brings it back.`,
    ],
    "Remove",
  );
  if (agreed)
    await change("/gallery/remove-photo", { id: performer.id, photo: photo.hash }, "#photos-title");
}

/** @param {PerformerReply} performer */
function adding(performer) {
  return make(
    "section",
    { class: "card", "aria-labelledby": "add-title" },
    make("h2", { id: "add-title", text: "Add photos" }),
    photoDrop({
      whose: () => ({ id: performer.id }),
      missing: "",
      ondone: () => reload(".drop input"),
    }),
  );
}

/** @param {PerformerReply} performer */
function said({ id, name }) {
  const place = make("div");
  fillSaid(place, `What you said about ${name} in the library`, `performer=${id}`);
  return place;
}

/** @param {string} place */
async function reload(place) {
  const said = find(byId("performer"), ".drop + .findings");
  await showPerformer(shown);
  // Messages about the photos just dropped stay visible.
  if (said?.childElementCount) find(byId("performer"), ".drop + .findings")?.replaceWith(said);
  find(byId("performer"), place)?.focus({ preventScroll: true });
  refreshStatus();
}
