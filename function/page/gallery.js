// Everyone who is enrolled, a page at a time.

import { showAudit } from "/page/audit.js";
import { byId, count, fillLater, make, notice } from "/page/dom.js";
import { fillImage, getJson } from "/page/server.js";
import { photoDrop } from "/page/photos.js";
import { refreshStatus } from "/page/status.js";

let shown = 0;
let total = 0;
let asked = 0;
let loading = false;

// Pictures are asked for as they come into view, and the next page before the end is reached.
const pictures = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    pictures.unobserve(target);
    fillImage(target, target.dataset.source);
  }
}, { rootMargin: "300px" });
const end = new IntersectionObserver((entries) => {
  if (entries.some((entry) => entry.isIntersecting)) showMore();
}, { rootMargin: "600px" });

function startGallery() {
  byId("search").addEventListener("input", fillLater(showGallery));
  byId("more").addEventListener("click", () => showMore(true));
  const name = byId("new-name");
  byId("new-photos").append(
    photoDrop({
      address: () => (name.value.trim() ? `name=${encodeURIComponent(name.value.trim())}` : ""),
      missing: "Give a name first.",
      ondone: () => {
        openGallery();
        refreshStatus();
      },
    }),
  );
}

/** Show everyone, and what to look at; again after each change. */
export async function openGallery() {
  await showGallery();
  showAudit(openGallery);
}

async function showGallery() {
  shown = 0;
  byId("grid").replaceChildren();
  end.disconnect();
  await load();
  if (!byId("more").hidden) end.observe(byId("more"));
}

async function showMore(focus = false) {
  if (loading || shown >= total) return;
  const first = shown;
  await load();
  if (focus) byId("grid").children[first]?.querySelector("a").focus();
  // An observer speaks only of changes; a fresh look notices an end that is still in view.
  end.disconnect();
  if (!byId("more").hidden) end.observe(byId("more"));
}

async function load() {
  asked += 1;
  const own = asked;
  const search = byId("search").value.trim();
  loading = true;
  try {
    const page = await getJson(`/gallery?from=${shown}&search=${encodeURIComponent(search)}`);
    if (own !== asked) return;
    total = page.total;
    shown += page.performers.length;
    byId("grid").append(...page.performers.map(tile));
    byId("found").textContent = total ? count(total, "performer") : "";
    if (!total) byId("grid").append(make("li", { class: "empty" }, nobody(search)));
    byId("more").hidden = shown >= total;
  } catch (error) {
    if (own !== asked) return;
    byId("more").hidden = true;
    byId("grid").replaceChildren(
      make("li", { class: "empty" }, notice("The gallery cannot be shown", error.message, make("button", { type: "button", text: "Try again", onclick: showGallery }))),
    );
  } finally {
    if (own === asked) loading = false;
  }
}

function nobody(search) {
  return search
    ? notice("Nobody of that name", `No name and no alias holds “${search}”.`)
    : notice("Nobody is enrolled yet", "Add a performer above, or identify a video and name the people in it.");
}

function tile(performer) {
  const image = make("img", { alt: "", "data-source": performer.thumbnail });
  if (performer.thumbnail) pictures.observe(image);
  return make(
    "li",
    {},
    make(
      "a",
      { href: `#performer/${performer.id}` },
      performer.thumbnail ? image : make("span", { class: "blank" }),
      make("span", { class: "name", text: performer.name }),
      make("span", { class: "detail", text: [performer.disambiguation, count(performer.photos, "photo")].filter(Boolean).join(", ") }),
    ),
  );
}

startGallery();
