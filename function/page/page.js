// The start: which view the address names, and what each view does when it is shown.

import { byId } from "/page/dom.js";
import { startIdentify } from "/page/identify.js";
import { openGallery, startGallery } from "/page/gallery.js";
import { showPerformer } from "/page/performer.js";
import { startStatus } from "/page/status.js";

const VIEWS = {
  identify: { title: "Identify a video", show: () => {} },
  gallery: { title: "Gallery", show: openGallery },
  performer: { title: "Performer", show: showPerformer },
};

let shown = null;

function route() {
  const [name, ...places] = location.hash.slice(1).split("/");
  // The skip link's #main names no view; the one that is shown stays.
  if (shown !== null && !(name in VIEWS)) return;
  const view = name in VIEWS ? name : "identify";
  for (const other of Object.keys(VIEWS)) byId(other).hidden = other !== view;
  for (const anchor of document.querySelectorAll("header nav a")) {
    const current = anchor.hash === `#${view}` || (view === "performer" && anchor.hash === "#gallery");
    if (current) anchor.setAttribute("aria-current", "page");
    else anchor.removeAttribute("aria-current");
  }
  document.title = `${VIEWS[view].title} · Who is in this video?`;
  if (shown !== null) byId("main").focus({ preventScroll: true });
  shown = view;
  VIEWS[view].show(...places);
}

startIdentify();
startGallery();
startStatus();
addEventListener("hashchange", route);
route();
