// One performer: the photos, and what can be changed.

import { openChooser } from "./chooser.js";
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
import { facesOf } from "./faces.js";
import { askWhetherSame } from "./names.js";
import { photoDrop } from "./photos.js";
import { latePicture } from "./pictures.js";
import { fillSaid } from "./said.js";
import { codeOf, getJson, postJson, wordsOf } from "./server.js";
import { refreshStatus } from "./status.js";

// A slow answer to an earlier question must not replace that to a later one.
let asked = 0;

/**
 * Show one performer; `photo` is the number of the photo to point out, counted from 1.
 *
 * @param {string | number} [id]
 * @param {string} [photo]
 */
export async function showPerformer(id, photo) {
  const view = byId("performer");
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
    await change(
      "/gallery/remove-alias",
      { id: performer.id, alias },
      performer.id,
      "#performer-title",
    );
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
    await change(
      "/gallery/remove-photo",
      { id: performer.id, photo: photo.hash },
      performer.id,
      "#photos-title",
    );
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
      ondone: () => reload(performer.id, ".drop input"),
    }),
  );
}

/** @param {PerformerReply} performer */
function said({ id, name }) {
  const place = make("div");
  fillSaid(place, `What you said about ${name} in the library`, `performer=${id}`);
  return place;
}

/** @param {PerformerReply} performer */
function changes(performer) {
  const trouble = make("div", { id: "change-trouble", role: "alert" });
  return make(
    "section",
    { class: "card", "aria-labelledby": "change-title" },
    make("h2", { id: "change-title", text: "Change" }),
    trouble,
    renaming(performer),
    merging(performer),
    unnaming(performer),
    forgetting(performer),
  );
}

/** @param {PerformerReply} performer */
function renaming(performer) {
  const input = make("input", {
    id: "rename",
    type: "text",
    required: true,
    maxlength: 300,
    autocomplete: "off",
    value: performer.name,
  });
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    rename(performer, input.value.trim(), false);
  };
  return make(
    "form",
    { onsubmit: submit },
    make("label", { for: "rename", text: "Name" }),
    make("div", { class: "row" }, input, make("button", { text: "Rename" })),
  );
}

/**
 * Rename; if the name is taken, the user says whether both are one person, who are then merged.
 *
 * @param {PerformerReply} performer
 * @param {string} name
 * @param {boolean} isNew
 */
async function rename(performer, name, isNew) {
  byId("change-trouble")?.replaceChildren();
  try {
    await postJson("/gallery/rename", { id: performer.id, name, new: isNew });
    await reload(performer.id, "#rename");
  } catch (error) {
    if (codeOf(error) !== "name_taken") {
      complain(error);
      return;
    }
    const same = await askWhetherSame(error, name, new Set());
    if (same === "new") await rename(performer, name, true);
    else if (same) await merge(same, { ...performer, photos: performer.photos.length });
  }
}

/** @param {PerformerReply} performer */
function merging(performer) {
  const choose = () =>
    openChooser(`Who else is ${performer.name}?`, row, {
      leaveOut: new Set([performer.id]),
      onchoose: (other) => merge(performer, other),
    });
  /** @type {HTMLElement} */
  const row = make("p", {}, makeButton("Merge with another performer …", choose));
  return row;
}

/**
 * Merge two performers, of whom one is shown.
 *
 * @param {Named} kept
 * @param {Named & { photos: number }} absorbed
 */
async function merge(kept, absorbed) {
  const agreed = await confirmInDialog(
    `Merge ${absorbed.name} into ${kept.name}?`,
    [
      `${kept.name} takes over ${count(absorbed.photos, "photo")}, the links and the aliases of ${absorbed.name}, who is then no longer a separate performer. This cannot be undone.`,
      facesOf([absorbed, kept]),
    ],
    "Merge",
  );
  if (!agreed) return;
  const both = { kept: kept.id, absorbed: absorbed.id };
  const address = `#performer/${kept.id}`;
  if (location.hash.startsWith(address)) {
    await change("/gallery/merge", both, kept.id, "#performer-title");
  } else if (await change("/gallery/merge", both)) {
    location.replace(address); // the address of the other leads nowhere now
  }
}

/** @param {PerformerReply} performer */
function unnaming(performer) {
  const { photos } = performer;
  const own = photos.filter(({ origin }) => origin.startsWith("library: "));
  if (!own.length) return null;
  const unname = async () => {
    const isAll = own.length === photos.length;
    const agreed = await confirmInDialog(
      `Take back that this is ${performer.name} in the library?`,
      [
        `${count(own.length, "view")} enrolled from the library ${own.length === 1 ? "is" : "are"} removed, and whoever was recognised only by ${own.length === 1 ? "it" : "them"} is a stranger again.`,
        isAll ? "Nothing else was enrolled, so a name made there is removed, too." : "",
      ].filter(Boolean),
      "Take back",
    );
    if (!agreed || !(await change("/library/strangers/unname", { performer: performer.id })))
      return;
    if (isAll) location.hash = "#strangers";
    else await reload(performer.id, "#performer-title");
  };
  return make("p", {}, makeButton("Take back what was named in the library …", unname));
}

/** @param {PerformerReply} performer */
function forgetting(performer) {
  const forget = async () => {
    const agreed = await confirmInDialog(
      `Forget ${performer.name}?`,
      [
        `The name, ${count(performer.photos.length, "photo")} and every correction are erased from the gallery file. This cannot be undone.`,
        "No import brings them back until you run python -m tools unforget. Copies that you made are not erased.",
      ],
      "Forget for good",
    );
    if (agreed && (await change("/gallery/forget", { id: performer.id })))
      location.hash = "#gallery";
  };
  return make("p", {}, makeButton(`Forget ${performer.name} …`, forget, { class: "danger" }));
}

/**
 * Request a change, then show performer `shownAfter` with the focus at `place`.
 *
 * @template {keyof Fields} Asked
 * @param {Asked} path
 * @param {Fields[Asked]} fields
 * @param {number} [shownAfter]
 * @param {string} [place]
 */
async function change(path, fields, shownAfter, place) {
  byId("change-trouble")?.replaceChildren();
  try {
    await postJson(path, fields);
  } catch (error) {
    complain(error);
    return false;
  }
  if (shownAfter && place) await reload(shownAfter, place);
  else refreshStatus();
  return true;
}

/** @param {unknown} error */
function complain(error) {
  byId("change-trouble")?.replaceChildren(notice("Nothing was changed", wordsOf(error)));
}

/**
 * @param {number} id
 * @param {string} place
 */
async function reload(id, place) {
  const said = find(byId("performer"), ".drop + .findings");
  await showPerformer(id);
  // Messages about the photos just dropped stay visible.
  if (said?.childElementCount) find(byId("performer"), ".drop + .findings")?.replaceWith(said);
  find(byId("performer"), place)?.focus({ preventScroll: true });
  refreshStatus();
}
