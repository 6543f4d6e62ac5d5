// A list of any length: only the rows in view are elements. It scrolls with the window.

class VirtualList {
  constructor(container, rowHeight, renderRow) {
    Object.assign(this, { container, rowHeight, renderRow, items: [], rows: new Map() });
    const draw = () => this.draw();
    let waiting = false;
    addEventListener("scroll", () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        draw();
      });
    }, { passive: true });
    addEventListener("resize", draw);
    addEventListener("beforeprint", () => this.drawForPrint());
    addEventListener("afterprint", () => this.show(this.items));
  }

  // Show these items; rows already drawn are drawn again.
  show(items) {
    this.items = items;
    for (const row of this.rows.values()) row.remove();
    this.rows.clear();
    this.container.replaceChildren();
    this.container.classList.remove("printed");
    setStyle(this.container, { height: `${items.length * this.rowHeight}px` });
    this.draw();
  }

  draw() {
    const top = -this.container.getBoundingClientRect().top;
    const spare = 6;
    const first = Math.max(0, Math.floor(top / this.rowHeight) - spare);
    const inView = Math.ceil(innerHeight / this.rowHeight) + 2 * spare;
    const last = Math.min(this.items.length, first + inView);
    for (const [place, row] of this.rows) {
      if (place < first || place >= last) {
        if (row.contains(document.activeElement)) continue; // the focus must not get lost
        row.remove();
        this.rows.delete(place);
      }
    }
    for (let place = first; place < last; place += 1) {
      if (!this.rows.has(place)) this.add(place);
    }
  }

  add(place) {
    const row = this.renderRow(this.items[place], place);
    setStyle(row, { transform: `translateY(${place * this.rowHeight}px)` });
    row.setAttribute("aria-posinset", place + 1);
    row.setAttribute("aria-setsize", this.items.length);
    this.rows.set(place, row);
    // In the order of places, for who walks with Tab.
    let before = null;
    for (const [other, element] of this.rows) {
      if (other > place && (before === null || other < before.place)) before = { place: other, element };
    }
    this.container.insertBefore(row, before?.element ?? null);
    return row;
  }

  // The place of the row that has the focus, or -1.
  get focused() {
    for (const [place, row] of this.rows) if (row.contains(document.activeElement)) return place;
    return -1;
  }

  focus(place) {
    if (place < 0 || place >= this.items.length) return;
    const row = this.rows.get(place) ?? this.add(place);
    const box = row.getBoundingClientRect();
    const barrier = 72; // the bar that sticks to the top
    if (box.top < barrier) scrollBy(0, box.top - barrier - this.rowHeight);
    else if (box.bottom > innerHeight) scrollBy(0, box.bottom - innerHeight + this.rowHeight);
    (row.querySelector("a") ?? row).focus({ preventScroll: true });
    this.draw();
  }

  // On paper there is no scrolling: the first rows, one below the other.
  drawForPrint() {
    const most = 500;
    this.container.classList.add("printed");
    this.container.replaceChildren(...this.items.slice(0, most).map((item, place) => this.renderRow(item, place)));
    if (this.items.length > most) {
      this.container.append(h("p", { text: t("more", round(this.items.length - most)) }));
    }
  }
}
