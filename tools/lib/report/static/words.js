// What the report says, in English and Korean, by the browser's language.

const KOREAN = navigator.language.toLowerCase().startsWith("ko");
const LOCALE = KOREAN ? "ko" : "en";

const WORDS = {
  // totals and plots
  pages: ["Pages", "페이지"],
  done: ["{0} read", "{0}개 읽음"],
  failed: ["Failed", "실패"],
  ofPages: ["{0} % of all", "전체의 {0} %"],
  speed: ["Pages per second", "초당 페이지"],
  speedRun: ["{0} pages in {1}", "{1} 동안 {0}페이지"],
  tokens: ["Tokens written", "출력 토큰"],
  tokensIn: ["{0} read", "입력 {0}"],
  gpuHours: ["GPU hours", "GPU 시간"],
  whileReading: ["last run, while it read", "마지막 실행, 읽는 동안"],
  cost: ["Cost", "비용"],
  throughput: ["Throughput over time", "시간별 처리량"],
  throughputFacts: ["mean {0}, peak {1} pages/min", "평균 {0}, 최고 {1} 페이지/분"],
  perMinute: ["{0} pages/min", "{0} 페이지/분"],
  noTimes: ["no times in this manifest", "시간 기록이 없습니다"],
  secondsPerPage: ["Seconds per page", "페이지당 시간(초)"],
  tokensPerPage: ["Tokens per page", "페이지당 토큰"],
  spread: ["median {0}, 95 % below {1}", "중앙값 {0}, 95 % {1} 이하"],
  categories: ["Categories", "분류"],
  failures: ["Failures by reason", "실패 원인"],
  made: ["Report made {0}", "{0}에 만든 보고서"],
  doubtful: ["Doubtful", "확인 필요"],
  lookFirst: ["look at these first", "먼저 확인하세요"],
  doubtsByKind: ["Doubts: pages by kind", "의심스러운 점: 종류별 페이지 수"],
  cer: ["Character errors", "문자 오류율"],
  cerPages: ["{0} pages with a truth", "정답이 있는 {0}페이지"],
  // list
  search: ["Search in all pages", "모든 페이지에서 검색"],
  anyStatus: ["Any status", "모든 상태"],
  anyFolder: ["Any folder", "모든 폴더"],
  anyCategory: ["Any category", "모든 분류"],
  anyDoubt: ["Doubts or none", "의심 여부 모두"],
  someDoubt: ["With doubts", "의심스러운 점 있음"],
  topFolder: ["(top)", "(최상위)"],
  sortOrder: ["In order", "순서대로"],
  sortTrust: ["Least trusted first", "신뢰도 낮은 순"],
  sortScore: ["Most errors first", "오류 많은 순"],
  sortSeconds: ["Slowest first", "느린 순"],
  sortTokens: ["Most tokens first", "토큰 많은 순"],
  sortCells: ["Most cells first", "셀 많은 순"],
  clear: ["Clear", "초기화"],
  shown: ["{0} of {1} pages", "{1}페이지 중 {0}페이지"],
  all: ["{0} pages", "{0}페이지"],
  reading: ["searching, {0} %", "검색 중, {0} %"],
  nothing: ["No page matches.", "해당하는 페이지가 없습니다."],
  cells: ["{0} cells", "셀 {0}개"],
  tokensOf: ["{0} tokens", "토큰 {0}개"],
  more: ["… and {0} more pages", "… 외 {0}페이지"],
  status: ["Status", "상태"],
  folder: ["Folder", "폴더"],
  category: ["Category", "분류"],
  doubt: ["Kind of doubt", "의심스러운 점"],
  sort: ["Order", "정렬"],
  // page
  back: ["All pages", "전체 목록"],
  previous: ["Previous page", "이전 페이지"],
  next: ["Next page", "다음 페이지"],
  boxes: ["Boxes", "상자"],
  zoomIn: ["Enlarge", "확대"],
  zoomOut: ["Reduce", "축소"],
  noPicture: ["No picture: the input was not there.", "그림 없음: 원본이 없었습니다."],
  noCells: ["There is nothing on this page.", "이 페이지에는 내용이 없습니다."],
  tries: ["{0} answers", "응답 {0}회"],
  trustOf: ["trust {0}", "신뢰도 {0}"],
  cerOf: ["CER {0} %", "CER {0} %"],
  werOf: ["WER {0} %", "WER {0} %"],
  tedsOf: ["TEDS {0}", "TEDS {0}"],
  orderOf: ["order {0}", "읽기 순서 {0}"],
  f1Of: ["boxes F1 {0}", "상자 F1 {0}"],
  doubts: ["Doubts", "의심스러운 점"],
  moreDoubts: ["… and {0} more doubts", "… 외 {0}건"],
  pictureOf: ["Page with its boxes", "상자가 표시된 페이지"],
  textOf: ["Text of the page", "페이지의 본문"],
  keys: [
    "← → or j k: pages · d doubts · e correct · / search · b boxes · + − zoom · Esc back",
    "← → 또는 j k: 페이지 · d 의심스러운 점 · e 고치기 · / 검색 · b 상자 · + − 확대 · Esc 뒤로",
  ],
  missing: [
    "{0} is missing. Keep the folder next to this file, or make the report again.",
    "{0} 파일이 없습니다. 폴더를 이 파일 옆에 두거나 보고서를 다시 만드세요.",
  ],
  // corrections
  correct: ["Correct", "고치기"],
  edited: ["edited here", "여기서 고침"],
  save: ["Save corrections ({0})", "고친 내용 저장 ({0})"],
  saveHow: [
    "To put them into the results, save them, then: make apply CORRECTIONS=…/corrections.json",
    "결과에 넣으려면 저장한 다음: make apply CORRECTIONS=…/corrections.json",
  ],
  notKept: [
    "This browser keeps nothing for this page: save the corrections before you leave.",
    "이 브라우저는 이 페이지의 내용을 보관하지 않습니다. 떠나기 전에 고친 내용을 저장하세요.",
  ],
  stale: [
    "Corrections of an older reading were left out: {0}",
    "이전 판독을 고친 내용 {0}건은 뺐습니다.",
  ],
  noAnswer: ["There is no answer to correct.", "고칠 답이 없습니다."],
  addCell: ["Add a cell", "셀 추가"],
  isRight: ["Right as it is", "이대로 맞음"],
  discard: ["Discard this page's corrections", "이 페이지에서 고친 내용 버리기"],
  textOfCell: ["Text of cell {0}", "{0}번 셀의 글"],
  categoryOfCell: ["Category of cell {0}", "{0}번 셀의 분류"],
  boxOfCell: ["Box of cell {0}", "{0}번 셀의 상자"],
  left: ["left", "왼쪽"],
  top: ["top", "위"],
  right: ["right", "오른쪽"],
  bottom: ["bottom", "아래"],
  earlier: ["Read cell {0} earlier", "{0}번 셀을 더 먼저"],
  later: ["Read cell {0} later", "{0}번 셀을 더 나중에"],
  remove: ["Remove cell {0}", "{0}번 셀 삭제"],
  // why a page or a cell is doubted
  lineMissed: ["one line of ink was not read", "읽지 않은 글자가 1줄 있습니다"],
  linesMissed: ["{0} lines of ink were not read", "읽지 않은 글자가 {0}줄 있습니다"],
  noInk: ["text where there is no ink", "글자가 없는 자리에 글이 있습니다"],
  noArea: ["its box has no area", "상자의 넓이가 없습니다"],
  offPage: ["its box is off the page", "상자가 페이지 밖에 있습니다"],
  nothingRead: ["almost nothing was read here", "여기에서 읽은 것이 거의 없습니다"],
  otherText: ["its words have other lengths than the ink here", "단어의 길이가 보이는 글자와 다릅니다"],
  tooShort: ["too short: {0} % of what its ink holds", "너무 짧음: 보이는 글자 양의 {0} %"],
  tooLong: ["too long: {0} % of what its ink holds", "너무 긺: 보이는 글자 양의 {0} %"],
  sameText: ["same text as cell {0}", "{0}번 셀과 글이 같습니다"],
  otherWords: [
    "the PDF's own text has other words: it has {0} % of these, and {1} % of its words are here",
    "PDF에 든 글과 단어가 다름: 이 단어의 {0} %가 PDF에, PDF 단어의 {1} %가 여기에 있습니다",
  ],
  wordsMissed: ["words of the PDF's own text that are in no cell: {0}", "PDF에 든 단어 {0}개가 어느 셀에도 없습니다"],
  otherDigits: ["digits unlike those of the PDF's own text: {0}", "PDF에 든 글과 다른 숫자 {0}개"],
  digitsRead: ["digits that a second reader{0} reads differently: {1}", "다른 판독기{0}가 다르게 읽은 숫자 {1}개"],
  otherReading: ["a second reader{0} reads it differently: {1} % alike", "다른 판독기{0}는 다르게 읽음: {1} % 일치"],
  // tune
  tuneTitle: ["How many pixels does a page need?", "페이지에 픽셀이 얼마나 필요한가?"],
  tuneSample: ["{0} of {1} pages, chosen at random", "{1}페이지 중 무작위로 고른 {0}페이지"],
  tunePixels: ["Pixels", "픽셀"],
  tuneText: ["Text kept", "남은 글"],
  tuneWorst: ["Worst page", "가장 나쁜 페이지"],
  tuneBoxes: ["Boxes", "상자"],
  tuneTables: ["Tables", "표"],
  tuneDoubtful: ["Doubtful", "확인 필요"],
  tuneFailed: ["Failed", "실패"],
  tuneTokens: ["Tokens in + out", "토큰 입력 + 출력"],
  tuneSeconds: ["Seconds a page", "페이지당 초"],
  tuneOfTime: ["Of the time", "시간 비율"],
  tuneMoney: ["USD for all pages", "전체 페이지 USD"],
  tuneHours: ["Hours for all pages", "전체 페이지 시간"],
  tuneReference: ["the reference", "비교의 기준"],
  tuneEnough: ["enough", "충분"],
  tuneYours: ["yours", "현재 설정"],
  tuneLook: ["compare", "비교 보기"],
  tuneTake: ["{0} pixels are enough", "{0}픽셀이면 충분합니다"],
  tuneKeeps: ["{0} of the text of {1}, at {2} of the time", "{1}의 글 중 {0}, 시간은 {2}"],
  tuneLess: ["{0} USD less on this input", "이 입력에서 {0} USD 절약"],
  tuneLessHours: ["{0} h less on this input", "이 입력에서 {0}시간 절약"],
  tuneConfig: ["For config.env:", "config.env에 쓸 내용:"],
  tuneStay: ["It is what you have: change nothing.", "지금 설정 그대로이므로 바꿀 것이 없습니다."],
  tuneNoChoice: ["No choice is possible: pages failed with the most pixels. Read them again, or give a LADDER without that value.",
    "픽셀이 가장 많을 때 실패한 페이지가 있어 판단할 수 없습니다. 다시 읽거나, 그 값을 뺀 LADDER를 주세요."],
  tuneOne: ["There is only one way to read: nothing to choose.", "읽은 방식이 하나뿐이라 고를 것이 없습니다."],
  tunePlot: ["Text kept, and time", "남은 글과 시간"],
  tuneAgain: [
    "Two readings of the same picture agree to {0} ({1} pages, the worst {2}): smaller differences are chance. Fewer than five pages are too few to judge.",
    "같은 그림을 두 번 읽으면 {0} 일치합니다({1}페이지, 가장 나쁜 페이지 {2}). 이보다 작은 차이는 우연입니다. 다섯보다 적으면 판단하지 않습니다.",
  ],
  tuneEnlarging: [
    "Small pictures: {0}. UPSAMPLE_BELOW={1} keeps {2} of their text (the worst page {3}) at {4} tokens, UPSAMPLE_BELOW={5} keeps {6} ({7}) at {8}. Fewer than five are too few to judge.",
    "작은 그림 {0}개: UPSAMPLE_BELOW={1}이면 글의 {2}(가장 나쁜 페이지 {3})가 남고 토큰은 {4}, UPSAMPLE_BELOW={5}이면 {6}({7}), 토큰은 {8}입니다. 다섯보다 적으면 판단하지 않습니다.",
  ],
  tuneNotTruth: [
    "Agreement with the largest picture does not prove that a text is right: where the largest is wrong, a smaller one that is right differs from it. TRUTH=folder compares with the truth.",
    "가장 큰 것과 일치한다고 정답인 것은 아닙니다. 가장 큰 것이 틀렸다면 옳게 읽은 작은 것과 다릅니다. TRUTH=폴더를 주면 정답으로 채점합니다.",
  ],
  tuneRare: [
    "A kind of page that is rarer than one in {0} may not be in the sample: SAMPLE={1} looks at more.",
    "{0}페이지에 하나보다 드문 종류의 페이지는 표본에 없을 수 있습니다. SAMPLE={1}로 더 많이 볼 수 있습니다.",
  ],
  tuneComputed: [
    "The sample is too short to measure a rate: seconds are computed, for an always busy {0}, from the tokens that were counted.",
    "표본이 짧아 속도를 잴 수 없어, 센 토큰으로부터 쉬지 않는 {0}의 시간을 계산했습니다.",
  ],
  tunePreview: [
    "This was the CPU preview. Only a run with dots.ocr shows what dots.ocr needs.",
    "CPU 미리보기의 결과입니다. dots.ocr에 얼마가 필요한지는 dots.ocr로 직접 읽어야 알 수 있습니다.",
  ],
  tuneDiffer: ["{0}: pages to look at", "{0}: 살펴볼 페이지"],
  tunePage: ["{0}, page {1}", "{0}, {1}쪽"],
  tuneWords: ["words that differ: {0}", "다른 단어 {0}개"],
  tuneNone: ["No page's text differs.", "글이 다른 페이지가 없습니다."],
  // compare
  compared: ["Compared", "비교함"],
  changed: ["Changed", "달라짐"],
  unchanged: ["{0} unchanged", "{0}페이지 같음"],
  onlyIn: ["Only in {0}", "{0}에만 있음"],
  textSame: ["Text alike", "본문 일치"],
  boxesAlike: ["Boxes alike", "상자 일치"],
  wordsChanged: ["{0} words", "단어 {0}개"],
  wordsDiffer: ["{0} words differ", "단어 {0}개 다름"],
  otherCategory: ["Other category", "분류 다름"],
  ofBoxes: ["of {0} boxes", "상자 {0}개 중"],
  movedBoxes: ["{0} moved", "이동 {0}"],
  addedBoxes: ["{0} new", "추가 {0}"],
  removedBoxes: ["{0} gone", "삭제 {0}"],
  categoryChanges: ["{0} in category", "분류 변경 {0}"],
  doubtsWent: ["Doubts gone", "해소된 의심"],
  doubtsGone: ["doubts gone: {0}", "해소된 의심 {0}건"],
  doubtsNew: ["new doubts: {0}", "새 의심 {0}건"],
  doubtfulPages: ["doubtful pages {0} → {1}", "확인 필요한 페이지 {0} → {1}"],
  doubtsCame: ["New doubts", "새 의심"],
  sortChange: ["Most changed first", "많이 바뀐 순"],
  anyChange: ["Any change", "모든 변경"],
  kindText: ["Text", "본문"],
  kindBoxes: ["Boxes", "상자"],
  kindCategory: ["Category", "분류"],
  kindStatus: ["Status", "상태"],
  kindDoubts: ["Doubts", "의심스러운 점"],
  kindOnly: ["Only in one", "한쪽에만"],
  searchNames: ["Search page names", "페이지 이름 검색"],
  noDifference: ["No difference.", "차이가 없습니다."],
  overlap: ["overlap {0} %", "겹침 {0} %"],
  differences: ["Differences", "차이"],
};

