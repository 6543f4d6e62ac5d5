// What differs between two result sets, page by page.

const WAYS = { text: "kindText", boxes: "kindBoxes", category: "kindCategory", status: "kindStatus", doubts: "kindDoubts", only: "kindOnly" };

async function main() {
  const index = await loadIndex("compare_files");
  if (!index) return;
  const places = new Map(index.page.map((page, place) => [page, place]));
  const list = new VirtualList(byId("list"), 64, (page) => row(index, page));

  function filter() {
    const words = wordsOf(byId("search").value);
    const way = byId("way").value;
    const found = index.page.map((_, page) => page).filter((page) =>
      (way === "" || (way === "any" ? index.ways[page].length : index.ways[page].includes(way)))
      && words.every((word) => plain(index.page[page]).includes(word)));
    if (byId("sort").value === "name") {
      const order = new Intl.Collator(LOCALE, { numeric: true }).compare;
      found.sort((one, other) => order(index.page[one], index.page[other]));
    }
    list.show(found);
    byId("count").textContent = countOf(found, index);
    byId("nothing").hidden = found.length > 0;
    if (viewer.isOpen) viewer.sayPlace();
  }

  function followAddress() {
    const page = places.get(new URLSearchParams(location.hash.slice(1)).get("page"));
    if (page !== undefined) viewer.show(page);
    else if (viewer.isOpen) viewer.close();
  }

  drawTotals(index);
  const viewer = new Differences(index, "compare_files", list, (page) => (page === undefined ? "#" : pageHash(index, page)));
  byId("way").append(option("", t("all", round(index.page.length))), option("any", t("anyChange")),
    ...Object.keys(WAYS).filter((way) => index.kinds[way])
      .map((way) => option(way, `${t(WAYS[way])} (${round(index.kinds[way])})`)));
  byId("sort").append(option("change", t("sortChange")), option("name", t("sortOrder")));
  for (const name of ["way", "sort"]) byId(name).addEventListener("change", filter);
  byId("search").addEventListener("input", debounce(120, filter));
  filter();
  followAddress();
  addEventListener("hashchange", followAddress);
  viewer.listen();
  document.documentElement.dataset.ready = "true";
}

const pageHash = (index, page) =>
  `#${new URLSearchParams({ page: index.page[page] }).toString().replaceAll("%2F", "/")}`;

const percent = (part) => `${part === 1 ? 100 : n1.format(Math.min(99.9, 100 * part))} %`;

function drawTotals(index) {
  const name = `${index.a} ↔ ${index.b}`;
  sayHead(name, name, t("made", when(index.made)));
  const alone = [["only_a", index.a], ["only_b", index.b]].filter(([key]) => index[key])
    .map(([key, name]) => `${round(index[key])} ${t("onlyIn", name)}`);
  byId("totals").replaceChildren(
    total(t("compared"), round(index.compared), alone.join(" · ")),
    total(t("changed"), round(index.changed), t("unchanged", round(index.compared - index.changed))),
    total(t("textSame"), percent(index.text_alike), t("wordsDiffer", round(index.words_changed))),
    total(t("boxesAlike"), percent(index.boxes_alike),
      [t("movedBoxes", round(index.moved)), t("addedBoxes", round(index.added)), t("removedBoxes", round(index.removed))].join(" · ")),
    total(t("otherCategory"), round(index.recategorised), t("ofBoxes", round(index.boxes))),
    ...(index.doubts_gone || index.doubts_new || index.doubtful_a || index.doubtful_b ? [
      total(t("doubtsWent"), round(index.doubts_gone),
        [t("doubtsNew", round(index.doubts_new)), t("doubtfulPages", round(index.doubtful_a), round(index.doubtful_b))].join(" · "))] : []),
  );
}

function row(index, page) {
  const [alike, words, moved, added, removed, category, doubtsGone, doubtsNew] = index.facts[page];
  const ways = index.ways[page];
  const [first, second] = index.statuses[page];
  const said = [
    words ? t("wordsChanged", round(words)) : "",
    moved ? t("movedBoxes", round(moved)) : "",
    added ? t("addedBoxes", round(added)) : "",
    removed ? t("removedBoxes", round(removed)) : "",
    category ? t("categoryChanges", round(category)) : "",
    doubtsGone ? t("doubtsGone", round(doubtsGone)) : "",
    doubtsNew ? t("doubtsNew", round(doubtsNew)) : "",
    ways.includes("status") ? `${statusWord(first)} → ${statusWord(second)}` : "",
    first ? "" : t("onlyIn", index.b),
    second ? "" : t("onlyIn", index.a),
  ].filter(Boolean);
  const thumb = pictureOf(index, page, 1, "thumbs") || pictureOf(index, page, 0, "thumbs");
  return h("div", { class: "row", role: "listitem" }, h("a", { class: "row-link", href: pageHash(index, page) },
    h("span", { class: "thumb" }, thumb
      ? h("img", { src: thumb, alt: "", loading: "lazy", decoding: "async" }) : h("span", { class: "no-thumb" })),
    h("span", { class: "row-text" }, h("span", { class: "row-name" }, h("b", { text: index.page[page] })),
      h("span", { class: "ways" }, ...(said.length ? said : [t("noDifference")]).map((text) => h("span", { text })))),
    h("span", { class: "alike" }, ...(first && second
      ? [h("span", { class: "track" }, h("span", { css: { width: `${100 * alike}%` } })), h("b", { text: percent(alike) })] : []))));
}

main();
