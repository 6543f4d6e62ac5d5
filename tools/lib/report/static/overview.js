// The totals, the plots, and one row of the list.

function drawOverview(index, pick) {
  const counts = index.statuses.map((_, status) => index.status.filter((s) => s === status).length);
  const pages = index.page.length;
  const failed = counts[index.statuses.indexOf("failed")];
  const left = counts[index.statuses.indexOf("left")];
  const doubtful = counts[index.statuses.indexOf("doubtful")];
  sayHead(`${index.name} · dots.ocr`, index.name, t("made", when(index.made)), index.model,
    ...index.settings.map(([name, value]) => `${name} ${value}`));

  byId("lacks").hidden = !index.lacks;
  byId("lacks").textContent = `${index.model}: ${index.lacks}`;

  const { run } = index;
  byId("totals").replaceChildren(
    total(t("pages"), round(pages), t("done", round(pages - failed - left))),
    total(t("failed"), round(failed), failed ? t("ofPages", n1.format((100 * failed) / pages)) : "", failed ? "bad" : ""),
    ...(index.trust.some((trust) => trust >= 0)
      ? [total(t("doubtful"), round(doubtful), doubtful
        ? h("button", { type: "button", class: "link", onclick: () => pick({ status: "doubtful" }), text: t("lookFirst") }) : "", doubtful ? "doubtful" : "")] : []),
    ...(index.scores ? [scoreTotal(index.scores)] : []),
    total(t("speed"), run.pages ? short(run.pages_per_second) : "–",
      run.pages ? t("speedRun", round(run.pages), duration(run.seconds)) : ""),
    total(t("tokens"), compact(sum(index.tokens)), t("tokensIn", compact(index.tokensIn))),
    total(t("gpuHours"), run.gpu_hours ? fine(run.gpu_hours) : "–", run.gpu_hours ? t("whileReading") : ""),
    total(t("cost"), run.cost_usd ? `$${fine(run.cost_usd)}` : "–", run.cost_usd ? t("whileReading") : ""),
  );

  byId("statuses").hidden = counts.filter(Boolean).length < 2;
  byId("statuses").replaceChildren(...index.statuses.flatMap((status, number) =>
    counts[number] ? [h("button", {
      type: "button", class: `status ${status}`, css: { "flex-grow": counts[number] },
      onclick: () => pick({ status }),
    }, h("span", { text: `${statusWord(status)} ${round(counts[number])}` }))] : []));

  byId("plots").replaceChildren(
    throughput(index.finished),
    histogram(t("secondsPerPage"), index.seconds, KOREAN ? "초" : " s"),
    histogram(t("tokensPerPage"), index.tokens, ""),
    plotCard(t("categories"), t("cells", round(sum(index.counts))), barRows(
      index.categories
        .map((key, place) => ({ key, label: categoryWord(key), count: index.counts[place] }))
        .filter(({ count }) => count)
        .sort((one, other) => other.count - one.count),
      (category) => pick({ category }))),
  );
  drawDoubts(index, pick);
  drawFailures(index, pick);
}

// How many pages have a doubt of each kind.
const doubtCounts = (index) => index.doubtKinds.map((_, kind) => index.doubts.filter((mask) => mask & (1 << kind)).length);

function drawDoubts(index, pick) {
  const counts = doubtCounts(index);
  byId("doubts").hidden = sum(counts) === 0;
  byId("doubt-kinds").replaceChildren(...countRows(index.doubtKinds
    .map((doubt, kind) => ({ count: counts[kind], text: doubtWord(doubt), onclick: () => pick({ doubt }) }))));
}

function drawFailures(index, pick) {
  const failed = index.statuses.indexOf("failed");
  const tally = new Map();
  index.reason.forEach((reason, page) => {
    if (index.status[page] === failed && reason >= 0) tally.set(reason, (tally.get(reason) ?? 0) + 1);
  });
  byId("failures").hidden = tally.size === 0;
  byId("reasons").replaceChildren(...countRows([...tally].map(([reason, count]) =>
    ({ count, text: index.reasons[reason], onclick: () => pick({ status: "failed", reason }) }))));
}

// Rows of a count and what is counted, the most first; a click picks it.
function countRows(rows) {
  return rows.filter(({ count }) => count).sort((one, other) => other.count - one.count)
    .map(({ count, text, onclick }) => h("li", {}, h("button", { type: "button", onclick },
      h("b", { text: round(count) }), h("span", { text }))));
}

const sum = (values) => values.reduce((total, value) => total + value, 0);

// One page in the list. extract is the text around what was searched, if it was; isEdited tells
// whether somebody corrects it here.
function pageRow(index, page, href, extract, isEdited) {
  const status = index.statuses[index.status[page]];
  const folder = index.folders[index.folder[page]];
  const picture = index.picture[page];
  const reason = index.reason[page];
  const kinds = index.doubtKinds.filter((_, kind) => index.doubts[page] & (1 << kind));
  const trust = index.trust[page];
  const facts = [
    trust >= 0 && trust < 1 ? t("trustOf", n2.format(trust)) : "",
    ...scoresOf(index, page).slice(0, 1),
    index.cells[page] ? t("cells", round(index.cells[page])) : "",
    index.tokens[page] ? t("tokensOf", round(index.tokens[page])) : "",
    index.seconds[page] ? `${short(index.seconds[page])}${KOREAN ? "초" : " s"}` : "",
  ].filter(Boolean);
  const text = h("p", { class: "snippet" });
  if (extract) text.append(...extract);
  else text.textContent = status === "failed" || status === "left" ? index.reasons[reason] ?? "" : index.snippet[page];
  return h("div", { class: "row", role: "listitem" },
    h("a", { href, class: "row-link" },
      h("span", { class: "thumb" }, picture
        ? h("img", { src: `report_files/thumbs/${picture}.webp`, alt: "", loading: "lazy", decoding: "async" })
        : h("span", { class: "no-thumb" })),
      h("span", { class: "row-text" },
        h("span", { class: "row-name" },
          folder ? h("span", { class: "muted", text: `${folder}/` }) : null, h("b", { text: index.label[page] }),
          status === "ok" ? null : h("span", { class: `pill ${status}`, text: statusWord(status) }),
          isEdited ? h("span", { class: "pill edited", text: t("edited") }) : null,
          kinds.length ? h("span", { class: "kinds", text: kinds.map(doubtWord).join(" · ") }) : null),
        text),
      h("span", { class: "row-facts muted" }, h("span", { text: facts.join(" · ") }), swatches(index, page))));
}

function swatches(index, page) {
  const found = index.categories.filter((_, place) => index.mask[page] & (1 << place));
  return h("span", { class: "swatches" },
    ...found.map((name) => h("span", { class: `swatch ${name}`, title: categoryWord(name) })));
}
