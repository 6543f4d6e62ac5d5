// What speaks against an answer, in words and as rows.
// A doubt: [kind, left, top, width, height, cell or -1, detail]; its box in percent.

const inPercent = (part) => round(100 * part);

const DOUBT_REASONS = {
  missed: ({ lines }) => (lines > 1 ? t("linesMissed", round(lines)) : lines ? t("lineMissed") : ""),
  empty: ({ why }) =>
    why === "no ink" ? t("noInk") : why === "no area" ? t("noArea") : why === "off the page" ? t("offPage") : "",
  amount: ({ ratio, why }) =>
    why === "nothing read" ? t("nothingRead") : why === "other words" ? t("otherText")
    : ratio < 1 ? t("tooShort", inPercent(ratio)) : ratio >= 1 ? t("tooLong", inPercent(ratio)) : "",
  repeated: ({ of }) => (of >= 0 ? t("sameText", round(of + 1)) : ""),
  text_layer: ({ precision, recall, digits, words }) =>
    words ? t("wordsMissed", round(words)) : digits ? t("otherDigits", round(digits))
    : precision >= 0 && recall >= 0 ? t("otherWords", inPercent(precision), inPercent(recall)) : "",
  reader: ({ agreement, digits, engine }) => {
    const who = engine ? ` (${engine})` : "";
    return digits ? t("digitsRead", who, round(digits)) : agreement >= 0 ? t("otherReading", who, inPercent(agreement)) : "";
  },
};

// Why, as far as its detail tells; else the kind alone.
function doubtReason(index, [kind, , , , , , detail]) {
  const name = index.doubtKinds[kind];
  return DOUBT_REASONS[name](detail) || doubtWord(name);
}

// Where each doubt is marked: at its cell, or at a box of its own; these follow those of the cells.
function placesOf(doubts, cells) {
  let next = cells.length;
  return doubts.map(([, , , , , cell]) => {
    if (cell >= 0 && cell < cells.length) return cell;
    next += 1;
    return next - 1;
  });
}

// A row for a doubt: the cell's number and category, or "!"; and why. side is that of two readings.
function doubtRow(index, doubt, cells, place, listeners, side = "") {
  const name = place < cells.length ? index.categories[cells[place][0]] : "";
  return h("button", { type: "button", class: "doubt", ...listeners },
    h("span", { class: `number ${name}`, text: `${side} ${name ? place + 1 : "!"}`.trim() }),
    name ? h("span", { class: "muted", text: categoryWord(name) }) : null,
    h("span", { class: "why", text: doubtReason(index, doubt) }));
}
