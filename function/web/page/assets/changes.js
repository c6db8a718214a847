// Changes to a performer: rename, merge, take back, forget.

import { openChooser } from "./chooser.js";
import { byId, confirmInDialog, count, make, makeButton, notice } from "./dom.js";
import { facesOf } from "./faces.js";
import { askWhetherSame } from "./names.js";
import { codeOf, postJson, wordsOf } from "./server.js";
import { refreshStatus } from "./status.js";

/** @param {PerformerReply} performer */
export function changes(performer) {
  return make(
    "section",
    { class: "card", "aria-labelledby": "change-title" },
    make("h2", { id: "change-title", text: "Change" }),
    make("div", { id: "change-trouble", role: "alert" }),
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
 * If the name is taken, the user says whether both are one person; then they are merged.
 *
 * @param {PerformerReply} performer
 * @param {string} name
 * @param {boolean} isNew
 */
async function rename(performer, name, isNew) {
  byId("change-trouble")?.replaceChildren();
  try {
    await postJson("/gallery/rename", { id: performer.id, name, new: isNew });
    showAgain("#rename");
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
  const isShown = Number(location.hash.split("/")[1]) === kept.id;
  const isDone = await change("/gallery/merge", both, isShown ? "#performer-title" : "");
  // The address of the other leads nowhere now.
  if (isDone && !isShown) location.replace(`#performer/${kept.id}`);
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
    else showAgain("#performer-title");
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
 * Request a change, then show the performer again with the focus at `place`; false if it failed.
 *
 * @template {keyof Fields} Asked
 * @param {Asked} path
 * @param {Fields[Asked]} fields
 */
export async function change(path, fields, place = "") {
  byId("change-trouble")?.replaceChildren();
  try {
    await postJson(path, fields);
  } catch (error) {
    complain(error);
    return false;
  }
  if (place) showAgain(place);
  else refreshStatus();
  return true;
}

/** @param {string} place */
function showAgain(place) {
  dispatchEvent(new CustomEvent("performer-changed", { detail: place }));
}

/** @param {unknown} error */
function complain(error) {
  byId("change-trouble")?.replaceChildren(notice("Nothing was changed", wordsOf(error)));
}
