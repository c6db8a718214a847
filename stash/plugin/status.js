// How things stand, among the plugin's settings: the connection, the scans, the last tasks.

(() => {
  const { React, patch } = window.PluginApi;
  const { h, Check, Wrong, ask, counted } = window.performerRecognition;

  const POLL_MILLISECONDS = 3000;
  const MOST_TASKS = 5;

  /** @type {Record<string, string>} */
  const KINDS = { sync: "Enrol", scan: "Find people", apply: "Apply", undo: "Undo" };

  /** @param {Recognition.Status} status */
  function scanning({ queued, working }) {
    if (!queued && !working) return "Nothing is left to look at.";
    return `In work: ${counted(working, "video")}. Waiting: ${queued}.`;
  }

  function Status() {
    const [status, setStatus] = React.useState(/** @type {Recognition.Status | null} */ (null));
    const [wrong, setWrong] = React.useState("");
    React.useEffect(() => {
      let current = true;
      const load = async () => {
        try {
          const found = await ask("status");
          if (current) setStatus(found);
          if (current) setWrong("");
        } catch (error) {
          if (current) setWrong(String(/** @type {Error} */ (error).message));
        }
        if (current) timer = setTimeout(load, POLL_MILLISECONDS);
      };
      let timer = setTimeout(load, 0);
      return () => {
        current = false;
        clearTimeout(timer);
      };
    }, []);
    if (wrong) return h(Wrong, { text: wrong });
    if (!status) return null;
    return h(
      "div",
      { className: "recognition-status" },
      h(
        "p",
        null,
        status.connected ? scanning(status) : "Not connected yet: check the connection.",
      ),
      h(
        "ul",
        { "aria-label": "The last tasks" },
        status.tasks
          .slice(0, MOST_TASKS)
          .map(({ id, kind, state, text }) =>
            h("li", { key: id }, `${KINDS[kind] ?? kind} (${state}): ${text}`),
          ),
      ),
      h(Check, null),
    );
  }

  patch.after("PluginSettings", (...given) => {
    const made = /** @type {Recognition.Element} */ (given[given.length - 1]);
    if (given[0].pluginID !== "performer_recognition") return made;
    return h(React.Fragment, null, h(Status, null), made);
  });
})();
