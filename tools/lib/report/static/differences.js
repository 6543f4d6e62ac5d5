// The view of one page in two readings: both pictures with their boxes, and what differs.

class Differences extends PageView {
  head(page) {
    byId("page-name").replaceChildren(h("b", { text: this.index.page[page] }));
    document.title = `${this.index.page[page]} · ${this.title}`;
  }

  draw(page, details) {
    const { index } = this;
    // Of each row its places on both sheets, -1: none; first the rows of doubts, then those of differences.
    const doubted = [0, 1].flatMap((side) => placesOf(details.doubts[side], details.cells[side])
      .map((place) => (side ? [-1, place] : [place, -1])));
    this.places = [...doubted, ...details.differences.map(([first, second]) => [first, second])];
    const rowAt = [new Map(), new Map()]; // place -> its row, for each side
    this.places.forEach((places, row) =>
      [0, 1].forEach((side) => places[side] >= 0 && rowAt[side].set(places[side], row)));
    this.sheets = [0, 1].map((side) => {
      const cells = details.cells[side];
      const pane = byId(side ? "second" : "first");
      const name = side ? index.b : index.a;
      pane.setAttribute("aria-label", name);
      const status = index.statuses[page][side];
      const title = h("p", { class: "side-name" }, h("b", { text: `${side ? "B" : "A"} ` }), h("span", { class: "muted", text: `${name} ` }),
        status && status !== "ok" ? h("span", { class: `pill ${status}`, text: statusWord(status) }) : null,
        index.trusts[page][side] >= 0 ? h("span", { class: "muted", text: ` ${t("trustOf", n2.format(index.trusts[page][side]))}` }) : null);
      const reason = details.reasons[side];
      pane.replaceChildren(title, ...(reason ? [h("p", { class: "remark", text: reason })] : []));
      if (!status) {
        pane.append(h("p", { class: "remark", text: t("onlyIn", side ? index.a : index.b) }));
        return null;
      }
      const sheet = makeSheet({
        index, picture: pictureOf(index, page, side, "pages"),
        aspect: index.aspects[page][side], cells, doubts: details.doubts[side],
        onmark: (place) => this.mark(rowAt[side].get(place) ?? -1, "text"),
      });
      sheet.boxes.forEach((box, place) => {
        const row = rowAt[side].get(place);
        box.classList.add(row === undefined ? "same" : "differs");
        if (row >= doubted.length && this.places[row][1 - side] < 0) box.classList.add("alone");
      });
      pane.append(sheet.element);
      pane.scrollTo(0, 0);
      return sheet;
    });
    const [gone, came] = details.doubts.map((doubts, side) => doubts.map((doubt, number) =>
      this.doubt(doubt, details.cells[side], side, side * details.doubts[0].length + number)));
    const differences = details.differences.map((difference, number) => this.row(details, difference, doubted.length + number));
    this.rows = [...gone, ...came, ...differences];
    const headed = (words, rows) => (rows.length ? [h("h2", { text: words }), ...rows] : []);
    byId("text").replaceChildren(...headed(t("doubtsWent"), gone), ...headed(t("doubtsCame"), came), ...differences);
    if (!this.rows.length) byId("text").append(h("p", { class: "remark", text: t("noDifference") }));
    byId("text").scrollTo(0, 0);
  }

  // A doubt that went away is one of A's, a new one is of B's.
  doubt(doubt, cells, side, row) {
    return doubtRow(this.index, doubt, cells, this.places[row][side], this.listeners(row), side ? "B" : "A");
  }

  listeners(row) {
    return {
      onmouseenter: () => this.mark(row, "sheets"), onmouseleave: () => this.mark(-1),
      onfocus: () => this.mark(row, "sheets"), onblur: () => this.mark(-1),
    };
  }

  row(details, difference, row) {
    const [first, second, overlap, words] = difference;
    const { categories } = this.index;
    const names = [first, second].map((cell, side) => (cell < 0 ? "" : categories[details.cells[side][cell][0]]));
    const kind = names[1] || names[0];
    const head = h("header", {}, ...[first, second].map((cell, side) =>
      cell < 0 ? null : h("span", { class: `number ${names[side]}`, text: `${side ? "B" : "A"} ${cell + 1}` })));
    if (first >= 0 && second >= 0) {
      head.append(names[0] === names[1] ? categoryWord(names[0]) : `${categoryWord(names[0])} → ${categoryWord(names[1])}`);
      if (overlap < 0.9) head.append(h("span", { text: `· ${t("overlap", round(Math.floor(100 * overlap)))}` }));
    } else {
      head.append(`${categoryWord(kind)} · ${t("onlyIn", first < 0 ? "B" : "A")}`);
    }
    const alone = first < 0 ? details.texts[1][second] : second < 0 ? details.texts[0][first] : "";
    const tag = { "=": "span", "-": "del", "+": "ins" };
    return h("article", {
      class: `difference ${kind}`, tabindex: "0", ...this.listeners(row),
    }, head,
    words ? h("p", { class: "words" }, ...words.map(([sign, text]) => h(tag[sign], { text }))) : null,
    alone ? h("p", { class: "words" }, h(first < 0 ? "ins" : "del", { text: alone })) : null);
  }

  mark(number, reveal) {
    this.rows.forEach((row, place) => row.classList.toggle("marked", place === number));
    [0, 1].forEach((side) => {
      const place = number < 0 ? -1 : this.places[number][side];
      this.sheets[side]?.mark(place);
      if (place >= 0 && reveal === "sheets") this.sheets[side]?.reveal(place);
    });
    if (number >= 0 && reveal === "text") this.rows[number].scrollIntoView({ block: "nearest" });
  }
}

// The address of a page's picture, which belongs to the report of that side.
function pictureOf(index, page, side, kind) {
  const name = index.pictures[page][side];
  return name ? `${address(index.places[side])}/${kind}/${name}.webp` : "";
}