const CATEGORY_WORDS = {
  Caption: "캡션",
  Footnote: "각주",
  Formula: "수식",
  "List-item": "목록",
  "Page-footer": "바닥글",
  "Page-header": "머리글",
  Picture: "그림",
  "Section-header": "절 제목",
  Table: "표",
  Text: "본문",
  Title: "제목",
};
const STATUS_WORDS = {
  ok: "정상",
  repaired: "복구됨",
  partial: "일부",
  doubtful: "확인 필요",
  corrected: "고침",
  blank: "빈 페이지",
  failed: "실패",
  left: "남음",
};

const DOUBT_WORDS = {
  missed: ["Ink not read", "읽지 않은 글자"],
  empty: ["Text without ink", "빈 자리의 글"],
  amount: ["Text unlike its ink", "글자와 맞지 않음"],
  repeated: ["Repeated text", "반복된 글"],
  text_layer: ["Unlike the PDF's text", "PDF 글과 다름"],
  reader: ["Read differently", "다른 판독기와 다름"],
};

function t(key, ...values) {
  return WORDS[key][KOREAN ? 1 : 0].replace(/\{(\d)\}/g, (_, place) => values[Number(place)]);
}
const categoryWord = (name) => (KOREAN ? CATEGORY_WORDS[name] : name);
const doubtWord = (kind) => DOUBT_WORDS[kind][KOREAN ? 1 : 0];
const statusWord = (name) => (KOREAN ? STATUS_WORDS[name] : name);

