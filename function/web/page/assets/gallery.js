// All enrolled performers, a page at a time.

import { showAudit } from "./audit.js";
import { byId, command, count, detail, fillLater, make, makeButton, notice, small } from "./dom.js";
import { photoDrop } from "./photos.js";
import { latePicture } from "./pictures.js";
import { changesSoFar, getJson } from "./server.js";
import { refreshStatus } from "./status.js";
import { makeStretches, nearEnd } from "./stretches.js";
import { trouble } from "./troubles.js";

let shown = 0;
let total = 0;
let asked = 0;
let loading = false;
let searched = "";
let changesShown = 0;

// Each list holds the 60 performers of one request: whole rows of 2 to 6.
const stretches = makeStretches(tile);

// The next page is requested before the end is reached.
const end = nearEnd(() => showMore());

byId("search").addEventListener("input", fillLater(showGallery));
byId("more").addEventListener("click", () => showMore(true));
const name = byId("new-name");
byId("new-photos").append(
  photoDrop({
    whose: () => (name.value.trim() ? { name: name.value.trim() } : null),
    missing: "Give a name first, then choose the photos again.",
    field: name,
    ondone: () => {
      openGallery();
      refreshStatus();
    },
  }),
);

/**
 * Show everyone, and what to look at; again after each change. If nothing has changed, the scroll
 * position is kept.
 */
export async function openGallery() {
  if (!(await isCurrent())) await showGallery();
  await showAudit(openGallery);
}

async function isCurrent() {
  if (!shown || changesShown !== changesSoFar()) return false;
  try {
    return (
      (await getJson(`/gallery?limit=1&search=${encodeURIComponent(searched)}`)).total === total
    );
  } catch {
    return false;
  }
}

async function showGallery() {
  shown = 0;
  changesShown = changesSoFar();
  searched = byId("search").value.trim();
  byId("grid").replaceChildren();
  stretches.clear();
  end.disconnect();
  await load();
  if (!byId("more").hidden) end.observe(byId("more"));
}

async function showMore(focus = false) {
  if (loading || shown >= total) return;
  await load();
  if (focus) byId("grid").lastElementChild?.querySelector("a")?.focus();
  end.disconnect();
  if (!byId("more").hidden) end.observe(byId("more"));
}

async function load() {
  asked += 1;
  const own = asked;
  loading = true;
  try {
    const page = await getJson(`/gallery?from=${shown}&search=${encodeURIComponent(searched)}`);
    if (own !== asked) return;
    total = page.total;
    byId("grid").append(total ? stretch(page.performers, shown) : nobody(searched));
    byId("found").textContent = total ? count(total, "performer") : "";
    shown += page.performers.length;
    byId("more").hidden = shown >= total;
  } catch (error) {
    if (own !== asked) return;
    byId("more").hidden = true;
    const title = shown ? "The rest cannot be shown" : "The gallery cannot be shown";
    const said = trouble(title, error, () => (shown ? tryOn(said) : openGallery()));
    byId("grid").append(said);
  } finally {
    if (own === asked) loading = false;
  }
}

/** @param {HTMLElement} said */
function tryOn(said) {
  said.remove();
  showMore(true);
}

/** @param {string} search */
function nobody(search) {
  if (search) return notice("Nobody with that name", `No name or alias contains “${search}”.`);
  const add = () => {
    byId("new").open = true;
    byId("new-name").focus();
  };
  const empty = notice(
    "Nobody is enrolled yet",
    "Add a performer from photos, or identify a video and name the people in it.",
    makeButton("Add a performer", add, { class: "primary" }),
    make("a", { href: "#identify", text: "Identify a video" }),
  );
  empty.append(
    make(
      "p",
      { class: "detail" },
      "Many at once, in a terminal: ",
      command("python -m tools import folder photos/"),
      " or ",
      command("python -m tools import stash --url URL"),
    ),
  );
  return empty;
}

/**
 * @param {ListedReply[]} performers
 * @param {number} first
 */
function stretch(performers, first) {
  const words = `Performers ${first + 1} to ${first + performers.length}`;
  const list = make("ul", { class: "grid", "aria-label": words }, ...performers.map(tile));
  return stretches.add(list, performers);
}

/** @param {ListedReply} performer */
function tile(performer) {
  return make(
    "li",
    {},
    make(
      "a",
      { href: `#performer/${performer.id}` },
      latePicture(performer.thumbnail, ""),
      make("span", { class: "name", text: performer.name }),
      small(detail(performer)),
    ),
  );
}
