// What the reader of a report has corrected: kept in the browser, page by page, saved as a file.
// A correction: what tells the page and its reading, and the page's whole new list of cells,
// each [left, top, right, bottom, category, text or null] in pixels of the page.

const FILE = "corrections.json";
const FORM = 1;

class Corrections {
  constructor(index) {
    Object.assign(this, { index, pages: new Map(), stale: 0, isKept: true });
    this.prefix = `dots-ocr ${location.pathname} `; // all files of a disk may share one store
    this.read();
    for (const button of document.querySelectorAll(".save")) button.addEventListener("click", () => this.save());
    addEventListener("beforeunload", (event) => {
      if (!this.isKept && [...this.pages.values()].some(({ isSaved }) => !isSaved)) event.preventDefault();
    });
    this.tell();
  }

  has(page) {
    return this.pages.has(page);
  }

  get(page) {
    return this.pages.get(page);
  }

  set(page, { input, pdfPage, sha256 }, cells) {
    const correction = { input, pdfPage, sha256, reading: this.index.reading[page], cells, isSaved: false };
    this.pages.set(page, correction);
    this.keep(page, correction);
    this.tell();
  }

  discard(page) {
    this.pages.delete(page);
    this.store((kept) => kept.removeItem(this.prefix + this.index.page[page]));
    this.tell();
  }

  keep(page, correction) {
    this.store((kept) => kept.setItem(this.prefix + this.index.page[page], JSON.stringify(correction)));
  }

  // Do something with what the browser keeps; it may keep nothing, or be full.
  store(action) {
    try {
      action(localStorage);
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      this.isKept = false;
    }
  }

  // What is of an older reading is left out: it cannot be laid on this one.
  read() {
    const places = new Map(this.index.page.map((page, place) => [page, place]));
    const corrected = this.index.statuses.indexOf("corrected");
    this.store((kept) => {
      for (const key of Object.keys(kept).filter((name) => name.startsWith(this.prefix))) {
        const page = places.get(key.slice(this.prefix.length));
        const correction = asCorrection(kept.getItem(key), this.index.categories);
        if (correction && page !== undefined && correction.reading === this.index.reading[page]) {
          this.pages.set(page, correction);
        } else {
          kept.removeItem(key);
          const isApplied = correction?.isSaved && this.index.status[page] === corrected;
          this.stale += isApplied ? 0 : 1;
        }
      }
    });
  }

  tell() {
    const count = this.pages.size;
    for (const button of document.querySelectorAll(".save")) {
      button.hidden = count === 0;
      button.textContent = t("save", round(count));
      button.title = t("saveHow");
    }
    const said = [
      count ? t("saveHow") : "", count && !this.isKept ? t("notKept") : "", this.stale ? t("stale", round(this.stale)) : "",
    ].filter(Boolean);
    for (const remark of document.querySelectorAll(".corrections")) {
      remark.hidden = said.length === 0;
      remark.textContent = said.join(" ");
    }
  }

  save() {
    const pages = [...this.pages].sort(([one], [other]) => one - other).map(([page, correction]) => ({
      page: this.index.page[page],
      input: correction.input,
      pdf_page: correction.pdfPage,
      sha256: correction.sha256,
      reading: correction.reading,
      cells: correction.cells.map(asCell),
    }));
    download(FILE, `${JSON.stringify({ dots_ocr_corrections: FORM, pages })}\n`);
    for (const [page, correction] of this.pages) {
      correction.isSaved = true;
      this.keep(page, correction);
    }
  }
}

function asCell([left, top, right, bottom, category, text]) {
  const cell = { bbox: [left, top, right, bottom], category };
  return text === null || (category === "Picture" && text === "") ? cell : { ...cell, text };
}

// What the browser has kept, if it can be a correction: whatever opened a file here may write there.
function asCorrection(text, categories) {
  let found;
  try {
    found = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  const isText = (value) => typeof value === "string";
  const isCell = (cell) => Array.isArray(cell) && cell.length === 6 && cell.slice(0, 4).every(Number.isSafeInteger)
    && categories.includes(cell[4]) && (cell[5] === null || isText(cell[5]));
  const isPage = (value) => value === null || Number.isSafeInteger(value);
  const fits = found && [found.input, found.sha256, found.reading].every(isText) && isPage(found.pdfPage)
    && Array.isArray(found.cells) && found.cells.every(isCell);
  return fits ? found : null;
}

function download(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
