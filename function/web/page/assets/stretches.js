// Long lists in parts. A part far out of view is emptied and keeps its height, so that ten thousand
// entries cost no more than those in view.

/**
 * @template Entry
 * @param {(entry: Entry) => HTMLElement} make Makes the element of an entry.
 */
export function makeStretches(make) {
  /** @type {WeakMap<Element, Entry[]>} */
  const entriesOf = new WeakMap();
  const observer = new IntersectionObserver(
    (seen) => {
      for (const { isIntersecting, target, boundingClientRect } of seen) {
        const list = /** @type {HTMLElement} */ (target);
        if (isIntersecting) fill(list);
        else empty(list, boundingClientRect.height);
      }
    },
    { rootMargin: "1500px" },
  );

  /** @param {HTMLElement} list */
  function fill(list) {
    if (!list.childElementCount) list.append(...(entriesOf.get(list) ?? []).map(make));
    list.style.height = "";
  }

  return {
    /**
     * Keep `list` filled while it is near the view; at first it may be empty, with a height.
     *
     * @template {HTMLElement} List
     * @param {List} list
     * @param {Entry[]} entries
     */
    add(list, entries) {
      entriesOf.set(list, entries);
      observer.observe(list);
      return list;
    },
    clear: () => observer.disconnect(),
    fill,
  };
}

/**
 * @param {HTMLElement} list
 * @param {number} height
 */
function empty(list, height) {
  // Without a height the whole view is hidden; the list with the focus must stay.
  if (!height || list.contains(document.activeElement)) return;
  list.style.height = `${height}px`;
  list.replaceChildren();
}

/**
 * Calls `more` when the observed end of a list is near.
 *
 * @param {() => unknown} more
 */
export const nearEnd = (more) =>
  new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && more(), {
    rootMargin: "600px",
  });
