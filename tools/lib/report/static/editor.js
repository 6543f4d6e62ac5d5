// The view of a page that can be corrected: what was corrected is shown, and forms if that is wanted.

class Editor extends Viewer {
  constructor(index, root, list, addressOf, corrections) {
    super(index, root, list, addressOf);
    Object.assign(this, { corrections, isEditing: false, shown: null });
    byId("correct").addEventListener("click", () => this.toggleForms());
  }

  async draw(page, details, words) {
    this.shown = { page, details, words };
    if (!this.isEditing && !this.corrections.has(page)) {
      super.draw(page, details, words);
      return;
    }
    let raw;
    try {
      raw = (await load(this.root, `cells/${Math.floor(page / this.index.chunk)}`))[page % this.index.chunk];
    } catch (error) {
      byId("text").replaceChildren(failure(error));
      return;
    }
    if (this.page !== page) return;
    const cells = this.corrections.get(page)?.cells ?? raw;
    super.draw(page, this.corrected(details, raw, cells), words);
    this.sayEdited(page);
    if (this.isEditing) this.drawForms(page, details, cells);
  }

  // The details of a page as they are with these cells. What was not corrected is shown as ever.
  corrected(details, raw, cells) {
    const { categories } = this.index;
    const before = new Map(raw.map((cell, place) => [JSON.stringify(cell.slice(4)), place]));
    const now = new Map(cells.map((cell, place) => [JSON.stringify(cell), place]));
    const placeNow = (place) => now.get(JSON.stringify(raw[place])) ?? -1; // -1 also of what was corrected
    return {
      ...details,
      cells: cells.map((cell) => {
        const place = before.get(JSON.stringify(cell.slice(4)));
        const html = place === undefined ? undefined : details.cells[place][5];
        return [categories.indexOf(cell[4]), ...percentOf(cell, details.size), html, html === undefined ? cell[5] ?? "" : undefined];
      }),
      doubts: details.doubts.map((doubt) => doubt.with(5, placeNow(doubt[5]))),
    };
  }

  sayEdited(page) {
    const isEdited = this.corrections.has(page);
    byId("page-status").className = `pill ${isEdited ? "edited" : this.status(page)}`;
    byId("page-status").textContent = isEdited ? t("edited") : statusWord(this.status(page));
  }

  status(page) {
    return this.index.statuses[this.index.status[page]];
  }

  toggleForms() {
    this.isEditing = !this.isEditing;
    byId("correct").setAttribute("aria-pressed", String(this.isEditing));
    this.again();
  }

  // Draw the page again, and put the focus into the form of a cell.
  async again(place = -1) {
    if (!this.shown) return;
    const { page, details, words } = this.shown;
    const [sheet, text] = [byId("sheet").scrollTop, byId("text").scrollTop];
    await this.draw(page, details, words);
    byId("sheet").scrollTo(0, sheet);
    byId("text").scrollTo(0, text);
    if (this.isEditing) this.forms?.[place]?.focus();
  }

  drawForms(page, details, cells) {
    const { index } = this;
    this.forms = [];
    if (!index.reading[page] || !details.size[0]) {
      byId("text").replaceChildren(h("p", { class: "remark", text: t("noAnswer") }));
      return;
    }
    const list = [...cells];
    const write = () => {
      this.corrections.set(page, details, [...list]);
      this.sayEdited(page);
    };
    const redraw = (place) => {
      write();
      this.again(place);
    };
    const put = (place, cell) => {
      list[place] = cell;
      write();
      setStyle(this.sheet.boxes[place], boxStyle(percentOf(cell, details.size)));
    };
    this.forms = list.map((cell, place) => cellForm(cell, place, list.length, index.categories, details.size, {
      focus: () => this.choose(place, details.size, () => list[place], (moved) => put(place, moved)),
      change: (changed) => {
        const isOther = changed[4] !== list[place][4];
        put(place, changed);
        if (isOther) this.again(place); // its colour, and the legend's
      },
      move: (by) => {
        [list[place], list[place + by]] = [list[place + by], list[place]];
        redraw(place + by);
      },
      remove: () => {
        list.splice(place, 1);
        redraw(Math.min(place, list.length - 1));
      },
    }));
    const button = (word, action, isOff = false) =>
      h("button", { type: "button", text: word, disabled: isOff, onclick: action });
    byId("text").replaceChildren(
      h("p", { class: "tools" },
        button(t("addCell"), () => {
          list.push(newCell(details.size));
          redraw(list.length - 1);
        }),
        button(t("isRight"), () => redraw(-1)),
        button(t("discard"), () => {
          this.corrections.discard(page);
          this.again();
        }, !this.corrections.has(page))),
      h("p", { class: "remark corrections", hidden: true }),
      ...this.doubtList(this.shown.details), ...this.forms.map(({ element }) => element));
    this.texts = [...this.forms.map(({ element }) => element), ...this.texts.slice(cells.length)];
    this.corrections.tell();
  }

  // The box of a cell whose form is in use can be dragged at its corners.
  choose(place, size, current, put) {
    const box = this.sheet.boxes[place];
    this.mark(place, "sheet");
    if (box.classList.contains("chosen")) return;
    for (const other of this.sheet.boxes) {
      other.classList.remove("chosen");
      other.querySelectorAll(".handle").forEach((handle) => handle.remove());
    }
    box.classList.add("chosen");
    addHandles(this.sheet.element, box, (corner, x, y) => {
      const moved = withCorner(current(), corner, x, y, size);
      this.forms[place].setBox(moved);
      put(moved);
    }, () => this.forms[place].setBox(current()));
  }

  get keys() {
    return { ...super.keys, e: () => this.toggleForms() };
  }
}

// Left, top, width and height of a cell in percent of a page of this size.
const percentOf = ([left, top, right, bottom], [width, height]) =>
  [(100 * left) / width, (100 * top) / height, (100 * (right - left)) / width, (100 * (bottom - top)) / height];

const boxStyle = ([left, top, width, height]) =>
  ({ left: `${left}%`, top: `${top}%`, width: `${width}%`, height: `${height}%` });

// In the middle of the page, to be moved to where it belongs.
const newCell = ([width, height]) => [
  ...[0.3 * width, 0.45 * height, 0.7 * width, 0.55 * height].map(Math.round), "Text", "",
];
