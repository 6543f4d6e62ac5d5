// The view of one page, over the list: opened, walked through, closed.
// What it shows is of the classes that extend it: head(page) and draw(page, details, words).

class PageView {
  // addressOf(page) is the address at which a page is open, addressOf() that of the list.
  constructor(index, root, list, addressOf) {
    Object.assign(this, { index, root, list, addressOf, page: -1, title: document.title });
    const clicks = {
      back: () => this.close(), previous: () => this.step(-1), next: () => this.step(1), boxes: () => this.toggleBoxes(),
    };
    for (const [id, action] of Object.entries(clicks)) byId(id).addEventListener("click", action);
  }

  get isOpen() {
    return !byId("viewer").hidden;
  }

  // Show a page; the words of a search are marked in it.
  async show(page, words = []) {
    this.page = page;
    const wasOpen = this.isOpen;
    byId("viewer").hidden = false;
    byId("overview").inert = true;
    document.body.classList.add("viewing");
    this.head(page);
    this.sayPlace();
    if (!wasOpen) byId("back").focus();
    let details;
    try {
      details = (await load(this.root, `data/${Math.floor(page / this.index.chunk)}`))[page % this.index.chunk];
    } catch (error) {
      byId("text").replaceChildren(failure(error));
      return;
    }
    if (this.page === page) this.draw(page, details, words); // else the next one was asked for already
  }

  // Where the page is among those that are listed.
  sayPlace() {
    const place = this.list.items.indexOf(this.page);
    byId("page-place").textContent = place >= 0 ? `${round(place + 1)} / ${round(this.list.items.length)}` : "";
  }

  step(by) {
    const place = this.list.items.indexOf(this.page);
    const next = this.list.items[place < 0 ? 0 : place + by];
    if (next !== undefined) location.replace(this.addressOf(next));
  }

  close() {
    const { page } = this;
    byId("viewer").hidden = true;
    byId("overview").inert = false;
    document.body.classList.remove("viewing");
    document.title = this.title;
    this.page = -1;
    highlight(document.body, []);
    history.replaceState(null, "", this.addressOf());
    this.list.draw();
    this.list.focus(this.list.items.indexOf(page));
  }

  toggleBoxes() {
    const off = byId("viewer").classList.toggle("without-boxes");
    byId("boxes").setAttribute("aria-pressed", String(!off));
  }

  get keys() {
    return {
      ArrowLeft: () => this.step(-1), k: () => this.step(-1),
      ArrowRight: () => this.step(1), j: () => this.step(1),
      Escape: () => this.close(),
      b: () => this.toggleBoxes(),
    };
  }

  // Obey the keys: those of the page that is shown, or those of the list.
  listen() {
    const { list } = this;
    addEventListener("keydown", (event) => {
      if (hasModifier(event)) return;
      if (event.key === "Escape" && isTyping(event)) event.target.blur();
      if (isTyping(event) && !(event.key === "ArrowDown" && event.target.id === "search")) return;
      if (event.key === "/") {
        if (this.isOpen) this.close();
        byId("search").focus();
        byId("search").select();
      } else if (this.isOpen) {
        if (!Object.hasOwn(this.keys, event.key)) return;
        this.keys[event.key]();
      } else if (["ArrowDown", "j", "ArrowUp", "k"].includes(event.key) && (list.focused >= 0 || isTyping(event))) {
        list.focus(list.focused + (event.key === "ArrowDown" || event.key === "j" ? 1 : -1));
      } else {
        return;
      }
      event.preventDefault();
    });
  }
}
