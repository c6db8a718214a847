// Sends corrections of a person in a result, or in a video of the library.

import { postJson } from "./server.js";

/**
 * Corrections of a person in a result; they change the gallery.
 *
 * @param {PersonOfResult} place
 * @returns {Corrector}
 */
export function ofResult(place) {
  /** @param {Promise<CorrectionReply>} asked */
  const done = async (asked) => {
    const { correction, said, performer } = await asked;
    return { said, performer, undo: () => postJson("/corrections/undo", { correction }) };
  };
  return {
    confirm: ({ id }, instead) =>
      done(postJson("/corrections/assign", { ...place, performer: id, instead_of: instead })),
    name: (name, isNew, instead) =>
      done(postJson("/corrections/name", { ...place, name, new: isNew, instead_of: instead })),
    reject: ({ id }) => done(postJson("/corrections/reject", { ...place, performer: id })),
  };
}

/**
 * Decisions about a person in a video of the library; `refresh` asks for that person again.
 *
 * @param {VideoAsked} video
 * @param {number} person
 * @param {() => Promise<PersonShown | null>} refresh
 * @returns {Corrector}
 */
export function ofVideo(video, person, refresh) {
  /**
   * @param {"confirmed" | "rejected" | "ignored"} kind
   * @param {number | null} performer
   * @param {string} said
   */
  const decide = async (kind, performer, said) => {
    const about = performer === null ? {} : { performer };
    const { decision } = await postJson("/library/decide", { ...video, person, kind, ...about });
    return { said, performer, decision, undo: () => takeBack(decision) };
  };
  /** @param {number} decision */
  const takeBack = (decision) => postJson("/library/undecide", { decision });
  return {
    refresh,
    takeBack,
    confirm: ({ id, name }) =>
      decide("confirmed", id, `Saved: this is ${name}, whatever is matched later.`),
    reject: ({ id, name }) => decide("rejected", id, `Saved: this is not ${name}.`),
    ignore: () => decide("ignored", null, "Saved: it does not matter who this is."),
    name: async (name, isNew) => {
      const done = await postJson("/library/name", { ...video, person, name, new: isNew });
      const { decision, performer, views } = done;
      const faces = views === 1 ? "1 face" : `${views} faces`;
      return {
        said: `${name} is now in the gallery, with ${faces}.`,
        performer,
        decision,
        undo: () => takeBack(decision),
      };
    },
  };
}
