// The order of names and paths: 2 before 10, and accents aside.

import { plain } from "./dom.js";

/** @type {Record<string, string>} */
const ALIKE = { ß: "ss", ø: "o", đ: "d", ð: "d", ł: "l", ı: "i", æ: "ae", œ: "oe", þ: "th" };

/** @param {string} name */
const keyOf = (name) =>
  plain(name)
    .replace(/[ß-œ]/g, (one) => ALIKE[one] ?? one)
    .replace(/[`‘’]/g, "'")
    .replace(/[‐-—]/g, "-")
    .replace(/ +/g, " ")
    .replace(/\d{1,18}/g, (digits) => `\x01${digits.padStart(18, "0")}${digits}\0`)
    .replace(/ *\/ */g, "\0");

/**
 * Things in the shell's order of their paths.
 *
 * @template One
 * @param {One[]} all
 * @param {(one: One) => string} pathOf
 */
export const natural = (all, pathOf) =>
  all
    .map((one) => ({ one, key: `${keyOf(pathOf(one))}\0${pathOf(one)}` }))
    .sort((one, other) => (one.key < other.key ? -1 : +(one.key > other.key)))
    .map(({ one }) => one);
