// The corners of a box on a page's picture, to be dragged.

// onmove(corner, x, y): where a corner is now, in parts of the page; onend() when it is let go.
function addHandles(sheet, box, onmove, onend) {
  for (const corner of ["nw", "ne", "sw", "se"]) {
    const handle = h("span", { class: `handle ${corner}`, "aria-hidden": "true" });
    const isHeld = (event) => handle.hasPointerCapture(event.pointerId);
    handle.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      handle.setPointerCapture(event.pointerId);
    });
    handle.addEventListener("pointermove", (event) => {
      if (!isHeld(event)) return;
      const frame = sheet.getBoundingClientRect();
      onmove(corner, (event.clientX - frame.left) / frame.width, (event.clientY - frame.top) / frame.height);
    });
    handle.addEventListener("pointerup", (event) => {
      if (isHeld(event)) onend();
    });
    handle.addEventListener("click", (event) => event.stopPropagation());
    box.append(handle);
  }
}

// A box [left, top, right, bottom, …] with one corner moved, within a page of this size.
function withCorner(cell, corner, x, y, [width, height]) {
  const [left, top, right, bottom, ...rest] = cell;
  const across = Math.round(Math.min(Math.max(x, 0), 1) * width);
  const down = Math.round(Math.min(Math.max(y, 0), 1) * height);
  return [
    corner.endsWith("w") ? Math.min(across, right) : left,
    corner.startsWith("n") ? Math.min(down, bottom) : top,
    corner.endsWith("e") ? Math.max(across, left) : right,
    corner.startsWith("s") ? Math.max(down, top) : bottom,
    ...rest,
  ];
}
