// generate.mjs [--records N] [SAMPLE FILE…]: mixed text to tokenise, as records that end in NUL (3000 and a few), on
// standard output. The same seed gives the same bytes on every machine. Records may hold newlines and bytes
// that are not UTF-8, never NUL.
import { readFileSync } from "node:fs";

let seed = 0x2545f491;
function random(limit) { // mulberry32
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) % limit;
}
const pick = (list) => list[random(list.length)];
const times = (count, make) => Array.from({ length: count }, make);

const words = ("the of and a to in is you that it he was for on are as with his they I at be this have " +
  "from or one had by word but not what all were we when your can said there use an each which she do " +
  "how their if will up other about out many then them these so some her would make like him into time " +
  "has look two more write go see number no way could people my than first water been call who oil its " +
  "now find long down day did get come made may part Once upon a time Lily played PARK Don't WE'LL i've").split(" ");
const scripts = [
  "Съешь же ещё этих мягких французских булок", "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία",
  "דג סקרן שט בים מאוכזב", "نص حكيم له سر قاطع وذو شأن عظيم", "ऋषियों को सताने वाले दुष्ट राक्षसों",
  "我能吞下玻璃而不伤身体。", "いろはにほへとちりぬるを", "カタカナ ひらがな 漢字", "다람쥐 헌 쳇바퀴에 타고파",
  "เป็นมนุษย์สุดประเสริฐเลิศคุณค่า", "Zażółć gęślą jaźń", "Pchnąć w tę łódź jeża", "Příliš žluťoučký kůň",
  "Fix, Schwyz! quäkt Jürgen blöd vom Paß", "ÅÄÖ åäö ﬁ ﬀ Ǆ ǆ ŉ ſ İ ı", "ქართული ენა", "Հայերեն լեզու",
  "ភាសាខ្មែរ", "தமிழ் மொழி", "አማርኛ ቋንቋ", "ᚠᛇᚻ᛫ᛒᛦᚦ", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝟙𝟚𝟛", "ＦＵＬＬ ｗｉｄｔｈ １２３",
  "½ ² ³ Ⅷ ① ٣٤٥ ६७८ 〇一二三", "«guillemets» “quotes” ‘single’ — – … ‰ № € £ ¥ ₿ ∑ ∞ ≠ → ⇒",
];
const emoji = ["😀", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪🇫🇷", "👍🏽", "❤️", "☃", "1️⃣", "🧑🏿‍🚀", "🫠", "🤷‍♀️", "✨✨✨"];
const code = [
  "def f(x):\n    return x  # ok\n", "for (int i = 0; i < n; ++i) { sum += a[i] * b[i]; }",
  "#include <vector>\n\nint main() {\n\treturn 0;\n}\n", "SELECT * FROM t WHERE id = 42 AND name LIKE '%x%';",
  "<div class=\"a\">it's &amp; &lt;b&gt;</div>", "{\"key\": [1, 2.5e-3, null, true], \"k2\": \"v\\n\"}",
  "x = lambda a, b=1: a**b if a!=b else ~a", "https://example.org/a/b?c=d&e=%20f#g", "C:\\Users\\x\\y.txt",
  "git commit -m 'fix: don\\'t' && make -j8 | tee log.txt", "0x1F 1_000_000 3.14159 1e10 10% $5.00 12:34:56",
];
const spaces = [" ", "  ", "   ", "\t", "\t\t", "\n", "\n\n", "\r\n", " \n", "\n ", "\u00a0", "\u3000", "\u2003",
  "\u200b", "\u2028", "\u2029", "\u1680", "\u180e", "\u000b", "\u000c", "\u202f", "\u205f", "        "];
const odd = ["\ufeff", "\u0085", "\u00ad", "\u200d", "\u200c", "\u202e", "\ufffd", "\uffff", "\ue000", "\u{10ffff}",
  "\u{f0000}", "\u0378", "\u0001", "\u001b", "\u001f", "\u007f", "\u009f", "\u034f", "\u115f", "\u{1d173}", "\u{e0041}"];
const marks = ["\u0301", "\u0308", "\u0323", "\u0338", "\u20dd", "\u0e31", "\u093f", "\u05b0", "\u064b", "\u3099"];
const specials = ["<|endoftext|>", "<s>", "</s>", "<unk>", "<|endoftext", "<s", "<0x0A>", "<0xFF>", "▁", "▁▁", "Ġ", "Ċ", "Ā"];
const contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'LL", "’s", "''", "'", "n't"];

const sentence = () => times(3 + random(15), () => pick(words)).join(" ") + pick([".", "!", "?", "...", ",", "", ";"]);
const clusters = () => times(1 + random(8), () => pick([..."aeiouAnк가の"]) + times(random(4), () => pick(marks)).join("")).join("");
const anyCharacter = () => {
  for (;;) {
    const c = random(4) === 0 ? random(0x110000) : random(0x3000);
    if (c !== 0 && (c < 0xd800 || c > 0xdfff)) return String.fromCodePoint(c);
  }
};
const makers = [
  sentence, sentence, clusters, () => pick(scripts), () => pick(emoji), () => pick(code), () => pick(odd), () => pick(specials),
  () => pick(contractions), () => times(1 + random(6), () => pick(spaces)).join(""),
  () => String(random(10 ** (1 + random(9)))), () => times(1 + random(12), anyCharacter).join(""),
  () => pick(["a", "ab", "!", "=", "-", "#", " ", "é", "哈"]).repeat(1 + random(60)),
];
function mutate(text) {
  const points = Array.from(text);
  for (let i = 1 + random(3); i > 0 && points.length > 0; --i) {
    const at = random(points.length);
    switch (random(4)) {
      case 0: points.splice(at, 1); break;
      case 1: points.splice(at, 0, anyCharacter()); break;
      case 2: points.splice(at, 0, pick(spaces)); break;
      case 3: points.splice(at, 0, ...points.slice(at, at + 1 + random(8))); break;
    }
  }
  return points.join("");
}
/// Cuts, inserts and flips bytes so that the result is rarely valid UTF-8.
function breakBytes(text) {
  const bytes = [...Buffer.from(text)];
  for (let i = 1 + random(4); i > 0; --i) {
    const at = random(bytes.length + 1);
    if (random(2)) bytes.splice(at, 0, 0x80 + random(128));
    else bytes.splice(at, 1 + random(2));
  }
  return Buffer.from(bytes.filter((b) => b !== 0));
}

function emit(record) {
  process.stdout.write(Buffer.concat([Buffer.from(record), Buffer.from([0])]));
}
for (const list of [scripts, emoji, code, spaces, odd, marks, specials, contractions]) {
  list.forEach(emit);
  emit(list.join(""));
  emit(list.join(" "));
}
const files = process.argv.slice(2);
const records = files[0] === "--records" ? Number(files.splice(0, 2)[1]) : 3000;
for (let i = 0; i < records; ++i) {
  let text = times(1 + random(5), () => pick(makers)()).join(pick(["", "", " ", " ", "\n"]));
  if (random(3) === 0) text = mutate(text);
  emit(random(12) === 0 ? breakBytes(text) : text);
}
for (const path of files) {
  const lines = readFileSync(path, "utf8").split("\n");
  lines.filter((line) => line.length > 0).forEach(emit);
  for (let i = 0; i + 8 < lines.length; i += 8) emit(mutate(lines.slice(i, i + 8).join("\n")));
}
