// A page: its picture, and the cells' boxes over it with their place in the reading order.

// cells: [category, left, top, width, height, …] in percent. onmark(number or -1), onpick(number).
function makeSheet({ picture, aspect, cells, categories, onmark, onpick, numbers }) {
  const sheet = h("div", { class: "sheet", css: { "aspect-ratio": aspect } });
  if (picture) {
    sheet.append(h("img", { src: picture, alt: "", decoding: "async", draggable: "false" }));
  } else {
    sheet.append(h("p", { class: "no-picture", text: t("noPicture") }));
  }
  const boxes = cells.map(([category, left, top, width, height], place) => {
    const box = h("div", {
      class: `box ${categories[category]}`,
      css: { left: `${left}%`, top: `${top}%`, width: `${width}%`, height: `${height}%` },
      onmouseenter: () => onmark(place),
      onmouseleave: () => onmark(-1),
      onclick: () => onpick?.(place),
    }, h("span", { class: "number", text: numbers ? numbers[place] : place + 1 }));
    box.title = categoryWord(categories[category]);
    return { box, area: width * height };
  });
  // Small boxes over large ones, so that the mouse reaches both.
  [...boxes].sort((one, other) => other.area - one.area).forEach(({ box }) => sheet.append(box));
  return {
    element: sheet,
    boxes: boxes.map(({ box }) => box),
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
