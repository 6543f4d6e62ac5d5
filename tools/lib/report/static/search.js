// Search in the text of all pages. The texts come from disk, a chunk at a time, at the first search.

class Texts {
  constructor(index, onprogress) {
    Object.assign(this, { index, onprogress, texts: [], lowered: [], loaded: 0, failure: null });
    this.chunks = Math.ceil(index.page.length / index.chunk);
    this.names = index.page.map((page, place) => plain(`${page}\n${index.label[place]}`));
    this.started = false;
  }

  // Begin to load; onprogress is called now and then, and at the end.
  async start() {
    if (this.started) return;
    this.started = true;
    const atOnce = 8;
    for (let first = 0; first < this.chunks; first += atOnce) {
      const numbers = Array.from({ length: Math.min(atOnce, this.chunks - first) }, (_, n) => first + n);
      try {
        await Promise.all(numbers.map((number) => this.take(number)));
      } catch (error) {
        this.failure = error;
      }
      this.loaded += numbers.length;
      if (this.isComplete || (first / atOnce) % 6 === 0) this.onprogress();
    }
  }

  async take(number) {
    const texts = await load("report_files", `text/${number}`);
    texts.forEach((text, place) => {
      const page = number * this.index.chunk + place;
      this.texts[page] = text.normalize("NFC");
      this.lowered[page] = plain(text);
    });
    chunks.delete(`text/${number}`);
  }

  get isComplete() {
    return this.loaded >= this.chunks;
  }

  // Whether a page has all the words, in its text or its name.
  matches(page, words) {
    const text = this.lowered[page] ?? "";
    return words.every((word) => text.includes(word) || this.names[page].includes(word));
  }

  // The text around the first word that is found in it, with the words marked; null if none is.
  extract(page, words) {
    const text = this.texts[page] ?? "";
    const pattern = anyOf(words);
    const first = text.search(pattern);
    if (first < 0) return null;
    const start = first > 50 ? text.indexOf(" ", first - 50) + 1 || first : 0;
    const part = text.slice(start, start + 220);
    const pieces = [start > 0 ? "… " : ""];
    let end = 0;
    for (const match of part.matchAll(pattern)) {
      pieces.push(part.slice(end, match.index), h("mark", { text: match[0] }));
      end = match.index + match[0].length;
    }
    return [...pieces, part.slice(end)];
  }
}

// Alike are large and small letters, and a Korean syllable as a Mac and as Windows writes it.
const plain = (text) => text.normalize("NFC").toLowerCase();

const wordsOf = (query) => plain(query).split(/\s+/).filter(Boolean);

const asPattern = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

const anyOf = (words) => {
  const forms = words.flatMap((word) => [word, word.normalize("NFD")]);
  return new RegExp(forms.map(asPattern).join("|"), "gi");
};

// Mark the words in an element without changing it, where the browser can.
function highlight(element, words) {
  if (!CSS.highlights) return;
  CSS.highlights.delete("found");
  if (!words.length) return;
  const ranges = [];
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    for (const match of node.data.matchAll(anyOf(words))) {
      const range = new Range();
      range.setStart(node, match.index);
      range.setEnd(node, match.index + match[0].length);
      ranges.push(range);
    }
  }
  CSS.highlights.set("found", new Highlight(...ranges));
}