const figures = (digits) =>
  new Intl.NumberFormat(LOCALE, { maximumFractionDigits: digits, minimumFractionDigits: 0 });
const n0 = figures(0);
const n1 = figures(1);
const n2 = figures(2);
const round = (value) => n0.format(value);
const short = (value) =>
  value >= 100 ? n0.format(value) : value >= 10 ? n1.format(value) : n2.format(value);
const fine = (value) => (value < 0.1 ? figures(4) : n2).format(value); // a small run is not free
const compact = (value) =>
  new Intl.NumberFormat(LOCALE, { notation: "compact", maximumFractionDigits: 1 }).format(value);
const when = (unix) =>
  new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium", timeStyle: "short" }).format(unix * 1000);

function duration(seconds) {
  const parts = [
    [Math.floor(seconds / 3600), KOREAN ? "시간" : "h"],
    [Math.floor(seconds / 60) % 60, KOREAN ? "분" : "min"],
    [Math.round(seconds) % 60, KOREAN ? "초" : "s"],
  ].filter(([value]) => value > 0);
  const gap = KOREAN ? "" : " ";
  return parts.slice(0, 2).map(([value, unit]) => `${value}${gap}${unit}`).join(" ") || `0${gap}${KOREAN ? "초" : "s"}`;
}

// Say what the template leaves open.
function translateDocument() {
  document.documentElement.lang = LOCALE;
  for (const element of document.querySelectorAll("[data-t]")) {
    element.textContent = t(element.dataset.t);
  }
  for (const element of document.querySelectorAll("[data-label]")) {
    const text = t(element.dataset.label);
    element.setAttribute("aria-label", text);
    element.title = text;
    if (element.placeholder !== undefined && element.type === "search") element.placeholder = text;
  }
}
