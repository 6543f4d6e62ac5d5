// What make score found of the pages whose truth is known.

const n3 = figures(3);
// In percent; 0 only where there is none.
const errorRate = (rate) => n2.format(rate > 0 ? Math.max(100 * rate, 0.01) : 0);
const SCORE_WORDS = {
  cer: (rate) => t("cerOf", errorRate(rate)),
  wer: (rate) => t("werOf", errorRate(rate)),
  teds: (value) => t("tedsOf", n3.format(value)),
  order: (value) => t("orderOf", n3.format(value)),
  f1: (value) => t("f1Of", n3.format(value)),
};

// The character errors of all of them.
function scoreTotal({ cer, characters }) {
  const pages = [...cer.keys()].filter((page) => cer[page] >= 0);
  const errors = sum(pages.map((page) => cer[page] * characters[page]));
  const all = sum(pages.map((page) => characters[page]));
  return total(t("cer"), all ? `${errorRate(errors / all)} %` : "–", t("cerPages", round(pages.length)));
}

// The figures of a page in words, its character errors first; none if it has no truth.
function scoresOf({ scores }, page) {
  if (!scores) return [];
  return Object.entries(SCORE_WORDS).filter(([name]) => scores[name][page] >= 0)
    .map(([name, word]) => word(scores[name][page]));
}

// For sorting: by character errors, then by tables; pages without a truth last.
function wrongness({ cer, teds }, page) {
  return cer[page] < 0 ? -1 : cer[page] * 1000 + (teds[page] < 0 ? 0 : 1 - teds[page]);
}
