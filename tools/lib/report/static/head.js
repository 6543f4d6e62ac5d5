// The head of a report, and what is said where its data is missing.

// What the report loads at once; nothing if that is not there, which is said.
async function loadIndex(root) {
  translateDocument();
  try {
    return await load(root, "index");
  } catch (error) {
    byId("overview").replaceChildren(failure(error));
    return null;
  }
}

const failure = (error) => h("p", { class: "remark bad", text: t("missing", error.message) });

function sayHead(title, name, ...facts) {
  document.title = title;
  byId("name").textContent = name;
  byId("about").replaceChildren(...facts.filter(Boolean).map((text) => h("span", { text })));
}

// One of the totals: what it is, its value, and what more there is to say.
function total(word, value, facts, kind = "") {
  return h("div", { class: `total ${kind}` },
    h("dt", { text: word }), h("dd", {}, h("b", { text: value }), h("span", { class: "muted" }, facts)));
}

const option = (value, text) => h("option", { value, text });

// How many of all pages are listed.
const countOf = (found, index) => (found.length === index.page.length
  ? t("all", round(found.length)) : t("shown", round(found.length), round(index.page.length)));
