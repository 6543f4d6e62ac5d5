// The view of one page: its picture with the boxes, its text beside it.

class Viewer extends PageView {
  constructor(...rest) {
    super(...rest);
    Object.assign(this, { zoom: 1, hidden: new Set(), doubts: [] });
    byId("zoom-in").addEventListener("click", () => this.setZoom(this.zoom * 1.25));
    byId("zoom-out").addEventListener("click", () => this.setZoom(this.zoom / 1.25));
  }

  head(page) {
    const { index } = this;
    const folder = index.folders[index.folder[page]];
    const status = index.statuses[index.status[page]];
    byId("page-name").replaceChildren(
      ...(folder ? [h("span", { class: "muted", text: `${folder}/` })] : []), h("b", { text: index.label[page] }));
    byId("page-status").className = `pill ${status}`;
    byId("page-status").textContent = statusWord(status);
    document.title = `${index.label[page]} · ${index.name}`;
  }

  draw(page, details, words) {
    const { index } = this;
    const name = index.picture[page];
    const picture = name ? `report_files/pages/${name}.webp` : "";
    const aspect = index.aspect[page];
    const { cells, doubts } = details;
    this.sheet = makeSheet({
      index, picture, aspect, cells, doubts,
      onmark: (place) => this.mark(place, "text"), onpick: (place) => this.texts[place].focus(),
    });
    const texts = cells.map((cell, place) => this.cellText(cell, place, picture, aspect));
    this.doubts = doubts.map((doubt, number) => this.doubt(doubt, cells, this.sheet.places[number]));
    this.texts = [...texts, ...this.doubts.filter((_, number) => this.sheet.places[number] >= cells.length)];
    byId("sheet").replaceChildren(this.sheet.element);
    byId("text").replaceChildren(this.facts(page, details), this.legend(cells), ...this.remarks(page, details),
      ...this.doubtList(details), ...texts);
    byId("sheet").scrollTo(0, 0);
    byId("text").scrollTo(0, 0);
    this.hideCategories();
    highlight(byId("text"), words);
  }

  cellText(cell, place, picture, aspect) {
    const name = this.index.categories[cell[0]];
    const content = h("div", { class: "content" });
    if (cell[6] === undefined) setCleanedHtml(content, cell[5]);
    else content.append(h("p", { class: "plain", text: cell[6] })); // as somebody has just typed it
    if (name === "Picture") content.append(cutOut(picture, aspect, cell) ?? "");
    const reasons = this.sheet.reasons(place);
    return h("article", {
      class: `cell ${name}`, tabindex: "0", "aria-label": [`${place + 1} ${categoryWord(name)}`, ...reasons].join(": "),
      onmouseenter: () => this.mark(place, "sheet"),
      onmouseleave: () => this.mark(-1),
      onfocus: () => this.mark(place, "sheet"),
      onblur: () => this.mark(-1),
    }, h("header", {}, h("span", { class: "number", text: place + 1 }), h("span", { text: categoryWord(name) })),
    ...reasons.map((text) => h("p", { class: "doubt-note" }, h("span", { class: "number", text: "!" }), h("span", { text }))),
    content);
  }

  doubt(doubt, cells, place) {
    return doubtRow(this.index, doubt, cells, place, {
      onmouseenter: () => this.mark(place, "sheet"),
      onmouseleave: () => this.mark(-1),
      onfocus: () => this.mark(place, "sheet"),
      onblur: () => this.mark(-1),
      onclick: () => this.texts[place].focus(),
    });
  }

  doubtList({ doubts, moreDoubts }) {
    if (!doubts.length) return [];
    return [h("section", { class: "doubts", "aria-label": t("doubts") },
      h("h2", { text: `${t("doubts")} ${round(doubts.length + moreDoubts)}` }), ...this.doubts,
      moreDoubts ? h("p", { class: "muted", text: t("moreDoubts", round(moreDoubts)) }) : null)];
  }

  nextDoubt() {
    const place = this.doubts.indexOf(document.activeElement);
    this.doubts[(place + 1) % this.doubts.length]?.focus();
  }

  facts(page, details) {
    const { index } = this;
    const files = index.page[page];
    const read = index.cells[page] || details.cells.length;
    const said = [
      index.trust[page] >= 0 ? t("trustOf", n2.format(index.trust[page])) : "",
      ...scoresOf(index, page),
      details.size[0] ? `${round(details.size[0])} × ${round(details.size[1])}` : "",
      index.seconds[page] ? `${short(index.seconds[page])}${KOREAN ? "초" : " s"}` : "",
      index.tokens[page] ? t("tokensOf", round(index.tokens[page])) : "",
      details.attempts > 1 ? t("tries", round(details.attempts)) : "",
      details.model,
    ].filter(Boolean);
    return h("p", { class: "facts muted" }, h("span", { text: said.join(" · ") }),
      read ? h("span", { class: "files" }, h("a", { href: `${address(files)}.md`, text: "Markdown" }),
        h("a", { href: `${address(files)}.json`, text: "JSON" })) : null);
  }

  remarks(page, details) {
    const reason = this.index.reasons[this.index.reason[page]];
    const status = this.index.statuses[this.index.status[page]];
    const bad = status === "failed" ? "bad" : "";
    return [
      ...(reason ? [h("p", { class: `remark ${bad}`, text: reason })] : []),
      ...details.notes.map((note) => h("p", { class: "remark", text: note })),
      ...(details.cells.length || reason ? [] : [h("p", { class: "remark", text: t("noCells") })]),
    ];
  }

  // The page's categories; a click hides the cells of one.
  legend(cells) {
    const found = this.index.categories.filter((_, number) => cells.some(([category]) => category === number));
    return h("div", { class: "legend" }, ...found.map((name) => h("button", {
      type: "button", class: name, "aria-pressed": String(!this.hidden.has(name)),
      onclick: (event) => {
        if (!this.hidden.delete(name)) this.hidden.add(name);
        event.currentTarget.setAttribute("aria-pressed", String(!this.hidden.has(name)));
        this.hideCategories();
      },
    }, h("span", { class: "swatch" }), categoryWord(name))));
  }

  hideCategories() {
    [...this.sheet.boxes, ...this.texts].forEach((element) => {
      element.hidden = [...this.hidden].some((name) => element.classList.contains(name));
    });
  }

  // Mark a cell on both sides; reveal is the side that shall scroll to it.
  mark(place, reveal) {
    this.sheet.mark(place);
    this.texts.forEach((text, number) => text.classList.toggle("marked", number === place));
    if (place < 0) return;
    if (reveal === "sheet") this.sheet.reveal(place);
    if (reveal === "text") this.texts[place].scrollIntoView({ block: "nearest" });
  }

  setZoom(zoom) {
    this.zoom = Math.min(4, Math.max(0.5, zoom));
    setStyle(byId("sheet"), { "--zoom": this.zoom });
  }

  get keys() {
    return {
      ...super.keys,
      d: () => this.nextDoubt(),
      "+": () => this.setZoom(this.zoom * 1.25), "=": () => this.setZoom(this.zoom * 1.25),
      "-": () => this.setZoom(this.zoom / 1.25), 0: () => this.setZoom(1),
    };
  }
}
