// A page: its picture, and the cells' boxes over it with their place in the reading order.

// cells: [category, left, top, width, height, …] in percent. onmark(place or -1), onpick(place);
// places are those of the cells, and behind them those of the doubts that are of no cell.
function makeSheet({ index, picture, aspect, cells, doubts, onmark, onpick }) {
  const sheet = h("div", { class: "sheet", css: { "aspect-ratio": aspect } });
  if (picture) {
    sheet.append(h("img", { src: picture, alt: "", decoding: "async", draggable: "false" }));
  } else {
    sheet.append(h("p", { class: "no-picture", text: t("noPicture") }));
  }
  const places = placesOf(doubts, cells);
  const reasons = (place) => doubts.filter((_, number) => places[number] === place).map((doubt) => doubtReason(index, doubt));
  const apart = doubts.filter((_, number) => places[number] >= cells.length);
  const boxes = [...cells, ...apart].map(([kind, left, top, width, height], place) => {
    const name = place < cells.length ? index.categories[kind] : "";
    const why = reasons(place);
    const mark = name ? `${place + 1}${why.length ? "\n!" : ""}` : "!";
    const box = h("div", {
      class: `box ${name || "doubt"} ${name && why.length ? "doubted" : ""}`,
      css: { left: `${left}%`, top: `${top}%`, width: `${width}%`, height: `${height}%` },
      onmouseenter: () => onmark(place),
      onmouseleave: () => onmark(-1),
      onclick: () => onpick?.(place),
    }, h("span", { class: "number", text: mark }));
    box.title = [...(name ? [categoryWord(name)] : []), ...why].join("\n");
    return { box, area: width * height };
  });
  // Small boxes over large ones, so that the mouse reaches both.
  [...boxes].sort((one, other) => other.area - one.area).forEach(({ box }) => sheet.append(box));
  return {
    element: sheet,
    boxes: boxes.map(({ box }) => box),
    places,
    reasons,
    mark(place) {
      boxes.forEach(({ box }, number) => box.classList.toggle("marked", number === place));
    },
    reveal(place) {
      boxes[place]?.box.scrollIntoView({ block: "nearest", inline: "nearest" });
    },
  };
}

// What a Picture's box shows, cut from the page's picture.
function cutOut(picture, aspect, [, left, top, width, height]) {
  if (!picture || width <= 0 || height <= 0) return null;
  const along = (start, size) => (size >= 99.9 ? 0 : (100 * start) / (100 - size));
  return h("div", {
    class: "cut-out",
    css: {
      "aspect-ratio": (width * aspect) / height,
      "background-image": `url("${picture}")`,
      "background-size": `${10000 / width}% ${10000 / height}%`,
      "background-position": `${along(left, width)}% ${along(top, height)}%`,
      "max-width": `${Math.max(20, width)}%`,
    },
  });
}
