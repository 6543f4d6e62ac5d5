// Elements, data from disk, and the only two places where text becomes HTML or an address of a script.

const CHUNK = /^(?:report|compare|tune)_files\/(?:index|(?:data|text|cells)\/\d+)\.js$/;
const rules = {
  createHTML: (html) => html, // cleaned when the report was made; see markup.py
  createScriptURL: (url) => {
    if (!CHUNK.test(url)) throw new TypeError(`no chunk of this report: ${url}`);
    return url;
  },
};
const trusted = window.trustedTypes ? trustedTypes.createPolicy("dots", rules) : rules;

const byId = (id) => document.getElementById(id);

// An element: attributes by name, on… for listeners, text for its text, css for custom properties.
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "text") element.textContent = value;
    else if (name === "css") setStyle(element, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function setStyle(element, values) {
  for (const [name, value] of Object.entries(values)) element.style.setProperty(name, value);
}

function setCleanedHtml(element, html) {
  element.innerHTML = trusted.createHTML(html);
}

// Chunks of data are scripts that call dots(name, value).
const chunks = new Map();
window.dots = (name, value) => chunks.get(name)?.resolve(value);

function load(root, name) {
  if (chunks.has(name)) return chunks.get(name).promise;
  const chunk = {};
  chunk.promise = new Promise((resolve, reject) => Object.assign(chunk, { resolve, reject }));
  chunks.set(name, chunk);
  const script = document.createElement("script");
  script.addEventListener("load", () => script.remove());
  script.addEventListener("error", () => {
    chunks.delete(name);
    script.remove();
    chunk.reject(new Error(`${root}/${name}.js`));
  });
  script.src = trusted.createScriptURL(`${root}/${name}.js`);
  document.head.append(script);
  return chunk.promise;
}

// A path below the report as an address; "./" in front, so that no name is read as a scheme.
const address = (path) => `./${path.split("/").map(encodeURIComponent).join("/")}`;

function debounce(wait, action) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(action, wait);
  };
}

const isTyping = (event) => event.target.closest?.("input, select, textarea") !== null;
const hasModifier = (event) => event.ctrlKey || event.metaKey || event.altKey;
