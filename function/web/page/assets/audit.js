// What in the gallery will cause wrong or missing names, with links to where it can be fixed.

import { byId, chooseInDialog, count, make, makeButton, notice, small } from "./dom.js";
import { facesOf } from "./faces.js";
import { codeOf, getJson, postJson, wordsOf } from "./server.js";
import { refreshStatus } from "./status.js";

let asked = 0;

/**
 * Audit the gallery again. `onchange` is called after a finding was settled here.
 *
 * @param {() => unknown} onchange
 */
export async function showAudit(onchange) {
  asked += 1;
  const own = asked;
  byId("audit-count").textContent = "checking …";
  try {
    const audit = await getJson("/gallery/audit");
    if (own === asked) show(audit, onchange);
  } catch (error) {
    if (own === asked) explain(error, onchange);
  }
}

/**
 * @param {Audit} audit
 * @param {() => unknown} onchange
 */
function show({ performers, total, findings }, onchange) {
  byId("audit").hidden = !performers;
  byId("audit").classList.toggle("wanted", total > 0);
  byId("audit-count").textContent = total ? count(total, "finding") : "nothing";
  const rows = findings.map((one) => row(one, onchange));
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

/**
 * @param {unknown} error
 * @param {() => unknown} onchange
 */
function explain(error, onchange) {
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

/**
 * @param {AuditFinding} finding
 * @param {() => unknown} onchange
 */
function row(finding, onchange) {
  const mendable = finding.performers.length === 2 && finding.kind !== "photo_nearer_to_another";
  const words = make("p", { class: "grow" }, ...sentence(finding), " ", small(finding.advice));
  const merge = makeButton("Merge …", () => mergeBoth(finding, onchange), {
    "aria-label": `Merge ${finding.performers.join(" and ")} …`,
  });
  return make("li", { class: "warning" }, words, mendable ? merge : null);
}

/**
 * Say what was found, with links to every performer and photo.
 *
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

/**
 * @param {AuditFinding} finding
 * @param {() => unknown} onchange
 */
async function mergeBoth({ performers: [first, second], performer_ids: ids }, onchange) {
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
