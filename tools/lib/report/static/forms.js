// A cell as a form: its text, its category, its box in pixels, its place in the reading order.

const sideWords = () => [t("left"), t("top"), t("right"), t("bottom")];

// on: { focus(), change(cell), move(by), remove() }
function cellForm(cell, place, count, categories, [width, height], on) {
  const number = place + 1;
  let now = cell;
  const change = (part, value) => {
    now = now.with(part, value);
    on.change(now);
  };
  const text = h("textarea", { "aria-label": t("textOfCell", number), spellcheck: "false", rows: rowsOf(cell[5]) });
  text.value = cell[5] ?? "";
  text.addEventListener("input", () => change(5, text.value));
  const category = h("select", { "aria-label": t("categoryOfCell", number) },
    ...categories.map((name) => option(name, categoryWord(name))));
  category.value = cell[4];
  const sides = sideWords().map((side, part) => {
    const field = h("input", {
      type: "number", min: 0, max: part % 2 ? height : width, step: 1, value: cell[part], "aria-label": `${t("boxOfCell", number)}: ${side}`,
    });
    field.addEventListener("change", () => {
      const limits = [[0, now[2]], [0, now[3]], [now[0], width], [now[1], height]];
      const [least, most] = limits[part];
      field.value = Math.min(Math.max(Math.round(Number(field.value)) || 0, least), most);
      change(part, Number(field.value));
    });
    return h("label", {}, h("span", { class: "muted", text: side }), field);
  });
  const button = (sign, label, action, isOff = false) => h("button", {
    type: "button", text: sign, title: label, "aria-label": label, disabled: isOff, onclick: action,
  });
  const element = h("article", { class: `cell edit ${cell[4]}`, tabindex: "-1", onfocusin: on.focus },
    h("header", {}, h("span", { class: "number", text: number }), category, h("span", { class: "fill" }),
      button("↑", t("earlier", number), () => on.move(-1), place === 0),
      button("↓", t("later", number), () => on.move(1), place === count - 1),
      button("×", t("remove", number), on.remove)),
    text, h("div", { class: "sides" }, ...sides));
  category.addEventListener("change", () => {
    change(4, category.value);
    element.className = `cell edit ${category.value}`;
  });
  return {
    element,
    focus: () => text.focus(),
    // The box was dragged on the picture.
    setBox(moved) {
      now = moved;
      element.querySelectorAll(".sides input").forEach((field, part) => { field.value = moved[part]; });
    },
  };
}

const rowsOf = (text) => Math.min(12, Math.max(2, Math.ceil((text ?? "").length / 60), (text ?? "").split("\n").length));
