// Where the plugin stands in Stash's page: a tab of scenes, buttons on images, galleries and lists,
// a part of a performer's page, and a link in the navigation bar.

(() => {
  const { React, hooks, libraries, patch } = window.PluginApi;
  const { h, Button, FacesPanel, Icon, Wrong, ask, clock, counted, percent, settings } =
    window.performerRecognition;
  const { Nav, Tab } = libraries.Bootstrap;
  const { Link } = libraries.ReactRouterDOM;
  const { faUserCheck } = libraries.FontAwesomeSolid;

  const TAB = "performer-recognition-panel";
  const USUAL_ADDRESS = "http://localhost:8080";

  /** Give the same object for the same content, so that nothing is asked again without need. */
  const subjects = new Map();

  /**
   * @param {Recognition.Kind} kind
   * @param {string} id
   * @param {any[]} files
   * @returns {Recognition.Subject}
   */
  function subjectOf(kind, id, files) {
    const subject = {
      kind,
      id,
      files: files
        .filter((file) => file?.path)
        .map(({ path, size, fingerprints }) => ({
          path,
          size: size ?? 0,
          oshash:
            (fingerprints ?? []).find((/** @type {any} */ one) => one.type === "oshash")?.value ??
            "",
        })),
    };
    const key = JSON.stringify(subject);
    if (!subjects.has(key)) subjects.set(key, subject);
    return subjects.get(key);
  }

  /** The rendered children of a component, with one more. @param {any} props @param {object} more */
  const withChild = (props, more) => ({
    ...props,
    children: h(React.Fragment, null, props.children, more),
  });

  patch.before("ScenePage.Tabs", (props, ...rest) => [
    withChild(props, h(Nav.Item, null, h(Nav.Link, { eventKey: TAB }, "Faces"))),
    ...rest,
  ]);

  patch.before("ScenePage.TabContent", (props, ...rest) => {
    const { scene, setTimestamp } = props;
    const subject = subjectOf("scene", scene.id, scene.files);
    const panel = h(FacesPanel, { subject, onSeek: setTimestamp });
    return [
      withChild(
        props,
        h(Tab.Pane, { eventKey: TAB, mountOnEnter: true, unmountOnExit: true }, panel),
      ),
      ...rest,
    ];
  });

  /** A button that becomes the faces. @param {{subject: Recognition.Subject}} props */
  function FindPeople({ subject }) {
    const [open, setOpen] = React.useState(false);
    if (open) return h(FacesPanel, { subject, lookAtOnce: true });
    return h(
      Button,
      { variant: "secondary", className: "my-2", onClick: () => setOpen(true) },
      h(Icon, { icon: faUserCheck }),
      " Find people",
    );
  }

  /** @param {unknown[]} given What a component was given, and last what it made of it. */
  const made = (given) => /** @type {Recognition.Element} */ (given[given.length - 1]);

  patch.after("ImageDetailPanel", (...given) => {
    const { image } = given[0];
    const subject = subjectOf("image", image.id, image.visual_files ?? []);
    return h(React.Fragment, null, made(given), h(FindPeople, { key: image.id, subject }));
  });

  patch.after("GalleryImagesPanel", (...given) => {
    const { active, gallery } = given[0];
    const subject = subjectOf(
      "gallery",
      gallery.id,
      gallery.folder ? [gallery.folder] : gallery.files,
    );
    const button = active && h(FindPeople, { key: gallery.id, subject });
    return h(React.Fragment, null, button, made(given));
  });

  /** @param {Recognition.Untagged} scene */
  const titleOf = (scene) => scene.title || `Scene ${scene.id}`;

  /** Where somebody was found and is not tagged. @param {{id: string}} props */
  function Untagged({ id }) {
    const [scenes, setScenes] = React.useState(/** @type {Recognition.Untagged[]} */ ([]));
    const [wrong, setWrong] = React.useState("");
    const [busy, setBusy] = React.useState(false);
    const load = React.useCallback(async () => {
      try {
        setScenes((await ask("performer", { id })).scenes);
        setWrong("");
      } catch (error) {
        setWrong(String(/** @type {Error} */ (error).message));
      }
    }, [id]);
    React.useEffect(() => {
      load();
      return undefined;
    }, [load]);
    const add = async (/** @type {Recognition.Untagged} */ { id: scene, person, performer }) => {
      setBusy(true);
      try {
        await ask("add", { scene: { kind: "scene", id: scene }, people: [{ person, performer }] });
        await load();
      } catch (error) {
        setWrong(String(/** @type {Error} */ (error).message));
      }
      setBusy(false);
    };
    if (wrong) return h(Wrong, { text: wrong, onRetry: load });
    if (!scenes.length) return null;
    return h(
      "details",
      { className: "recognition-untagged" },
      h("summary", null, `Found in ${counted(scenes.length, "more scene")}`),
      h(
        "ul",
        { className: "list-unstyled" },
        scenes.map((scene) =>
          h(
            "li",
            { key: scene.id },
            h(
              Link,
              { to: `/scenes/${scene.id}?t=${scene.appearances[0]?.[0] ?? 0}` },
              titleOf(scene),
            ),
            h("span", { className: "mx-2" }, percent(scene.score)),
            h("span", { className: "mr-2 text-muted" }, clock(scene.appearances[0]?.[0] ?? 0)),
            h(
              Button,
              {
                size: "sm",
                variant: "secondary",
                disabled: busy,
                "aria-label": `Add to ${titleOf(scene)}`,
                onClick: () => add(scene),
              },
              "Add",
            ),
          ),
        ),
      ),
    );
  }

  patch.after("PerformerScenesPanel", (...given) => {
    const { active, performer } = given[0];
    const list = active && h(Untagged, { key: performer.id, id: performer.id });
    return h(React.Fragment, null, list, made(given));
  });

  /** The ids of the scenes whose boxes are ticked: Stash tells its plugins only that some are. */
  function tickedScenes() {
    const boxes = document.querySelectorAll(".scene-list input[type=checkbox]:checked");
    const ids = [...boxes].map((box) => {
      const link = box.closest(".scene-card, tr")?.querySelector('a[href*="/scenes/"]');
      return link?.getAttribute("href")?.match(/\/scenes\/(\d+)/)?.[1];
    });
    return [...new Set(ids.filter(Boolean))];
  }

  /** The list's own menu takes words and work; this is how the work can say what it did. */
  let say = /** @type {ReturnType<typeof hooks.useToast> | null} */ (null);

  /** Keep what shows messages: it can be had only inside a component. */
  function Voice() {
    const toast = hooks.useToast();
    React.useEffect(() => {
      say = toast;
      return undefined;
    }, [toast]);
    return null;
  }

  /**
   * Queue what is ticked in a list.
   *
   * @param {"scenes" | "images" | "galleries"} kind
   * @param {string} noun
   * @param {unknown[]} ids
   */
  async function findIn(kind, noun, ids) {
    try {
      // No list would mean all of Stash.
      if (ids.length === 0) throw new Error(`No ${noun} is ticked here. Tick some, and try again.`);
      await ask("scan", { filter: { [kind]: ids } });
      say?.success(`Queued: ${ids.length} ${ids.length === 1 ? noun : kind}.`);
    } catch (error) {
      say?.error(error);
    }
  }

  /** A list, and what shows messages. @param {unknown[]} given */
  const withVoice = (...given) => h(React.Fragment, null, made(given), h(Voice, null));

  patch.before("SceneListOperations", (props, ...rest) => {
    const ours = {
      text: "Find people",
      onClick: () => findIn("scenes", "scene", tickedScenes()),
      isDisplayed: () => props.hasSelection,
    };
    return [{ ...props, operations: [...props.operations, ours] }, ...rest];
  });
  patch.after("SceneListOperations", withVoice);

  for (const [list, kind, noun] of /** @type {const} */ ([
    ["ImageList", "images", "image"],
    ["GalleryList", "galleries", "gallery"],
  ])) {
    // Stash hands over what it shows, how it is filtered, and the ids that are ticked.
    /** @typedef {[found: unknown, filter: unknown, ticked: Set<string>]} Shown */
    patch.before(list, (props, ...rest) => {
      const ours = {
        text: "Find people",
        onClick: (/** @type {Shown} */ ...[, , ticked]) => findIn(kind, noun, [...ticked]),
        isDisplayed: (/** @type {Shown} */ ...[, , ticked]) => ticked.size > 0,
      };
      return [{ ...props, extraOperations: [...(props.extraOperations ?? []), ours] }, ...rest];
    });
    patch.after(list, withVoice);
  }

  /** Our own page, in another tab. */
  function Review() {
    const found = settings();
    const address = String(found.page_address || found.address || USUAL_ADDRESS).replace(
      /\/+$/,
      "",
    );
    if (!/^https?:\/\//i.test(address)) return null;
    return h(
      Nav.Link,
      { as: "div", className: "col-4 col-sm-3 col-md-2 col-lg-auto recognition-review" },
      h(
        "a",
        {
          href: `${address}/#library`,
          title: "Review",
          "aria-label": "Review",
          target: "_blank",
          rel: "noopener noreferrer",
          className:
            "btn btn-primary minimal p-4 p-xl-2 d-flex d-xl-inline-block flex-column " +
            "justify-content-between align-items-center",
        },
        h(Icon, { icon: faUserCheck, className: "nav-menu-icon d-block d-xl-inline mb-2 mb-xl-0" }),
        h("span", null, "Review"),
      ),
    );
  }

  patch.before("MainNavBar.MenuItems", (props, ...rest) => [
    withChild(props, h(Review, { key: "recognition" })),
    ...rest,
  ]);
})();
