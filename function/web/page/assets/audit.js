// What in the gallery will cause wrong or missing names, and where to fix it.

import { byId, chooseInDialog, count, make, makeButton, notice, small } from "./dom.js";
import { facesOf } from "./faces.js";
import { codeOf, getJson, postJson, wordsOf } from "./server.js";
import { refreshStatus } from "./status.js";

let asked = 0;
/** @type {() => unknown} */
let onchange = () => {};

/**
 * Audit the gallery; `settled` is called when a finding is settled here.
 *
 * @param {() => unknown} settled
 */
export async function showAudit(settled) {
  onchange = settled;
  asked += 1;
  const own = asked;
  byId("audit-count").textContent = "checking …";
  try {
    const audit = await getJson("/gallery/audit");
    if (own === asked) show(audit);
  } catch (error) {
    if (own === asked) explain(error);
  }
}

/** @param {Audit} audit */
function show({ performers, total, findings }) {
  byId("audit").hidden = !performers;
  byId("audit").classList.toggle("wanted", total > 0);
  byId("audit-count").textContent = total ? count(total, "finding") : "nothing";
  const rows = findings.map(row);
  if (!total)
    rows.push(
      make("li", {
        class: "ok",
        text: "No photo seems to show somebody else, none is enrolled twice, and no two performers are too alike.",
      }),
    );
  if (total > findings.length)
    rows.push(
      make("li", {
        text: `${count(total - findings.length, "more finding")}: they appear here as these are settled, or in a terminal with python -m tools audit --table.`,
      }),
    );
  byId("audit-findings").replaceChildren(...rows);
}

/** @param {unknown} error */
function explain(error) {
  const isTooLarge = codeOf(error) === "gallery_too_large";
  const retry = makeButton("Try again", () => showAudit(onchange));
  byId("audit").hidden = codeOf(error) === "gallery_unavailable";
  byId("audit-count").textContent = isTooLarge ? "too many photos to check here" : "unknown";
  byId("audit-findings").replaceChildren(
    make(
      "li",
      {},
      isTooLarge
        ? make("p", { text: wordsOf(error) })
        : notice("The gallery could not be checked", wordsOf(error), retry),
    ),
  );
}

/** @param {AuditFinding} finding */
function row(finding) {
  const mendable = finding.performers.length === 2 && finding.kind !== "photo_nearer_to_another";
  const words = make("p", { class: "grow" }, ...sentence(finding), " ", small(finding.advice));
  const merge = makeButton("Merge …", () => mergeBoth(finding), {
    "aria-label": `Merge ${finding.performers.join(" and ")} …`,
  });
  return make("li", { class: "warning" }, words, mendable ? merge : null);
}

/**
 * @param {AuditFinding} finding
 * @returns {Child[]}
 */
function sentence({ kind, performers, performer_ids: ids, photos }) {
  const who = performers.map((name, index) =>
    make("a", { href: `#performer/${ids[index]}`, text: name }),
  );
  const which = photos.map((one) =>
    make("a", {
      href: `#performer/${one.performer_id}/${one.number}`,
      text: `Photo ${one.number} of ${one.performer}`,
    }),
  );
  const said = {
    performers_too_alike: () => [who[0], " and ", who[1], " look like one person."],
    photo_nearer_to_another: () => [
      which[0],
      " is nearer to ",
      who[1],
      ` than to the other photos of ${performers[0]}.`,
    ],
    photo_unlike_the_rest: () => [which[0], ` is unlike the other photos of ${performers[0]}.`],
    duplicate_photos: () => [which[0], " and ", which[1], " are the same photo."],
    no_photos: () => [who[0], " has no photos."],
  };
  return said[kind]();
}

/** @param {AuditFinding} finding */
async function mergeBoth({ performers: [first, second], performer_ids: ids }) {
  const kept = await chooseInDialog(
    `Merge ${first} and ${second}?`,
    [
      "The one whose name you keep takes over the other's photos, links and aliases, and the name as an alias. This cannot be undone.",
      facesOf([first, second].map((name = "", index) => ({ id: ids[index] ?? 0, name }))),
    ],
    { text: "Keep them separate" },
    { value: "0", text: `Merge as ${first}` },
    first === second ? null : { value: "1", text: `Merge as ${second}` },
  );
  if (!kept) return;
  try {
    const [keptId = 0, absorbedId = 0] = kept === "0" ? ids : [...ids].reverse();
    await postJson("/gallery/merge", { kept: keptId, absorbed: absorbedId });
  } catch (error) {
    byId("audit-findings").prepend(
      make("li", { role: "alert" }, notice("Nothing was changed", wordsOf(error))),
    );
    return;
  }
  onchange();
  refreshStatus();
  byId("audit").querySelector("summary")?.focus();
}
