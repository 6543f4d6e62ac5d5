// How many pixels a page needs: the ways in which a sample was read, and what follows.

const MOST_PAGES = 20;
const n3 = figures(3);

// In percent; 100 only of what is whole.
const kept = (part) => `${part === 1 ? 100 : n2.format(Math.min(99.99, 100 * part))} %`;

async function main() {
  const index = await loadIndex("tune_files");
  if (!index) return;
  sayHead(`${index.name} · ${t("tuneTitle")}`, t("tuneTitle"), index.name,
    t("tuneSample", round(index.sample.length), round(index.pages)), t("made", when(index.made)), index.model);
  const chosen = index.rows.find((row) => row.max_pixels === index.choice);
  drawChoice(index, chosen);
  drawTable(index);
  drawBars(index);
  byId("remarks").replaceChildren(...remarks(index).map((text) => h("li", { text })));
  drawDiffering(chosen);
  document.documentElement.dataset.ready = "true";
}

const compareOf = (row, page) =>
  `${address(`tune_files/${row.name}/compare.html`)}${page === undefined ? "" : `#${new URLSearchParams({ page })}`}`;

// What reading all pages so costs: in USD, or hours where nothing bills.
const costOf = (index, row) => (index.usd_per_hour ? row.usd : row.hours);

function drawChoice(index, chosen) {
  if (!chosen) {
    byId("choice").replaceChildren(h("p", { text: index.rows.length > 1 ? t("tuneNoChoice") : t("tuneOne") }));
    return;
  }
  const [largest] = index.rows;
  const saved = costOf(index, largest) - costOf(index, chosen);
  const facts = chosen === largest ? []
    : [t("tuneKeeps", kept(chosen.text), round(largest.max_pixels), n2.format(chosen.of_time))];
  if (saved > 0) facts.push(t(index.usd_per_hour ? "tuneLess" : "tuneLessHours", n2.format(saved)));
  byId("choice").replaceChildren(
    h("h2", { text: t("tuneTake", round(chosen.max_pixels)) }),
    h("p", { class: "muted parts" }, ...facts.map((text) => h("span", { text }))),
    ...(index.config.length
      ? [h("pre", { text: [`# ${t("tuneConfig")}`, ...index.config].join("\n") })]
      : [h("p", { text: t("tuneStay") })]));
}

function drawTable(index) {
  const [largest] = index.rows;
  const columns = [
    ["tuneText", (row) => kept(row.text)],
    ["tuneWorst", (row) => h("span", { class: row.worst_text < index.least_page ? "less" : "", text: kept(row.worst_text) })],
    ["tuneBoxes", (row) => kept(row.boxes)],
    ...(largest.tables === null ? [] : [["tuneTables", (row) => (row.tables === null ? "–" : kept(row.tables))]]),
    ["tuneDoubtful", (row) => round(row.doubtful)],
    ["tuneFailed", (row) => round(row.failed)],
    ["tuneTokens", (row) => `${round(row.tokens_in)} + ${round(row.tokens_out)}`],
    ["tuneSeconds", (row) => n3.format(row.page_s)],
    ["tuneOfTime", (row) => n2.format(row.of_time)],
    ...(largest.errors === null ? [] : [["cer", (row) => `${n2.format(100 * row.errors)} %`]]),
    [index.usd_per_hour ? "tuneMoney" : "tuneHours", (row) => (index.usd_per_hour ? n2 : n3).format(costOf(index, row))],
  ];
  byId("ways").replaceChildren(
    h("thead", {}, h("tr", {}, h("th", { scope: "col", text: t("tunePixels") }),
      ...columns.map(([word]) => h("th", { scope: "col", text: t(word) })), h("td"))),
    h("tbody", {}, ...index.rows.map((row) => h("tr", { class: row.max_pixels === index.choice ? "chosen" : null },
      h("th", { scope: "row", text: round(row.max_pixels) }, ...tagsOf(index, row).map((text) => h("span", { class: "tag", text }))),
      ...columns.map(([, value]) => h("td", {}, value(row))),
      h("td", {}, row === largest ? "" : h("a", { href: compareOf(row), text: t("tuneLook") }))))));
}

const tagsOf = (index, row) => [
  row.max_pixels === index.choice ? `← ${t("tuneEnough")}` : "",
  row.max_pixels === index.max_pixels ? t("tuneYours") : "",
  row === index.rows[0] ? t("tuneReference") : "",
].filter(Boolean);

function drawBars(index) {
  byId("plot").replaceChildren(h("div", { class: "card" }, h("h2", { text: t("tunePlot") }),
    h("div", { class: "way-bars" }, ...index.rows.flatMap((row) => [
      h("span", { text: round(row.max_pixels) }),
      h("span", { class: "way-track" },
        h("span", { class: "kept", css: { width: `${100 * row.text}%` } }),
        h("span", { class: "time", css: { width: `${Math.min(100, 100 * row.of_time)}%` } })),
      h("span", { class: "muted", text: `${kept(row.text)} · ${n2.format(row.of_time)}` }),
    ]))));
}

// What the figures do not say by themselves.
function remarks(index) {
  const { again, enlarging } = index;
  const below = enlarging && [enlarging.as_it_is, enlarging.other];
  return [
    again && t("tuneAgain", kept(again.text), round(again.compared), kept(again.worst_text)),
    enlarging && t("tuneEnlarging", round(below[0].compared),
      index.upsample_below, kept(below[0].text), kept(below[0].worst_text), round(enlarging.tokens[0]),
      enlarging.upsample_below, kept(below[1].text), kept(below[1].worst_text), round(enlarging.tokens[1])),
    index.rows[0].errors === null && t("tuneNotTruth"),
    index.pages > index.sample.length && t("tuneRare", round(index.rarest), Math.min(1000, index.pages, 4 * index.sample.length)),
    index.seconds_by && t("tuneComputed", index.seconds_by),
    index.model === index.preview && t("tunePreview"),
  ].filter(Boolean);
}

// The pages of the way that we would take, the most different first.
function drawDiffering(chosen) {
  if (!chosen) return;
  const pages = chosen.differ.slice(0, MOST_PAGES);
  byId("differ").replaceChildren(
    h("h2", { text: t("tuneDiffer", round(chosen.max_pixels)) }),
    pages.length ? h("ol", {}, ...pages.map(([page, file, number, text, words]) => h("li", {},
      h("a", { href: compareOf(chosen, page), text: number ? t("tunePage", file, round(number)) : file }),
      h("span", { class: "muted", text: `${kept(text)} · ${t("tuneWords", round(words))}` }))))
      : h("p", { class: "muted", text: t("tuneNone") }),
    ...(chosen.differ.length > pages.length
      ? [h("p", { class: "muted", text: t("more", round(chosen.differ.length - pages.length)) })] : []));
}

main();
