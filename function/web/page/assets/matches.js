// Who somebody may be, before and after a correction.

/**
 * Whom the user rejected, as far as that is listed.
 *
 * @param {PersonShown} person
 * @returns {Set<number>}
 */
export function rejectedIn({ said = [] }) {
  const rejections = said.filter(({ kind }) => kind === "rejected");
  return new Set(rejections.map(({ performer_id: id }) => Number(id)));
}

/**
 * Whom the card offers: nobody, if the user has just rejected the likeliest.
 *
 * @param {PersonShown} person
 */
export const bestOf = ({ verdict, decided, matches }) =>
  verdict === "unknown" && decided ? undefined : matches[0];

/**
 * @param {PersonShown} person
 * @param {MatchReply} match
 * @returns {PersonShown}
 */
export const confirmed = (person, match) => ({
  ...person,
  verdict: "match",
  decided: "confirmed",
  matches: [match, ...person.matches.filter((one) => one.id !== match.id)],
});

/**
 * A performer as a match without details.
 *
 * @param {Named} performer
 * @returns {MatchReply}
 */
export function asMatch({ id, name }) {
  const poster = `/gallery/thumbnail?id=${id}`;
  const unknown = { urls: [], hints: [], stash_ids: [], sources: [] };
  return { ...unknown, id: String(id), name, poster, score: 0 };
}

/**
 * Somebody new has a number once they are enrolled.
 *
 * @param {PersonShown} person
 * @param {number | null} performer
 * @returns {PersonShown}
 */
export function withNumber(person, performer) {
  const [best, ...others] = person.matches;
  if (best?.id !== "0" || performer === null) return person;
  return { ...person, matches: [asMatch({ id: performer, name: best.name }), ...others] };
}
