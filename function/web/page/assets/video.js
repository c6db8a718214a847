// One video of the library: the people in it, and when they are seen.

import { pictureList, showPicture } from "./album.js";
import { arrangePeople } from "./cast.js";
import { ofVideo } from "./corrections.js";
import { byId, count, damage, find, lengthOf, make, makeButton, nameOf, notice } from "./dom.js";
import { libraryAddress } from "./filters.js";
import { choose } from "./identify.js";
import { asMatch } from "./matches.js";
import { PersonCard } from "./person.js";
import { makePlayer } from "./player.js";
import { saidRow } from "./said.js";
import { getJson, postJson, wordsOf } from "./server.js";

let asked = 0; // a slow answer must not replace a later one

/** @type {Player | null} */
let player = null;
addEventListener("hashchange", () => player?.close());

/**
 * Show a video by its fingerprint, point out a performer in it, or somebody by number, and play from
 * a moment on; of an album, show the picture of that number.
 *
 * @param {string} [oshash]
 * @param {string} [performer]
 * @param {string} [person]
 * @param {string} [seconds]
 */
export async function showVideo(oshash = "", performer = "", person = "", seconds = "") {
  const view = byId("video");
  asked += 1;
  const question = asked;
  try {
    const reply = await getJson(`/library/video?oshash=${encodeURIComponent(oshash)}`);
    if (question !== asked) return;
    show(view, reply);
    const meant = person
      ? `[data-person="${Number(person)}"]`
      : `[data-performer="${Number(performer)}"]`;
    const found = find(view, meant);
    pointOut(found);
    if (seconds && reply.video.kind === "album") showPicture(Number(seconds));
    else if (seconds) await player?.play(Number(seconds), found?.querySelector("img")?.src ?? "");
  } catch (error) {
    if (question !== asked) return;
    view.replaceChildren(
      back(),
      make("h1", { id: "video-title", text: "Video" }),
      notice("This video cannot be shown", wordsOf(error)),
    );
  }
}

/**
 * Scroll to a card, also if it is among the bystanders.
 *
 * @param {HTMLElement | null} card
 */
function pointOut(card) {
  card?.closest("details")?.setAttribute("open", "");
  card?.scrollIntoView({ block: "center" });
}

function back() {
  return make("p", {}, make("a", { href: libraryAddress(), text: "← Library" }));
}

/**
 * @param {HTMLElement} view
 * @param {VideoReply} reply
 */
function show(view, reply) {
  const { video, people, pictures } = reply;
  const isAlbum = video.kind === "album";
  const name = nameOf(video.path) || (isAlbum ? "Album" : "Video");
  document.title = `${name} · Who is in this video?`;
  const place = make("div", { class: "player" });
  const playing = makePlayer(place, name, async () => {
    return (await postJson("/play", { path: video.path })).result;
  });
  player = isAlbum ? null : playing;
  const play = isAlbum ? showPicture : playing.play;
  view.replaceChildren(
    back(),
    make("h1", { id: "video-title", text: name }),
    ...facts(video, people.length),
    isAlbum || video.state === "gone" ? "" : again(video.path),
    isAlbum ? "" : place,
    make("h2", { class: "for-readers", text: "People" }),
    ...arrangePeople(people.map((person) => card(reply, person, play))),
    ...saidOfNobody(reply),
    isAlbum ? pictureList(video, people, pictures) : "",
  );
}

/**
 * @param {Pick<VideoReply, "video" | "decisions">} reply
 * @param {PicturedPerson} found
 * @param {(start: number, image: string) => unknown} play
 */
function card({ video, decisions }, found, play) {
  const { oshash, scanned_at } = video;
  const refresh = async () => {
    const address = `/library/video?oshash=${encodeURIComponent(oshash)}&pictures=off`;
    /** @type {VideoReply} */
    const { people, decisions } = await getJson(/** @type {"/library/video"} */ (address));
    const person = people.find((one) => one.person === found.person);
    return person ? asFound(person, decisions) : null;
  };
  const corrector = ofVideo({ oshash, scanned_at }, found.person, refresh);
  const made = new PersonCard(asFound(found, decisions), video.duration_seconds, play, corrector);
  made.element.dataset.person = String(found.person);
  return made;
}

/**
 * What was said of people whom the last scan did not find, or not like that.
 *
 * @param {VideoReply} reply
 */
function saidOfNobody({ decisions }) {
  const lost = decisions.filter(({ person }) => person === null);
  if (!lost.length) return [];
  const words = `${count(lost.length, "decision")} about nobody who is found here now`;
  return [
    make(
      "details",
      { class: "bystanders" },
      make("summary", { text: words }),
      make("ul", { class: "said" }, ...lost.map((one) => saidRow(one))),
    ),
  ];
}

/**
 * @param {NumberedVideo} video
 * @param {number} people
 */
function facts(video, people) {
  const scanned = video.scanned_at ? `scanned on ${video.scanned_at.slice(0, 10)}` : "";
  const seen = people
    ? count(people, "person", "people")
    : video.state === "done" && "nobody seen who is kept";
  const leftOut = video.strangers_left_out;
  const lines = [
    video.path.includes("/") ? video.path : "",
    video.state === "gone" ? "Its file is not there any more." : "",
    ...video.other_paths,
    [lengthOf(video), seen, scanned].filter(Boolean).join(", "),
    damage(video),
    leftOut ? `${count(leftOut, "stranger")} not kept (STRANGERS)` : "",
    video.state === "done" || video.state === "gone" ? "" : `${video.state}: ${video.reason}`,
  ];
  return lines.filter(Boolean).map((text) => make("p", { class: "detail", text }));
}

/** @param {string} path */
function again(path) {
  const onclick = () => {
    location.hash = "#identify";
    choose(path);
  };
  return make("div", { class: "actions" }, makeButton("Identify it again", onclick));
}

/**
 * A person of the library as one of a result.
 *
 * @param {PicturedPerson} person
 * @param {DecisionListed[]} decisions
 * @returns {PersonShown}
 */
function asFound(person, decisions) {
  const { performer, performer_id: id, score, ...rest } = person;
  const others = { ...rest, said: decisions.filter((one) => one.person === person.person) };
  if (performer === null) return { ...others, matches: [] };
  return { ...others, matches: [{ ...asMatch({ id: Number(id), name: performer }), score }] };
}
