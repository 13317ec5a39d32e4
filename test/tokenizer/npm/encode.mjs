// encode.mjs FOLDER [--pairs] < records: the ids that @huggingface/tokenizers gives to each NUL-terminated
// record, one JSON array a line, special tokens off. --pairs: to each record and the one before it, read as one (the first one
// with nothing before it), special tokens on; behind the ids their segments.
//
// One correction: the package's ByteLevel pre-tokenizer uses JavaScript's \s, which counts U+FEFF as
// white space and U+0085 not; the Rust library (Oniguruma) has it the other way, and so do we.
// Records with one of the two are split with the Unicode property White_Space instead.
import { readFileSync } from "node:fs";
import { Tokenizer } from "@huggingface/tokenizers";

const folder = process.argv[2], pairs = process.argv[3] === "--pairs";
const read = (name) => JSON.parse(readFileSync(`${folder}/${name}`, "utf8"));
const load = () => new Tokenizer(read("tokenizer.json"), read("tokenizer_config.json"));
const plain = load();
const corrected = load();
if (read("tokenizer.json").pre_tokenizer?.type === "ByteLevel")
  corrected.pre_tokenizer.pattern = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

const input = readFileSync(0);
const out = [];
let before = "";
for (let begin = 0; begin < input.length;) {
  const end = input.indexOf(0, begin);
  // Not Buffer.toString: TextDecoder is the WHATWG decoder, told to keep byte order marks.
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(input.subarray(begin, end));
  const tokenizer = /[\ufeff\u0085]/.test(text) ? corrected : plain;
  if (pairs) {
    const both = tokenizer.encode(before, { text_pair: text, return_token_type_ids: true });
    out.push(JSON.stringify(both.ids) + JSON.stringify(both.token_type_ids));
    before = text;
  } else {
    out.push(JSON.stringify(tokenizer.encode(text, { add_special_tokens: false }).ids));
  }
  begin = end + 1;
}
process.stdout.write(out.join("\n") + "\n");
