// The report: what is filtered, searched and open stands in the address, behind the #.

const FILTERS = { q: "", status: "", folder: "", category: "", doubt: "", reason: "", sort: "" };
const SELECTS = ["status", "folder", "category", "doubt", "sort"];

async function main() {
  const index = await loadIndex("report_files");
  if (!index) return;
  const places = new Map(index.page.map((page, place) => [page, place]).reverse());
  let filters = { ...FILTERS };
  const isDoubtful = index.status.includes(index.statuses.indexOf("doubtful"));
  const usualSort = index.scores ? "score" : isDoubtful ? "trust" : "order";

  const columns = new Map([ // the most first
    ["trust", (page) => (index.trust[page] < 0 ? -2 : -index.trust[page])],
    ...(index.scores ? [["score", (page) => wrongness(index.scores, page)]] : []),
    ["seconds", (page) => index.seconds[page]],
    ["tokens", (page) => index.tokens[page]],
    ["cells", (page) => index.cells[page]],
  ]);
  const corrections = new Corrections(index);
  const texts = new Texts(index, () => filter());
  const list = new VirtualList(byId("list"), 96, (page) =>
    pageRow(index, page, addressOf(page), filters.q ? texts.extract(page, wordsOf(filters.q)) : null, corrections.has(page)));

  const addressOf = (page) => hash({ page: index.page[page] });

  function hash(changes) {
    const parts = Object.entries({ ...filters, ...changes }).filter(([, value]) => value !== "" && value !== undefined);
    return `#${new URLSearchParams(parts).toString().replaceAll("%2F", "/")}`;
  }

  function pick(changes) {
    filters = { ...filters, reason: "", ...changes };
    writeControls();
    apply();
    byId("toolbar").scrollIntoView({ block: "start" });
  }

  function apply() {
    history.replaceState(null, "", hash({}));
    filter();
  }

  // Find the pages to list. Runs again while texts still arrive.
  function filter() {
    const words = wordsOf(filters.q);
    const status = index.statuses.indexOf(filters.status);
    const folder = filters.folder === "" ? -1 : Number(filters.folder);
    const category = index.categories.indexOf(filters.category);
    const doubt = index.doubtKinds.indexOf(filters.doubt);
    const doubts = filters.doubt === "any" ? -1 : doubt >= 0 ? 1 << doubt : 0;
    const reason = filters.reason === "" ? -1 : Number(filters.reason);
    if (words.length) texts.start();
    const found = [];
    for (let page = 0; page < index.page.length; page += 1) {
      if (status >= 0 && index.status[page] !== status) continue;
      if (folder >= 0 && index.folder[page] !== folder) continue;
      if (category >= 0 && !(index.mask[page] & (1 << category))) continue;
      if (doubts && !(index.doubts[page] & doubts)) continue;
      if (reason >= 0 && index.reason[page] !== reason) continue;
      if (words.length && !texts.matches(page, words)) continue;
      found.push(page);
    }
    const column = columns.get(filters.sort || usualSort);
    if (column) found.sort((one, other) => column(other) - column(one) || one - other);
    list.show(found);
    sayCount(found, words);
    if (viewer.isOpen) viewer.sayPlace();
  }

  function sayCount(found, words) {
    const waits = words.length && !texts.isComplete;
    const progress = waits ? ` · ${t("reading", round((100 * texts.loaded) / texts.chunks))}` : "";
    byId("count").textContent = texts.failure ? t("missing", texts.failure.message) : countOf(found, index) + progress;
    byId("nothing").hidden = found.length > 0 || waits;
    byId("list").dataset.ready = String(!waits);
    byId("clear").hidden = Object.entries(filters).every(([name, value]) => name === "sort" || value === "");
  }

  function writeControls() {
    for (const name of SELECTS) byId(name).value = filters[name];
    if (!filters.sort) byId("sort").value = usualSort;
    if (byId("search").value !== filters.q) byId("search").value = filters.q;
  }

  // Do what the address says: at the start, and whenever it changes.
  function followAddress() {
    const asked = new URLSearchParams(location.hash.slice(1));
    const next = Object.fromEntries(Object.keys(FILTERS).map((name) => [name, asked.get(name) ?? ""]));
    if (Object.keys(FILTERS).some((name) => next[name] !== filters[name]) || !list.items.length) {
      filters = next;
      writeControls();
      filter();
    }
    const page = places.get(asked.get("page"));
    if (page !== undefined) viewer.show(page, wordsOf(filters.q));
    else if (viewer.isOpen) viewer.close();
  }

  function fillControls() {
    byId("status").append(option("", t("anyStatus")), ...index.statuses
      .filter((_, number) => index.status.includes(number)).map((name) => option(name, statusWord(name))));
    byId("folder").append(option("", t("anyFolder")),
      ...index.folders.map((name, number) => option(number, name || t("topFolder"))));
    byId("folder").hidden = index.folders.length < 2;
    byId("category").append(option("", t("anyCategory")), ...index.categories
      .filter((_, number) => index.counts[number]).map((name) => option(name, categoryWord(name))));
    const counts = doubtCounts(index);
    byId("doubt").append(option("", t("anyDoubt")), option("any", t("someDoubt")), ...index.doubtKinds
      .filter((_, kind) => counts[kind]).map((name) => option(name, doubtWord(name))));
    byId("doubt").hidden = sum(counts) === 0;
    byId("sort").append(...(index.trust.some((trust) => trust >= 0) ? [option("trust", t("sortTrust"))] : []),
      ...(index.scores ? [option("score", t("sortScore"))] : []), option("order", t("sortOrder")), option("seconds", t("sortSeconds")),
      option("tokens", t("sortTokens")), option("cells", t("sortCells")));
    for (const name of SELECTS) {
      byId(name).addEventListener("change", () => {
        filters = { ...filters, reason: "", [name]: byId(name).value };
        apply();
      });
    }
    byId("search").addEventListener("input", debounce(120, () => {
      filters = { ...filters, q: byId("search").value.trim() };
      apply();
    }));
    byId("clear").addEventListener("click", () => pick(FILTERS));
  }

  fillControls();
  drawOverview(index, pick);
  const viewer = new Editor(index, "report_files", list, addressOf, corrections);
  followAddress();
  addEventListener("hashchange", followAddress);
  viewer.listen();
  document.documentElement.dataset.ready = "true";
}

main();
